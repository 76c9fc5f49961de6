//! Where the migrations of a target stand: what is done, half done, still to come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A folder of migrations beside what a target's history says of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migrations {
    /// The folder, as it was named.
    pub folder: String,
    /// Every migration of the folder or the history, in the order in which they run.
    pub list: Vec<MigrationStatus>,
    /// Where folder and history disagree; nothing runs until it is settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// Who migrates at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// One migration and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationStatus {
    /// What it is known by: its version, or `R__name` when it is repeatable.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its file; absent when only the history knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whose conventions it follows.
    pub tool: String,
    /// How far it is.
    pub state: MigrationState,
    /// How many statements or commands it has.
    pub steps: u32,
    /// How many of them are done.
    pub done: u32,
    /// Rows or documents the running backfill has changed so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Whether it has a way back.
    pub reversible: bool,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Who ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The tool whose history said that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_from: Option<String>,
    /// How long it took in this run, in milliseconds; absent when this run did not touch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    /// What would run next, in order: in a plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<PlannedStep>,
}

/// A statement that a plan would run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// The statement or command.
    pub text: String,
    /// The line of its file.
    pub line: usize,
    /// How it runs: `in the file's transaction`, `alone`, `in batches of 1000` …
    pub how: String,
}

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// Nothing of it has run.
    Pending,
    /// Some of its statements have run; `apply` goes on.
    Half,
    /// All of it has run.
    Applied,
    /// Some of its way back has run; `rollback` goes on.
    HalfReverted,
}

/// One thing in which folder and history disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// What sort of disagreement it is.
    pub kind: DriftKind,
    /// The migration's key.
    pub key: String,
    /// Which file, and what is wrong with it.
    pub message: String,
    /// The ways out, each an imperative.
    pub ways: Vec<String>,
}

/// How a folder can disagree with the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// The file was changed after it had run.
    Changed,
    /// It has run, and its file is gone.
    Missing,
    /// It has not run, and something that comes after it has.
    Reordered,
    /// It has run under another version.
    Renumbered,
}
