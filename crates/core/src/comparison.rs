//! Two logs side by side: what got slower, faster, new or gone between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Fingerprint, Load, Span};

/// Two digests compared, statement by statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What it is compared with.
    pub before: Side,
    /// What the report is about.
    pub after: Side,
    /// Every statement of either side, the largest change of time first.
    pub statements: Vec<StatementChange>,
}

/// One of the two logs as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The sources' names.
    pub sources: Vec<String>,
    /// From when to when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// All statements together.
    pub totals: Load,
}

/// One statement on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementChange {
    /// The shape's name.
    pub fingerprint: Fingerprint,
    /// The engine.
    pub engine: Engine,
    /// The shape.
    pub shape: String,
    /// What kind: `SELECT`, `find` …
    pub operation: String,
    /// The collection or the relations it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// What became of it.
    pub trend: Trend,
    /// Its load in the earlier log; `None` when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Load>,
    /// Its load in the later log; `None` when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Load>,
    /// How many times the mean run is of the earlier one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_ratio: Option<f64>,
    /// How many times as often it runs, per hour of log where both tell their time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_ratio: Option<f64>,
    /// By how much its time grew, in milliseconds per hour of log; of the whole logs where one
    /// does not tell its time.
    pub growth_ms: f64,
}

/// What became of a statement between two logs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Its runs take longer.
    Slower,
    /// It was not there before.
    New,
    /// It runs more often, as fast as before.
    MoreOften,
    /// Its runs are shorter.
    Faster,
    /// It runs less often, as fast as before.
    LessOften,
    /// It is not there any more.
    Gone,
    /// About as before.
    Same,
}
