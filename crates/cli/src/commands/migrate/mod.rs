//! `marula migrate`.

mod apply;
mod ground;
mod lint;
mod new;
mod plan;
mod rehearse;
mod status;

use marula_core::Result;

use crate::app::{App, Outcome};
use crate::args::Migrate;

/// Runs one of the commands on migrations.
pub async fn run(app: &mut App, args: Migrate) -> Result<Outcome> {
    match args {
        Migrate::Lint(args) => lint::run(app, args).await,
        Migrate::Rehearse(args) => rehearse::run(app, args).await,
        Migrate::New(args) => new::run(&args),
        Migrate::AddIndex(args) => new::add_index(&args),
        Migrate::AddField(args) => new::add_field(&args),
        Migrate::NotNull(args) => new::not_null(&args),
        Migrate::Plan(args) => plan::run(app, args).await,
        Migrate::Apply(args) => apply::run(app, args).await,
        Migrate::Rollback(args) => apply::rollback(app, args).await,
        Migrate::Status(args) => status::run(app, &args).await,
        Migrate::Verify(args) => status::verify(app, &args).await,
        Migrate::Repair(args) => apply::repair(app, args).await,
    }
}
