use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Proof};

/// Names a change inside one report: `c1`, `c2` …
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ChangeId(pub String);

/// What sort of change it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An index is made or dropped.
    Index,
    /// The statement is written another way.
    Rewrite,
    /// Planner statistics are gathered or added.
    Statistics,
    /// Upkeep such as VACUUM.
    Maintenance,
    /// A setting of the server, the session or the role.
    Setting,
    /// Any other change of the schema.
    Ddl,
    /// Rights are given or taken.
    Grant,
}

/// Something to do, and the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its name inside the report.
    pub id: ChangeId,
    /// What sort it is.
    pub kind: ChangeKind,
    /// The engine it is for.
    pub engine: Engine,
    /// What it does, in one line.
    pub title: String,
    /// The relation or collection it touches, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// What to run, in order. For a rewrite: the new statement.
    pub up: Vec<String>,
    /// What takes it back, in order. For a rewrite: the old statement; empty where nothing
    /// needs to be taken back (statistics).
    pub down: Vec<String>,
    /// What to mind when it is done on a live server: locks, time, writes that get dearer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<String>,
    /// What was checked, in the catalogue or the data, so that it is safe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// What was measured.
    pub proof: Proof,
}

/// Changes that are best made together, and what they gain together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Combination {
    /// The changes, in the order in which to make them.
    pub changes: Vec<ChangeId>,
    /// The statement to run afterwards, when a rewrite is among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What was measured with all of them in place.
    pub proof: Proof,
}
