//! `marula model`.

use clap::{Args, Subcommand, ValueHint};

use super::{FailOn, ModelInfer};

/// `marula model`.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Infer a model from files or live databases: keys, types, tables, references, and a proof.
    Infer(ModelInfer),
    /// Say every mistake of a model file: where it is, and what was meant.
    Check(ModelCheck),
    /// Draw a model: Mermaid, DBML, SVG, or a page for a browser.
    Show(ModelShow),
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
