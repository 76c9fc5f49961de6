//! `marula design`.

use std::time::Duration;

use clap::Args;

use super::{FailOn, Prove};
use crate::duration;

/// `marula design`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each finding has a rule with a page of its own (marula rule no-primary-key). What statements can mend
is mended on a copy in the lab: there the rule must be content afterwards, and the way back must lead
back. What changes data is a migration, and the finding names the command that writes it.

Examples:
  marula design shop
  marula design lab/demo/mongodb --format markdown --output review.md
  marula design shop --prove off --fail-on high")]
pub struct Design {
    /// The database to review; see `marula explain --help`.
    pub target: String,
    /// Where fixes are tried: lab or off [default: lab].
    #[arg(long, value_enum, value_name = "WHERE", env = "MARULA_PROVE", hide_env_values = true)]
    pub prove: Option<Prove>,
    /// Documents to look at in each collection.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub sample: u32,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}
