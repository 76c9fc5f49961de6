use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChangeId, Measurement, Statement};

/// What tuning a whole workload came to. The picked changes themselves, with their proofs, are in
/// the report's `changes`, in the order of what they gain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// Every statement that was measured, the one that takes most of the workload's time first.
    pub statements: Vec<TunedStatement>,
    /// The whole workload as it stands: calls times the time of one run, in milliseconds.
    /// Statements that do not finish count with the limit.
    pub before_ms: f64,
    /// The same with all picked changes.
    pub after_ms: f64,
    /// What each picked change gains, in the order of the report's `changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picked: Vec<Picked>,
    /// What was tried and turned down, what promised most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turned_down: Vec<TurnedDown>,
    /// Statements of the workload nothing was measured for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What the picked changes cost those who write, by table or collection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<WriteCost>,
    /// What indexes take on disk.
    pub storage: Storage,
    /// What the search did.
    pub effort: Effort,
    /// Whether it was interrupted: then what is said here is the best set proved until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// One statement of a workload, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TunedStatement {
    /// The statement, with the parameters it was run with.
    pub statement: Statement,
    /// How often it runs in the observed time.
    pub calls: u64,
    /// Its share of the workload's time as it stands, from 0 to 1.
    pub share: f64,
    /// One run as things stand; without a time where the server refuses it for want of an index.
    pub before: Measurement,
    /// One run with all picked changes.
    pub after: Measurement,
    /// The picked changes it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ChangeId>,
    /// Whether both gave the same rows or documents; `None` where they could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_equal: Option<bool>,
    /// The time one run may take, in milliseconds, and whether it does now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<crate::Goal>,
}

/// What a picked change is worth to the workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Picked {
    /// The change.
    pub change: ChangeId,
    /// How much longer the workload takes without it, all other picked changes in place, in
    /// milliseconds.
    pub gain_ms: f64,
    /// How many statements use it.
    pub statements: u32,
}

/// Something that was tried, and is not proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnedDown {
    /// What it would have done, in one line.
    pub title: String,
    /// What would have been run.
    pub up: Vec<String>,
    /// Why it is not proposed, with the numbers.
    pub reason: String,
    /// Its real size in bytes, when it was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A statement that took no part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Its text.
    pub statement: String,
    /// How often it runs in the observed time.
    pub calls: u64,
    /// Why: it failed, reads another database's table, needs an extension the lab lacks …
    pub reason: String,
}

/// What the picked changes cost those who write to a table or collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WriteCost {
    /// The table or collection.
    pub relation: String,
    /// What was measured: `INSERT`, `UPDATE`, `DELETE`.
    pub operation: String,
    /// The writing statement.
    pub statement: String,
    /// How often it runs in the observed time.
    pub calls: u64,
    /// Statements a second one connection does, before.
    pub before_per_second: f64,
    /// The same with the picked changes.
    pub after_per_second: f64,
    /// The share of updates that touched no index (PostgreSQL's HOT), before: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hot_before: Option<f64>,
    /// The same with the picked changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hot_after: Option<f64>,
}

/// What indexes take on disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Storage {
    /// What new indexes may take together, when there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// The picked new indexes, as they were really built.
    pub added: u64,
    /// What the picked drops give back.
    pub freed: u64,
    /// All indexes of the touched tables or collections as things stand.
    pub existing: u64,
}

/// What the search did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effort {
    /// Changes that were thought of.
    pub candidates: u32,
    /// Plans the server was asked for without running them.
    pub plans: u32,
    /// Indexes that were really built.
    pub built: u32,
    /// Runs of statements.
    pub runs: u32,
    /// Time spent running statements, in milliseconds.
    pub run_ms: f64,
    /// Time spent on all, from the first question to the report, in milliseconds.
    pub total_ms: f64,
}
