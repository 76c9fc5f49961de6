//! `marula migrate`.

mod apply;
mod diff;
mod documents;
mod generate;
mod ground;
mod lint;
mod new;
mod plan;
mod rehearse;
mod status;
mod write;

use marula_core::Result;

use crate::app::{App, Outcome};
use crate::args::Migrate;

/// Runs one of the commands on migrations.
pub async fn run(app: &mut App, args: Migrate) -> Result<Outcome> {
    match args {
        Migrate::Lint(args) => lint::run(app, args).await,
        Migrate::Rehearse(args) => rehearse::run(app, args).await,
        Migrate::Plan(args) => plan::run(app, args).await,
        Migrate::Apply(args) => apply::run(app, args).await,
        Migrate::Rollback(args) => apply::rollback(app, args).await,
        Migrate::Status(args) => status::run(app, &args).await,
        Migrate::Verify(args) => status::verify(app, &args).await,
        Migrate::Repair(args) => apply::repair(app, args).await,
        Migrate::Diff(args) => diff::run(app, args).await,
        Migrate::New(args) => new::run(app, &args).await,
        Migrate::AddIndex(args) => new::add_index(app, &args).await,
        Migrate::AddField(args) => new::add_field(app, &args).await,
        Migrate::NotNull(args) => new::not_null(app, &args).await,
        Migrate::AddConstraint(args) => generate::add_constraint(app, &args).await,
        Migrate::AddForeignKey(args) => generate::add_foreign_key(app, &args).await,
        Migrate::Rename(args) => generate::rename(app, &args).await,
        Migrate::ChangeType(args) => generate::change_type(app, &args).await,
        Migrate::Split(args) => generate::derive(app, &args, "split").await,
        Migrate::Merge(args) => generate::derive(app, &args, "merge").await,
        Migrate::Drop(args) => generate::drop(app, &args).await,
        Migrate::Backfill(args) => generate::backfill(app, &args).await,
        Migrate::Validator(args) => documents::validator(app, &args).await,
        Migrate::ShardKeyField(args) => documents::shard_key_field(app, &args).await,
        Migrate::Adopt(args) => apply::adopt(app, args).await,
    }
}
