//! The lab's part: a copy of what the statement touches, and the proof of each change on it.

use std::time::Duration;

use marula_core::{Error, ErrorKind, Plan, Progress, Report, Result};
use marula_postgres::Session;

use super::explain::Subject;
use crate::ExplainOptions;

/// The copy.
pub(super) struct Lab;

/// Copies what the statement touches to a lab server of the target's version.
pub(super) async fn open(
    _: &Session,
    _: &Subject,
    _: &ExplainOptions,
    _: &dyn Progress,
) -> Result<Lab> {
    Err(Error::new(ErrorKind::Unsupported, "tables are not copied yet"))
}

impl Lab {
    /// The plan on the copy, with actual numbers if it finishes within `limit`.
    pub async fn plan(&mut self, _: &Subject, _: Duration) -> Result<Plan> {
        Err(Error::new(ErrorKind::Unsupported, "tables are not copied yet"))
    }

    /// Proves the report's changes.
    pub async fn prove(
        self,
        _: &Subject,
        _: &mut Report,
        _: &ExplainOptions,
        _: &dyn Progress,
    ) -> Result<()> {
        Ok(())
    }
}
