//! Running a statement for its rows.

use marula_core::{Error, ErrorKind, Result, Statement};

use crate::Session;

/// Runs a statement in a read-only transaction and gives each row, in the server's text form,
/// as it comes. Gives the number of rows.
///
/// # Errors
/// `Timeout`, `ServerDied`, or the server's own.
pub async fn run(
    _session: &Session,
    _statement: &Statement,
    _on_row: impl FnMut(&[Option<&str>]),
) -> Result<u64> {
    Err(Error::new(ErrorKind::Unsupported, "statements are not run yet"))
}
