//! `marula explain`.

use marula_core::{Error, ErrorKind, Result};

use crate::app::{App, Outcome};
use crate::args::Explain;

/// Explains a query or a saved plan.
pub async fn run(_: &mut App, _: Explain) -> Result<Outcome> {
    Err(Error::new(ErrorKind::Unsupported, "explain is not there yet"))
}
