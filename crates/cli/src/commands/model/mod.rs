//! `marula model`.

mod infer;

use marula_core::Result;

use crate::app::{App, Outcome};
use crate::args::Model;

/// Runs one of the commands on models.
pub async fn run(app: &App, args: Model) -> Result<Outcome> {
    match args {
        Model::Infer(args) => infer::run(app, args).await,
    }
}
