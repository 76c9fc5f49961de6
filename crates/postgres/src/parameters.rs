//! Values for `$1`, `$2` …

use marula_core::{Error, ErrorKind, Parameter, RelationalCatalog, Result};

use crate::Session;
use crate::sql::ParsedStatement;

/// A value for each `$n` of the statement: the given one, or one that the statistics of the
/// column it is compared with make likely.
///
/// # Errors
/// `Usage` when more values are given than the statement has places.
pub async fn fill(
    _session: &Session,
    statement: &ParsedStatement,
    _given: &[Option<String>],
    _catalog: &RelationalCatalog,
) -> Result<Vec<Parameter>> {
    if statement.parameter_count() == 0 {
        return Ok(Vec::new());
    }
    Err(Error::new(ErrorKind::Unsupported, "parameters are not filled yet"))
}
