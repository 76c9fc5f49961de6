//! The lab's part: a copy of what the command touches, and the proof of each change on it.

use std::time::Duration;

use marula_core::{Error, ErrorKind, Plan, Progress, Report, Result};
use marula_lab::compare::Comparison;
use marula_mongodb::Session;

use super::explain::Subject;
use crate::ExplainOptions;

/// The copy.
pub(super) struct Bench;

/// Copies what the command touches to a lab server of the same version.
pub(super) async fn open(
    _: &Session,
    _: &Subject,
    _: &mut Vec<String>,
    _: &dyn Progress,
) -> Result<Bench> {
    Err(Error::new(ErrorKind::Unsupported, "collections are not copied yet"))
}

/// The plan on the copy, with actual numbers if it finishes within `limit`.
pub(super) async fn plan(_: &mut Bench, _: &Subject, _: Duration) -> Result<Plan> {
    Err(Error::new(ErrorKind::Unsupported, "collections are not copied yet"))
}

/// Proves the report's changes.
pub(super) async fn prove(
    _: Bench,
    _: &Subject,
    _: Comparison,
    _: &mut Report,
    _: &ExplainOptions,
    _: &dyn Progress,
) -> Result<()> {
    Ok(())
}
