//! The way through for a whole workload: from its statements to the best set of changes.

use marula_core::{Error, ErrorKind, Progress, Report, Result, Target, Workload};
use marula_mongodb::Session;

use crate::TuneOptions;

/// The best set of changes for `workload`, proved statement by statement.
///
/// # Errors
/// What the server says; `Lab` when no copy can be made.
pub async fn tune(
    session: &Session,
    target: &Target,
    workload: &Workload,
    options: &TuneOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let _ = (session, target, workload, options, progress);
    Err(Error::new(ErrorKind::Unsupported, "tuning a workload of MongoDB is not there yet"))
}
