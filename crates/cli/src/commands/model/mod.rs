//! `marula model`.

mod check;
mod from;
mod infer;
mod new;
mod show;

use marula_core::Result;
use marula_design::model::{self, Read};

use crate::app::{App, Outcome, read_input};
use crate::args::Model;

/// Checks, draws and makes models.
pub async fn run(app: &mut App, args: Model) -> Result<Outcome> {
    match args {
        Model::Infer(args) => infer::run(app, args).await,
        Model::Check(args) => check::run(app, &args),
        Model::Show(args) => show::run(app, &args),
        Model::New(args) => new::run(app, &args),
        Model::From(args) => from::run(app, args).await,
    }
}

/// Reads a model file.
pub fn read(file: &str) -> Result<Read> {
    let text = read_input(file)?;
    model::read(&text, if file == "-" { "stdin" } else { file })
}
