//! `marula migrate`.

mod lint;
mod new;

use marula_core::Result;

use crate::app::{App, Outcome};
use crate::args::Migrate;

/// Runs one of the commands on migrations.
pub async fn run(app: &mut App, args: Migrate) -> Result<Outcome> {
    match args {
        Migrate::Lint(args) => lint::run(app, args).await,
        Migrate::New(args) => new::run(&args),
        Migrate::AddIndex(args) => new::add_index(&args),
        Migrate::AddField(args) => new::add_field(&args),
        Migrate::NotNull(args) => new::not_null(&args),
    }
}
