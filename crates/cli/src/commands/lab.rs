//! `marula lab`.

use marula_core::{Engine, Error, ErrorKind, Result};

use crate::app::{App, Outcome};
use crate::args::Lab;

/// Starts, lists and ends labs.
pub async fn run(_: &App, _: Lab) -> Result<Outcome> {
    Err(Error::new(ErrorKind::Unsupported, "lab is not there yet"))
}

/// The URL of a lab's server.
pub fn find(_: &str, _: Engine) -> Result<String> {
    Err(Error::new(ErrorKind::Unsupported, "lab is not there yet"))
}
