//! What a database holds: collections, sizes, indexes, inferred schemas.

use marula_core::{DocumentCatalog, Error, ErrorKind, Result};

use crate::Session;

/// Which collections to read.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All of the database.
    All,
    /// Those of these names; an unknown one is an error with the nearest names.
    Collections(&'a [String]),
}

/// Reads the catalogue. With `sample`, each collection's schema is inferred from so many
/// documents.
///
/// # Errors
/// `NotFound` for a collection that does not exist, and what the server says.
pub async fn read(
    session: &Session,
    scope: Scope<'_>,
    sample: Option<u32>,
) -> Result<DocumentCatalog> {
    let _ = (session, scope, sample);
    Err(Error::new(ErrorKind::Unsupported, "catalogues are not read yet"))
}
