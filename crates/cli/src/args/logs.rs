//! `marula logs`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use marula_core::Timestamp;

use super::FailOn;
use crate::duration;

/// `marula logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Formats are detected by content, in any mix: PostgreSQL stderr logs with any log_line_prefix, csvlog,
jsonlog, syslog; MongoDB text and JSON logs, system.profile as JSON lines or BSON; plain or packed
with gzip, zstd or xz. Times are UTC unless an offset is given.

Examples:
  marula logs /var/log/postgresql/
  marula logs postgresql.log.1.gz --from '2026-03-01 12:00' --min-duration 100ms
  marula logs mongod.log --format html --output report.html
  marula logs shop --for 60s
  journalctl -u postgresql -o cat | marula logs - --prefix '%m [%p] %q%u@%d '")]
pub struct Logs {
    /// Log files and folders; - is stdin, which is also read when something is piped in. Or one
    /// target, which is asked: see --source.
    #[arg(value_name = "INPUT|TARGET")]
    pub inputs: Vec<String>,
    /// What a target is asked for: auto takes pg_stat_statements or system.profile, and the server's
    /// log where there is none.
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub source: Source,
    /// PostgreSQL's log_line_prefix, when it is not to be detected.
    #[arg(long, value_name = "PREFIX", allow_hyphen_values = true)]
    pub prefix: Option<String>,
    /// Only what happened at or after this moment: 2026-03-01, '2026-03-01 12:30'.
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Filters")]
    pub from: Option<Timestamp>,
    /// Only what happened before this moment.
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Filters")]
    pub to: Option<Timestamp>,
    /// Only this database; may be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub database: Vec<String>,
    /// Only this user; may be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub user: Vec<String>,
    /// Only this application; may be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub application: Vec<String>,
    /// Only statements whose text holds this, without regard to case.
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    pub text: Option<String>,
    /// Only runs that took at least this long: 100ms, 2s.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Filters")]
    pub min_duration: Option<Duration>,
    /// What the statements are ordered by, largest first.
    #[arg(long, value_enum, default_value_t = Sort::Total)]
    pub sort: Sort,
    /// The most statements to tell of.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Say what got slower, faster, new or gone since OTHER: a log, a folder, a report of marula
    /// logs in JSON, or a saved workload.
    #[arg(long, value_name = "OTHER", value_hint = ValueHint::AnyPath)]
    pub compare: Option<String>,
    /// Also write the statements to FILE as a workload: weights, and parameters seen in real runs.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save: Option<PathBuf>,
    /// Propose indexes: from the log alone, or proved for --target.
    #[arg(long)]
    pub advise: bool,
    /// Explain the five statements that cost most on TARGET, which has the log's data, and prove
    /// in the lab what would help; see `marula explain --help`.
    #[arg(long, value_name = "TARGET", requires = "advise")]
    pub target: Option<String>,
    /// With --advise, exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", requires = "advise")]
    pub fail_on: Option<FailOn>,
    /// Show what is added to the logs: a screen of the last minute, or a line a second in a pipe.
    #[arg(long, conflicts_with_all = ["compare", "save", "advise"])]
    pub follow: bool,
    /// Tell of what a target runs in this time from now on (30s, 5m; Ctrl-C ends it early), or end
    /// --follow after it.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub until: Option<Duration>,
    /// Threads that read; 0 takes one a core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

/// What a target is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// What tells most and can be read.
    Auto,
    /// PostgreSQL's pg_stat_statements.
    Statements,
    /// The server's own log.
    Log,
    /// MongoDB's system.profile.
    Profile,
}

/// What statements are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The time of all runs.
    Total,
    /// The mean run.
    Mean,
    /// The 99th percentile.
    P99,
    /// How often.
    Calls,
    /// Documents or buffers read; temporary bytes where there are none.
    Reads,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error: marula_core::Error| super::with_hints(&error))
}
