//! `marula model`.

use clap::Subcommand;

use super::ModelInfer;

/// `marula model`.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Infer a model from files or live databases: keys, types, tables, references, and a proof.
    Infer(ModelInfer),
}
