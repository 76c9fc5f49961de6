//! Plans from a server.

use marula_core::{Error, ErrorKind, Plan, Result, Statement};

use crate::Session;

/// Whether the statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is planned only.
    Estimate,
    /// It runs, and what it does is measured.
    Analyze,
}

/// How the server plans the statement, and with [`Mode::Analyze`] what really happened.
///
/// # Errors
/// `Timeout`, `ServerDied`, `Denied`, `NotFound` with the nearest names, or the server's own.
pub async fn explain(_session: &Session, _statement: &Statement, _mode: Mode) -> Result<Plan> {
    Err(Error::new(ErrorKind::Unsupported, "plans are not read from servers yet"))
}
