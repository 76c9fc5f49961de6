//! `marula migrate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};
use marula_core::{Engine, Version};

use super::{
    FailOn, MigrateAddConstraint, MigrateAddForeignKey, MigrateAdopt, MigrateApply,
    MigrateBackfill, MigrateChangeType, MigrateDerive, MigrateDiff, MigrateDrop, MigratePlan,
    MigrateRename, MigrateRepair, MigrateRollback, MigrateShardKeyField, MigrateStatus,
    MigrateValidator,
};
use crate::duration;

/// `marula migrate`.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Say what each statement of a migration locks, whom that stops and for how long; and write
    /// the safe form.
    Lint(MigrateLint),
    /// Run a migration on a copy in the lab while clients go on working: locks, stalls, work, and
    /// the way back.
    Rehearse(super::MigrateRehearse),
    /// Write the migrations that lead from one schema to another, up and down; replayed in the lab.
    Diff(MigrateDiff),
    /// Make a new, empty migration.
    New(MigrateNew),
    /// Make a migration that builds an index while everybody goes on.
    AddIndex(MigrateAddIndex),
    /// Make a migration that adds a column, or a field to all documents.
    AddField(MigrateAddField),
    /// Make a migration that forbids NULL in a column, without keeping anybody out.
    NotNull(MigrateNotNull),
    /// Show what would run on a target, with what the rules find in it; nothing is changed.
    Plan(MigratePlan),
    /// Run what has not run on a target; what broke off is gone on with.
    Apply(MigrateApply),
    /// Take back what was applied last.
    Rollback(MigrateRollback),
    /// Say what has run on a target, what is half done, what is to come.
    Status(MigrateStatus),
    /// Compare the files with what has run, and look for what broken migrations leave.
    Verify(MigrateStatus),
    /// Settle by name what only a person can know: a changed file, one that is gone, a step.
    Repair(MigrateRepair),
    /// Make a migration that adds a constraint, and checks the rows without keeping anybody out.
    AddConstraint(MigrateAddConstraint),
    /// Make a migration that adds a foreign key, and checks the rows without keeping anybody out.
    AddForeignKey(MigrateAddForeignKey),
    /// Make the migrations that rename a table, a column or a field while everybody goes on.
    Rename(MigrateRename),
    /// Make the migrations that change a column's or field's type while everybody goes on.
    ChangeType(MigrateChangeType),
    /// Make the migrations that split a column into several.
    Split(MigrateDerive),
    /// Make the migrations that merge columns into one.
    Merge(MigrateDerive),
    /// Make a migration that drops something.
    Drop(MigrateDrop),
    /// Make a migration that brings rows or documents up to date in batches.
    Backfill(MigrateBackfill),
    /// Make the migrations that give a collection a validator (MongoDB).
    Validator(MigrateValidator),
    /// Make the migrations that fill, check and index a field for a shard key (MongoDB).
    ShardKeyField(MigrateShardKeyField),
    /// Take over what another tool remembers of a target, with no file edited.
    Adopt(MigrateAdopt),
}

/// `marula migrate lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Read are: this program's <timestamp>_<name>.sql with '-- migrate:up' and '-- migrate:down' (and .json
or .yaml for MongoDB), dbmate, goose, sqlx, golang-migrate, Flyway, and migrate-mongo's JavaScript
where it is plain. Whose a file is, is told from its name and content.

A comment '-- marula:ignore RULE reason' before a statement silences a rule there, and
'-- marula:ignore-file RULE reason' in the whole file.

Examples:
  marula migrate lint migrations/
  marula migrate lint 20260101120000_add_status.sql --engine postgres --server-version 15
  marula migrate lint migrations/20260101120000_add_status.sql --target shop --fix")]
pub struct MigrateLint {
    /// Migrations, and folders of them; - is stdin.
    #[arg(required = true, value_name = "FILE|FOLDER", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<String>,
    /// The engine they are for [default: told from the files].
    #[arg(long, value_parser = super::parse_engine)]
    pub engine: Option<Engine>,
    /// The server's version: 15, 18, 6.0 [default: the target's, or the newest known].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    pub server_version: Option<Version>,
    /// Where the migrations will run: its tables' sizes, types and constraints are minded. Files
    /// alone are read otherwise.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// SQL that makes what is there before the migrations, instead of a target.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "target")]
    pub schema: Option<String>,
    /// Rewrite the files in their safe form, where there is one.
    #[arg(long)]
    pub fix: bool,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// Where a new migration goes, and for what.
#[derive(Debug, Args)]
pub struct NewFile {
    /// The folder it is made in.
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Where it will run: its engine and version are minded, and what it holds where that matters.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// The engine it is for [default: the target's, or postgres].
    #[arg(long, value_parser = super::parse_engine)]
    pub engine: Option<Engine>,
    /// The server's version [default: the target's, or the newest known].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    pub server_version: Option<Version>,
}

/// `marula migrate new`.
#[derive(Debug, Args)]
pub struct MigrateNew {
    /// What it is for, in a few words: add_status.
    pub name: String,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate add-index`.
#[derive(Debug, Args)]
pub struct MigrateAddIndex {
    /// The table or collection.
    pub table: String,
    /// Its columns or fields, in the index's order.
    #[arg(required = true)]
    pub columns: Vec<String>,
    /// Forbid duplicates.
    #[arg(long)]
    pub unique: bool,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate add-field`.
#[derive(Debug, Args)]
pub struct MigrateAddField {
    /// The table and the new column, such as users.status.
    #[arg(value_name = "TABLE.COLUMN")]
    pub field: String,
    /// The column's type (PostgreSQL).
    #[arg(long = "type", value_name = "TYPE", default_value = "text")]
    pub data_type: String,
    /// What rows get that do not say: a number, a call such as now(), or a text; JSON on MongoDB.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub default: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate not-null`.
#[derive(Debug, Args)]
pub struct MigrateNotNull {
    /// The table and its column, such as users.email.
    #[arg(value_name = "TABLE.COLUMN")]
    pub column: String,
    /// Fill what is NULL with this SQL expression first, in batches, by a migration of its own.
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub fill: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}
