//! `marula migrate rehearse`.

use std::time::Duration;

use clap::{Args, ValueHint};
use marula_core::{Engine, Version};

use super::FailOn;
use crate::duration;

/// `marula migrate rehearse`.
#[derive(Debug, Args)]
#[command(after_help = "\
What the migration touches is copied from the target, which is only read, to a throw-away server of
the same version. There it runs statement by statement while clients read, update and insert, a
reader keeps an old snapshot open and a writer lies idle in its transaction. Told is what those
clients measured, which locks were taken, and whether the way back restores schema and data.

Examples:
  marula migrate rehearse 20260101120000_add_status.sql --target shop
  marula migrate rehearse migrations/20260101120000_add_status.sql --target shop --fix
  marula migrate rehearse add_index.sql --schema schema.sql --rows 1000000
  marula migrate rehearse add_index.json --target mongodb://db/shop --workload workload.json")]
pub struct MigrateRehearse {
    /// A migration, or a folder of them, which run in order.
    #[arg(value_name = "FILE|FOLDER", value_hint = ValueHint::AnyPath)]
    pub input: String,
    /// What is to be copied; see `marula explain --help`.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// SQL, or a migration, that makes what is there before, instead of a target. Without either,
    /// the earlier migrations of the same folder do.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "target")]
    pub schema: Option<String>,
    /// Rows or documents that are made up in each table or collection, where there is no target.
    #[arg(long, value_name = "N", default_value_t = 100_000, conflicts_with = "target")]
    pub rows: u64,
    /// Rehearse the safe form, too.
    #[arg(long)]
    pub fix: bool,
    /// A workload that `marula logs --save` wrote: the clients run it instead of the default mix.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub workload: Option<String>,
    /// Clients that work meanwhile.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub clients: u32,
    /// Operations a second of all clients together.
    #[arg(long, value_name = "N", default_value_t = 800.0)]
    pub rate: f64,
    /// How long the clients work before the migration begins, and after it.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "2s")]
    pub duration: Duration,
    /// How long the reader that stands in every statement's way keeps its snapshot; 0 leaves it
    /// out.
    #[arg(long, value_name = "TIME", value_parser = pause, default_value = "1s")]
    pub reader: Duration,
    /// How long the writer lies idle in its transaction; 0 leaves it out.
    #[arg(long, value_name = "TIME", value_parser = pause, default_value = "500ms")]
    pub writer: Duration,
    /// Start no standby (MongoDB: secondary): it halves what has to be copied and kept on disk, and
    /// replication lag is not measured.
    #[arg(long)]
    pub no_standby: bool,
    /// Cancel a statement that takes longer.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "10m")]
    pub limit: Duration,
    /// The engine [default: the target's, or told from the files].
    #[arg(long, value_parser = super::parse_engine)]
    pub engine: Option<Engine>,
    /// The server's version, where there is no target: 15, 18, 6.0 [default: the newest here].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    #[arg(conflicts_with = "target")]
    pub server_version: Option<Version>,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a stall matters at least this much: high is a second, medium 200 ms
    /// [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// A duration, or 0 for none.
fn pause(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" { Ok(Duration::ZERO) } else { duration::parse(text) }
}
