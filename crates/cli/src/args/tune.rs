//! `marula tune`.

use std::time::Duration;

use clap::{Args, ValueHint};

use super::FailOn;
use crate::duration;

/// `marula tune`.
#[derive(Debug, Args)]
#[command(after_help = "\
The workload is what the server tells itself (pg_stat_statements, system.profile), unless a file
says it. Every set that is proposed was built on a copy in the lab and every statement run with it:
none gets more than 10 % slower. Ctrl-C prints the best set proved until then.

With --output FILE.sql (or FILE.js) the changes are written there as a script with the way back, and
the report goes to stdout; with any other name the report goes to the file.

Examples:
  marula tune shop
  marula tune shop --workload workload.json --budget 500MB --output indexes.sql
  marula tune lab/demo/postgres --statements queries.sql
  marula tune shop --log /var/log/postgresql/ --goal 100ms")]
pub struct Tune {
    /// Where the data is; see `marula explain --help`.
    pub target: String,
    /// A workload that `marula logs --save` wrote.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "source")]
    pub workload: Option<String>,
    /// A file of statements, each of which counts once: SQL, or mongosh lines; - is stdin.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "source")]
    pub statements: Option<String>,
    /// The server's logs: files and folders; may be repeated.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath, num_args = 1.., group = "source")]
    pub log: Vec<String>,
    /// What new indexes may take together: 500MB, 2GB; with 0 only rewrites and drops are proposed
    /// [default: no limit but their use].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub budget: Option<u64>,
    /// The time one run of each statement may take: 100ms, 2s.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_GOAL")]
    #[arg(hide_env_values = true)]
    pub goal: Option<Duration>,
    /// Cancel a run that takes longer, on the lab's server [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Search so long, besides the runs of statements.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "5m")]
    pub search: Duration,
    /// The most statements that take part, the heaviest first.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_statements: usize,
    /// Exit with 1 when the changes gain at least this much: high is 40 % of the workload's time,
    /// medium 10 % [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// Bytes as people type them: `500MB`, `2GB`, `0`; units are powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let how = || format!("'{text}' is not a size; write a number with kB, MB or GB: 500MB, 2GB");
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().map_err(|_| how())?;
    let times: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" if number == 0.0 => 1.0,
        "k" | "kb" => 1024.0,
        "m" | "mb" => 1024.0 * 1024.0,
        "g" | "gb" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(how()),
    };
    let bytes = number * times;
    if bytes.is_finite() && bytes < 1e18 { Ok(bytes as u64) } else { Err(how()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit_and_only_zero_without() {
        for (text, bytes) in [("500MB", 500 << 20), ("2 GB", 2 << 30), ("0", 0), ("1.5k", 1536)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "500", "MB", "-1MB", "1e9GB", "5 apples", "99999999999999TB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
