//! `marula model`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::{FailOn, ModelInfer};
use crate::duration;

/// `marula model`.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Infer a model from files or live databases: keys, types, tables, references, and a proof.
    Infer(ModelInfer),
    /// Say every mistake of a model file: where it is, and what was meant.
    Check(ModelCheck),
    /// Draw a model: Mermaid, DBML, SVG, or a page for a browser.
    Show(ModelShow),
    /// Write a model from one sentence, out of the blueprints that the program carries.
    New(ModelNew),
    /// Write a model from a schema: SQL, DBML, or a live database of either engine.
    From(ModelFrom),
}

/// `marula model check`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is YAML or JSON; marula schema model prints its JSON Schema, for editors. What is wrong is
said all at once; the rest of the model is checked all the same.

Example:
  marula model check shop.yaml")]
pub struct ModelCheck {
    /// The model's file; - is stdin.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: String,
    /// Exit with 1 when a mistake matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// `marula model show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --format, and with --format mermaid, it is a Mermaid erDiagram; with markdown the same in a
code block. --format yaml and json write the model out, with all that follows from the rest.

Examples:
  marula model show shop.yaml
  marula model show shop.yaml --format html --output shop.html")]
pub struct ModelShow {
    /// The model's file; - is stdin.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: String,
}

/// `marula model new`.
#[derive(Debug, Args)]
#[command(after_help = "\
The nouns that it knows bring in parts of blueprints; those it does not know become plain entities
marked guess: true. Nothing is sent anywhere, and no language model takes part.

Examples:
  marula model new 'e-commerce platform with products, users, orders and reviews' --output shop.yaml
  marula model new --list")]
pub struct ModelNew {
    /// What is to be kept.
    #[arg(required_unless_present = "list")]
    pub sentence: Option<String>,
    /// List the blueprints.
    #[arg(long)]
    pub list: bool,
}

/// `marula model from`.
#[derive(Debug, Args)]
#[command(after_help = "\
A file that ends in .dbml is DBML; every other is SQL. Anything that is no file is a target: see
marula explain --help. Of a live database, rows, fan-outs and numbers of values come along.

Examples:
  marula model from schema.sql > shop.yaml
  marula model from lab/demo/mongodb --output shop.yaml")]
pub struct ModelFrom {
    /// A file with a schema, or a target.
    pub source: String,
    /// Documents to look at in each collection.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub sample: u32,
    /// Give up on a single question to the target after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
}
