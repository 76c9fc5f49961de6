//! `marula design` and `marula choose`.

use std::time::Duration;

use clap::{Args, ValueHint};
use marula_core::{Engine, Version};

use super::{FailOn, Prove};
use crate::duration;

/// `marula design`.
#[derive(Debug, Args)]
#[command(after_help = "\
Of a database each finding has a rule with a page of its own (marula rule no-primary-key). What
statements can mend is mended on a copy in the lab: there the rule must be content afterwards, and
the way back must lead back. What changes data is a migration, and the finding names the command
that writes it.

Of a model several designs are built on a throw-away server, filled with the same generated data,
asked the same questions and put to the same work at the model's rates; the measured best is
proposed. With --output FILE.sql (or FILE.js) its script is written there, and the report goes to
stdout; with any other name the report goes to the file.

Examples:
  marula design shop
  marula design lab/demo/mongodb --format markdown --output review.md
  marula design shop.yaml --engine postgres --output shop.sql
  marula design shop.yaml --engine mongodb --candidates 6 --rows 200000")]
pub struct Design {
    /// The database to review (see `marula explain --help`), or a model's file to design for.
    #[arg(value_name = "TARGET|MODEL", value_hint = ValueHint::AnyPath)]
    pub target: String,
    /// Where fixes are tried: lab or off [default: lab].
    #[arg(long, value_enum, value_name = "WHERE", env = "MARULA_PROVE", hide_env_values = true)]
    pub prove: Option<Prove>,
    /// Documents to look at in each collection.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub sample: u32,
    /// The engine to design a model for [default: both].
    #[arg(long, value_parser = super::parse_engine, help_heading = "Of a model")]
    pub engine: Option<Engine>,
    #[command(flatten)]
    pub trial: Trial,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// `marula choose`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each engine gets its own best design of the model, the same data, the same durability and the same
rates; their answers are compared. Differences of less than 10 % are no difference.

Examples:
  marula choose shop.yaml
  marula choose shop.yaml --rows 200000 --format markdown --output choice.md")]
pub struct Choose {
    /// The model's file.
    #[arg(value_name = "MODEL", value_hint = ValueHint::FilePath)]
    pub model: String,
    #[command(flatten)]
    pub trial: Trial,
}

/// How designs of a model are measured.
#[derive(Debug, Args)]
pub struct Trial {
    /// How many designs of an engine are built.
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Of a model")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=32))]
    pub candidates: u16,
    /// About how many rows are generated in all; the model's volumes are scaled to it.
    #[arg(long, value_name = "N", default_value_t = 60_000, help_heading = "Of a model")]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=50_000_000))]
    pub rows: u64,
    /// How long each design is put to the model's work.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "8s")]
    #[arg(help_heading = "Of a model")]
    pub length: Duration,
    /// What the generated data follows from: the same seed gives the same data.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Of a model")]
    pub seed: u64,
    /// The PostgreSQL to measure on: 15, 18 [default: the newest installed].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    #[arg(help_heading = "Of a model")]
    pub postgres_version: Option<Version>,
    /// The MongoDB to measure on: 5.0, 6.0 [default: the newest installed].
    #[arg(long, value_name = "VERSION", value_parser = super::parse_version)]
    #[arg(help_heading = "Of a model")]
    pub mongodb_version: Option<Version>,
}
