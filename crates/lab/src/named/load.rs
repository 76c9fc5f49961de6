use marula_core::{Error, ErrorKind, Progress, Result};

use super::{Filling, LabServerState};

/// Loads `data` into a server of a lab.
pub(super) async fn load(
    server: &LabServerState,
    data: &Filling,
    progress: &dyn Progress,
) -> Result<()> {
    progress.step(&format!("loading {} into {}", data.name, server.engine.title()));
    Err(Error::new(ErrorKind::Unsupported, format!("the data set '{}' is not there yet", data.name)))
}
