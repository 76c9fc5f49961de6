use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChangeId, MigrationHazard, NodePath};

/// How much a finding matters, lowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Costs little today.
    Low,
    /// Costs a notable share of the time.
    Medium,
    /// Is why the statement is slow, or soon will be.
    High,
}

/// A rule's verdict on a plan and its statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id; `marula rule <id>` prints its page.
    pub rule: String,
    /// How much it matters here.
    pub severity: Severity,
    /// What was found, in one line.
    pub title: String,
    /// Where it was found.
    #[serde(rename = "where")]
    pub place: Place,
    /// The numbers behind it.
    pub evidence: Vec<Evidence>,
    /// Why this is slow, and what the way out is.
    pub explanation: String,
    /// The changes that would mend it, by id.
    pub changes: Vec<ChangeId>,
    /// Of a migration's statement: its lock, its work, and whom it stops.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub hazard: Option<MigrationHazard>,
}

/// Where in the plan, the catalogue or the statement something is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The relation or collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The plan node: child numbers from the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodePath>,
    /// The plan node's operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// The part of the statement, as written or as the engine prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// The file, of what was found in a file of many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// One number, or one word, that a finding rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was measured: `rows removed by filter`.
    pub name: String,
    /// Its value.
    pub value: EvidenceValue,
    /// Its unit, when the name does not say it: `ms`, `kB`, `%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// The value of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EvidenceValue {
    /// A measured or estimated number.
    Number(f64),
    /// A condition, a name, a bound.
    Text(String),
}

impl Evidence {
    /// A number with an optional unit.
    pub fn number(name: &str, value: f64, unit: Option<&str>) -> Self {
        Evidence {
            name: name.into(),
            value: EvidenceValue::Number(value),
            unit: unit.map(Into::into),
        }
    }

    /// A word or an expression.
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Evidence { name: name.into(), value: EvidenceValue::Text(value.into()), unit: None }
    }
}
