use std::path::PathBuf;
use std::time::Duration;

use marula_core::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to read and what to tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Request {
    /// Files and folders, any mix of formats and compressions; `-` is standard input.
    pub inputs: Vec<PathBuf>,
    /// PostgreSQL's `log_line_prefix` when it is not to be detected.
    pub prefix: Option<String>,
    /// What to leave out.
    pub filter: Filter,
    /// The order of the statements.
    pub sort: SortBy,
    /// The most statements to tell of.
    pub top: usize,
    /// Threads that read; 0 takes one a core.
    pub threads: usize,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            inputs: Vec::new(),
            prefix: None,
            filter: Filter::default(),
            sort: SortBy::default(),
            top: 20,
            threads: 0,
        }
    }
}

/// What a run must be to be counted. Every part that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Filter {
    /// At or after this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// In one of these databases.
    pub databases: Vec<String>,
    /// By one of these users.
    pub users: Vec<String>,
    /// From one of these applications.
    pub applications: Vec<String>,
    /// Not by this program: what it asks a server to read its log is not the server's work.
    pub not_own: bool,
    /// The statement's text holds this, without regard to case.
    pub text: Option<String>,
    /// At least this long.
    pub min_duration: Option<Duration>,
}

/// What the statements are ordered by, largest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SortBy {
    /// The time of all runs.
    #[default]
    Total,
    /// The mean time of a run.
    Mean,
    /// The 99th percentile.
    P99,
    /// How often.
    Calls,
    /// Documents or buffers read; temporary bytes where there are none.
    Reads,
}
