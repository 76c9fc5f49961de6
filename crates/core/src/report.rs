use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Change, Combination, Comparison, Designs, Digest, Failure, Finding, Json, Measurement,
    Migrations, Plan, Rehearsal, SchemaDifference, Statement, Target, Tuning,
};

/// The version of the report's JSON form. A field may be added under the same number; one that
/// is renamed, removed or changes its meaning raises it.
pub const SCHEMA_VERSION: &str = "1";

/// The envelope every command returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// The command that made it: `explain`, `inspect`, `logs`.
    pub command: String,
    /// Where it looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The statement it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// How the statement runs today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measurement>,
    /// What was found, what matters most first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What to do about it.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The best set of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Combination>,
    /// The goal the user named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How the server runs the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What the target holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Catalog>,
    /// What the logs say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How the logs differ from other logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What tuning a whole workload came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// What rehearsing migrations came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// Where the migrations of the target stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<Migrations>,
    /// How two schemas differ, and the migrations that lead from one to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_difference: Option<SchemaDifference>,
    /// Designs of a model that were built and measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designs: Option<Designs>,
    /// What a command returns that no other does (labs, found servers), by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// What the reader should know about how this came about: guesses made, limits met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What ended the work before its end, such as a server that died; what is said here was found
    /// until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Report {
    /// An empty report of `command`.
    pub fn new(command: &str) -> Self {
        Report {
            schema_version: SCHEMA_VERSION.into(),
            command: command.into(),
            target: None,
            statement: None,
            measured: None,
            findings: Vec::new(),
            changes: Vec::new(),
            best: None,
            goal: None,
            plan: None,
            catalog: None,
            digest: None,
            comparison: None,
            tuning: None,
            schema_difference: None,
            rehearsal: None,
            migrations: None,
            designs: None,
            data: None,
            notes: Vec::new(),
            failure: None,
        }
    }
}

/// A time to stay under.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goal {
    /// The limit, in milliseconds.
    pub ms: f64,
    /// Whether the best set of changes meets it; `None` when nothing was measured.
    pub met: Option<bool>,
}
