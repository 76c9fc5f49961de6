//! `marula inspect`.

use marula_core::{Error, ErrorKind, Result};

use crate::app::{App, Outcome};
use crate::args::Inspect;

/// Shows what a target holds.
pub async fn run(_: &App, _: Inspect) -> Result<Outcome> {
    Err(Error::new(ErrorKind::Unsupported, "inspect is not there yet"))
}
