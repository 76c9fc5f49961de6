//! What a database holds, and what its planner knows of it.

use marula_core::{Error, ErrorKind, RelationalCatalog, Result};

use crate::Session;

/// How much of a database to read.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All relations the user may see.
    All,
    /// These relations, `orders` along the search path or `shop.orders`, with what the views
    /// among them read and the partitions of partitioned tables.
    Relations(&'a [String]),
}

/// Reads the catalogue.
///
/// # Errors
/// `NotFound` with the nearest names when a relation does not exist; the server's own errors.
pub async fn read(_session: &Session, _scope: Scope<'_>) -> Result<RelationalCatalog> {
    Err(Error::new(ErrorKind::Unsupported, "the catalogue is not read yet"))
}
