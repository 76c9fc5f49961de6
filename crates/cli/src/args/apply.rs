//! `marula migrate plan`, `apply`, `rollback`, `status`, `verify`, `repair`, `adopt`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::FailOn;
use crate::duration;

/// A target and the folder of its migrations.
#[derive(Debug, Args)]
pub struct MigrateOn {
    /// Where the migrations run; see `marula explain --help`.
    pub target: String,
    /// The folder they are in.
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// `marula migrate status` and `verify`.
#[derive(Debug, Args)]
pub struct MigrateStatus {
    /// Where and what.
    #[command(flatten)]
    pub on: MigrateOn,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// `marula migrate plan`.
#[derive(Debug, Args)]
pub struct MigratePlan {
    /// Where and what.
    #[command(flatten)]
    pub status: MigrateStatus,
    /// The last version that is to run.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Run what was slipped in before something that has run, too.
    #[arg(long)]
    pub out_of_order: bool,
}

/// How migrations run.
#[derive(Debug, Args)]
pub struct MigrateHow {
    /// While somebody else migrates, wait this long; 0s gives up at once.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_or_none, default_value = "10m")]
    pub wait: Duration,
    /// A statement waits this long for a lock, then lets the others pass and tries again. What a
    /// file says itself comes first.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "2s")]
    pub lock_timeout: Duration,
    /// How often what gets no lock is tried.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub tries: u32,
    /// A backfill pauses while a replica is further behind than this.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "10s")]
    pub max_lag: Duration,
    /// The pause between two batches of a backfill, where the file does not say.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_or_none, default_value = "0s")]
    pub pace: Duration,
    /// Do not look through the data, and on MongoDB at the room on the server's disk, first for what
    /// would fail in the middle.
    #[arg(long)]
    pub no_data_check: bool,
}

/// `marula migrate apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
The target's own entry in marula.toml must say access = \"read-write\"; labs are writable.

A file runs in one transaction together with the note that it has run, unless it says
'-- migrate:up transaction:false': then each statement and its note are one transaction, and what
breaks off is gone on with by the same command. '-- migrate:up batch:1000 pace:20ms' runs UPDATE and
DELETE by ranges of the primary key.

Examples:
  marula migrate apply shop
  marula migrate apply lab/demo/postgres --dir db/migrations --to 20260101120000")]
pub struct MigrateApply {
    /// Where and what.
    #[command(flatten)]
    pub on: MigrateOn,
    /// The last version that is to run.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Run what was slipped in before something that has run, too.
    #[arg(long)]
    pub out_of_order: bool,
    /// How.
    #[command(flatten)]
    pub how: MigrateHow,
}

/// `marula migrate rollback`.
#[derive(Debug, Args)]
pub struct MigrateRollback {
    /// Where and what.
    #[command(flatten)]
    pub on: MigrateOn,
    /// The version that stays: everything applied after it is taken back.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// How many migrations to take back, the last applied first.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "to")]
    pub count: usize,
    /// How.
    #[command(flatten)]
    pub how: MigrateHow,
}

/// `marula migrate repair`.
#[derive(Debug, Args)]
pub struct MigrateRepair {
    /// Where and what.
    #[command(flatten)]
    pub on: MigrateOn,
    /// Take this version's file as it is now, though it was changed after it had run.
    #[arg(long, value_name = "VERSION")]
    pub accept: Vec<String>,
    /// Forget that this version ran: its file is gone, or it is to run again.
    #[arg(long, value_name = "VERSION")]
    pub forget: Vec<String>,
    /// Note this version as applied without running it.
    #[arg(long, value_name = "VERSION")]
    pub applied: Vec<String>,
    /// The statement this version was interrupted in may run again from its beginning.
    #[arg(long, value_name = "VERSION")]
    pub again: Option<String>,
    /// The statement this version was interrupted in is done.
    #[arg(long, value_name = "VERSION", conflicts_with = "again")]
    pub done: Option<String>,
}

/// `marula migrate adopt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Known are sqlx, refinery, dbmate, Rails, golang-migrate, Flyway, Liquibase, goose, Atlas, Prisma,
Alembic, Django and Diesel; on MongoDB migrate-mongo, golang-migrate and Mongock. Checksums are
compared where the tool keeps them. No file is edited, and the tool's own table stays as it is.

Example:
  marula migrate adopt shop --dir db/migrations")]
pub struct MigrateAdopt {
    /// Where and what.
    #[command(flatten)]
    pub on: MigrateOn,
    /// The tool, when several have a history there.
    #[arg(long, value_name = "TOOL")]
    pub from: Option<String>,
}
