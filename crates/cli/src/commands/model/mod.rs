//! `marula model`.

mod check;
mod from;
mod infer;
mod new;
mod show;

use std::path::Path;

use marula_core::Result;
use marula_design::model::{self, Read};

use crate::app::{App, Outcome, read_input};
use crate::args::Model;
use crate::signals;

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

/// Reads a model file, and the file that its `from:` names.
pub fn read(file: &str) -> Result<Read> {
    let text = read_input(file)?;
    let name = if file == "-" { "stdin" } else { file }.to_owned();
    let folder = Path::new(file).parent().map(Path::to_path_buf).unwrap_or_default();
    signals::interruptible(move || model::read_beside(&text, &name, &folder))
}
