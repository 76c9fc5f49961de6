//! `marula completions`.

use clap::CommandFactory;

use crate::app::Outcome;
use crate::args::Cli;

/// The completion script for `shell`.
pub fn run(shell: clap_complete::Shell) -> Outcome {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "marula", &mut out);
    Outcome::Text(String::from_utf8_lossy(&out).into_owned())
}
