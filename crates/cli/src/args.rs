//! The command line, declared once: help, completions and man pages come from here.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};
use marula_core::{Engine, Version};

use crate::duration;

mod apply;
mod design;
mod logs;
mod mcp;
mod migrate;
mod migrate_diff;
mod migrate_generate;
mod model;
mod model_infer;
mod rehearse;
mod tune;
mod values;

pub use apply::*;
pub use design::*;
pub use logs::*;
pub use mcp::*;
pub use migrate::*;
pub use migrate_diff::*;
pub use migrate_generate::*;
pub use model::*;
pub use model_infer::*;
pub use rehearse::*;
pub use tune::*;
pub use values::*;

/// A database expert for PostgreSQL and MongoDB that proves what it says on a real server.
#[derive(Debug, Parser)]
#[command(name = "marula", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 clean · 1 findings at or above --fail-on · 2 usage, configuration or statement ·
3 target unreachable, refusing or failing · 4 the lab could not run · 70 a defect of marula ·
130 interrupted")]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// How the result is written [default: human].
    #[arg(long, global = true, value_enum, env = "MARULA_FORMAT", hide_env_values = true)]
    pub format: Option<Format>,
    /// Write the result to FILE instead of stdout.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// When to colour: auto looks at the terminal and NO_COLOR [default: auto].
    #[arg(long, global = true, value_enum, env = "MARULA_COLOR", hide_env_values = true)]
    pub color: Option<Color>,
    /// Say less: no progress, no warnings.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: the whole plan, the way back of each change; twice and thrice also the log.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Read this configuration instead of looking for marula.toml.
    #[arg(long, global = true, value_name = "FILE", env = "MARULA_CONFIG")]
    #[arg(hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say why a query is slow, propose the fix, and prove it on a real server.
    Explain(Explain),
    /// Show what a database holds: sizes, keys, indexes with their use, statistics, schema.
    Inspect(Inspect),
    /// Digest slow-query logs: which statements cost most, when, from where, and what else happened.
    Logs(Logs),
    /// Find the best indexes and rewrites for a whole workload, proved statement by statement.
    Tune(Tune),
    /// Review a schema by rules, or design one from a model: built, filled and measured.
    Design(Design),
    /// Say which engine serves a model better, each with its own best design, measured.
    Choose(Choose),
    /// Make, check and draw models: what is kept, how much of it, and what is asked of it.
    #[command(subcommand)]
    Model(Model),
    /// Read migrations in every tool's format, and say what they do to a live database.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Start, list and end throw-away servers.
    #[command(subcommand)]
    Lab(Lab),
    /// Serve agents: the operations as tools of the Model Context Protocol.
    Mcp(Mcp),
    /// Teach agents when and how to use this program.
    #[command(subcommand)]
    Skill(Skill),
    /// Print the page of a rule, or list all rules.
    Rule(Rule),
    /// Print a published schema.
    #[command(subcommand)]
    Schema(Schema),
    /// Print completions for a shell.
    Completions {
        /// The shell to complete in.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write one page per command to a folder.
    Man {
        /// Write marula.1, marula-explain.1 … here.
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// `marula explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
A TARGET is a name from marula.toml, lab/NAME/postgres, lab/NAME/mongodb, a URL (postgres://,
mongodb://, mongodb+srv://), a conninfo string (host=… dbname=…), service=NAME, env:VARIABLE or
file:PATH. Passwords come from ~/.pgpass, PGPASSWORD, env: or file:, never from a flag.

Examples:
  marula explain shop 'SELECT * FROM orders WHERE customer_id = $1' --param 42
  marula explain lab/demo/mongodb -f slow.js --goal 100ms
  marula explain --plan plan.json")]
pub struct Explain {
    /// Where the query runs; may be left out with --plan.
    pub target: Option<String>,
    /// The query: SQL, mongosh syntax, or a MongoDB command as JSON.
    #[arg(conflicts_with = "file")]
    pub query: Option<String>,
    /// Read the query from FILE; - is stdin.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<String>,
    /// Explain a saved plan (EXPLAIN output as JSON or text, MongoDB explain as JSON); - is stdin.
    /// With its query (-f) more is found.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: Option<String>,
    /// A value for $1, $2 …, in order; \N is NULL. What is not given is taken from statistics.
    #[arg(long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    pub params: Vec<String>,
    /// The time the query may take: 100ms, 2s.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_GOAL")]
    #[arg(hide_env_values = true)]
    pub goal: Option<Duration>,
    /// Where proposals are proved: lab copies the data to a throw-away server, what-if uses
    /// hypothetical indexes on the target (HypoPG), off proves nothing [default: lab].
    #[arg(long, value_enum, env = "MARULA_PROVE", hide_env_values = true)]
    pub prove: Option<Prove>,
    /// Cancel what runs longer, on the server, and explain the estimate instead [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
    /// Run the query on the target itself; otherwise only the lab runs it.
    #[arg(long)]
    pub analyze: bool,
    /// Exit with 1 when a finding matters at least this much [default: low].
    #[arg(long, value_enum, value_name = "SEVERITY", env = "MARULA_FAIL_ON")]
    #[arg(hide_env_values = true)]
    pub fail_on: Option<FailOn>,
}

/// `marula inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// What to look into; see `marula explain --help`.
    pub target: String,
    /// One table or collection, in detail.
    pub object: Option<String>,
    /// Documents to sample per collection for the inferred schema.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub sample: u32,
    /// Give up on a single question to the server after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
}

/// `marula lab`.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Start servers under a name and print URLs that psql and mongosh open.
    Up(LabUp),
    /// List the labs that run.
    List,
    /// End a lab and remove its data.
    Down {
        /// The lab's name.
        name: String,
    },
    /// Say which servers were found where, which are missing, and how to install each.
    Doctor,
    /// Hold a lab's servers; started by `lab up`.
    #[command(hide = true)]
    Supervise {
        /// What the library hands to its own process.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

/// `marula lab up`.
#[derive(Debug, Args)]
pub struct LabUp {
    /// The lab's name.
    pub name: String,
    /// Only this engine; may be repeated [default: both].
    #[arg(long, value_parser = parse_engine)]
    pub engine: Vec<Engine>,
    /// The server's version, such as 15 or 6.0; needs --engine when it could be either's.
    #[arg(long, value_parser = parse_version)]
    pub version: Option<Version>,
    /// Load demo data.
    #[arg(long, value_enum)]
    pub data: Option<Data>,
    /// How much of it: 1 is about a million order items and two million events.
    #[arg(long, default_value_t = 1.0, value_parser = parse_scale, requires = "data")]
    pub scale: f64,
    /// What the generator starts from: the same seed gives the same data.
    #[arg(long, default_value_t = 1, requires = "data")]
    pub seed: u64,
    /// End the lab by itself after this long: 30m, 2h [default: 12h].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_LAB_TTL")]
    #[arg(hide_env_values = true)]
    pub ttl: Option<Duration>,
    /// End the lab when process PID ends, too; in a shell script $$ is the script itself.
    #[arg(long, value_name = "PID", env = "MARULA_LAB_PID", hide_env_values = true)]
    pub pid: Option<u32>,
    /// Stay until the lab ends; Ctrl-C ends it.
    #[arg(long)]
    pub foreground: bool,
}

/// `marula rule`.
#[derive(Debug, Args)]
pub struct Rule {
    /// The rule's id; without it all rules are listed.
    pub id: Option<String>,
}

/// `marula schema`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Schema {
    /// The JSON Schema of every report (--format json).
    Report,
    /// The JSON Schema of model files (YAML or JSON).
    Model,
}

fn parse_engine(text: &str) -> Result<Engine, String> {
    text.parse().map_err(|error: marula_core::Error| with_hints(&error))
}

fn parse_version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error: marula_core::Error| with_hints(&error))
}

fn parse_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 && scale <= 1000.0 => Ok(scale),
        _ => Err("write a number above 0 and at most 1000, such as 0.1 or 1".into()),
    }
}

fn with_hints(error: &marula_core::Error) -> String {
    std::iter::once(error.message())
        .chain(error.hints().iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_holds_together() {
        Cli::command().debug_assert();
    }
}
