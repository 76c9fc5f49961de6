//! PostgreSQL's logs.

use marula_core::{Parameter, Result};

use crate::{Clue, Guess};

/// Checks a `log_line_prefix`.
///
/// # Errors
/// `Usage` when it holds an escape that does not exist.
pub(crate) fn check_prefix(_: &str) -> Result<()> {
    Ok(())
}

/// PostgreSQL's formats that make sense of a head.
pub(crate) fn detect(_: &Clue<'_>) -> Vec<Guess> {
    Vec::new()
}

/// Bound parameters as logged: `$1 = '42', $2 = NULL`.
pub(crate) fn parameters(_: &str) -> Vec<Parameter> {
    Vec::new()
}
