//! `marula model infer`.

use std::time::Duration;

use clap::{Args, ValueHint};

use super::{FailOn, Prove};
use crate::duration;

/// `marula model infer`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads JSON (an array, or documents one after another), JSON lines, BSON as mongodump writes it, and
CSV with any delimiter, each also packed with gzip; of a live database every table or collection.
What is broken in them is named with its place and set aside, the rest is used. Objects become
columns, arrays tables of their own; repeated parts become entities with keys. The tables are made in
the lab and joined again: the rows must be those that were read.

Examples:
  marula model infer orders.json customers.csv > model.yaml
  marula model infer dump/shop/orders.bson.gz --prove off
  marula model infer lab/demo/mongodb --rows 20000 --format json")]
pub struct ModelInfer {
    /// Files, or targets (see `marula explain --help`); - is stdin.
    #[arg(required = true, value_name = "FILE|TARGET", value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// What the model is called [default: the first source's name].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The most rows or documents of each file, table or collection; a database is sampled.
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub rows: u64,
    /// Where the tables are joined again: lab or off [default: lab].
    #[arg(long, value_enum, value_name = "WHERE", env = "MARULA_PROVE", hide_env_values = true)]
    pub prove: Option<Prove>,
    /// Give up on a single question to a target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}
