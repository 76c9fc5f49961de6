use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Parameter, Statement};

/// Statements with how often they run and how long they take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// The engine all statements belong to.
    pub engine: Engine,
    /// The statements, most expensive first.
    pub statements: Vec<WeightedStatement>,
}

/// One statement's weight in a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WeightedStatement {
    /// The statement.
    pub statement: Statement,
    /// How often it ran in the observed time.
    pub calls: u64,
    /// All its runs together, in milliseconds, when observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<f64>,
    /// The time one run may take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_ms: Option<f64>,
    /// Parameter sets seen in real runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Vec<Parameter>>,
}
