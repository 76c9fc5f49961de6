//! `marula migrate diff`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use marula_core::{Engine, Version};

use super::FailOn;
use crate::duration;

/// `marula migrate diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
FROM and TO are each: an SQL file (as pg_dump --schema-only writes it), a folder of migrations, a
target or URL, a lab (lab/demo/postgres), or 'empty:'. For MongoDB a file declares collections:
{\"collections\": {\"users\": {\"validator\": {…}, \"indexes\": [{\"key\": {\"email\": 1}}]}}}.

Both are made in a lab server. The migrations are run there from FROM, and must leave no
difference to TO; the way back is run, too. Rows are neither read nor copied.

Examples:
  marula migrate diff shop schema.sql
  marula migrate diff shop schema.sql --rename users.mail=users.email --dir migrations
  marula migrate diff migrations/ shop             what the database has that no migration made
  marula migrate diff empty: shop --dir migrations a first migration from a database")]
pub struct MigrateDiff {
    /// What is there.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub from: String,
    /// What is wanted.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub to: String,
    /// A column that only changed its name; may be given several times.
    #[arg(long, value_name = "TABLE.OLD=TABLE.NEW")]
    pub rename: Vec<String>,
    /// A table that only changed its name; may be given several times.
    #[arg(long, value_name = "OLD=NEW")]
    pub rename_table: Vec<String>,
    /// Compare who owns what, too.
    #[arg(long)]
    pub owners: bool,
    /// Write the migrations into this folder instead of showing them.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// What the migrations are called.
    #[arg(long, value_name = "NAME", default_value = "diff")]
    pub name: String,
    /// The engine the files are for [default: told from the files and targets].
    #[arg(long, value_parser = super::parse_engine)]
    pub engine: Option<Engine>,
    /// The server's version [default: the target's].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    pub server_version: Option<Version>,
    /// Give up on a single question to a target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a statement of the migrations matters at least this much [default: never].
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
}
