use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How proposals are proved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProveMode {
    /// On a copy of the data in a throw-away server.
    #[default]
    Lab,
    /// With hypothetical indexes on the target: costs, not times.
    WhatIf,
    /// Not at all.
    Off,
}

/// What the user asked of `explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainOptions {
    /// The time the statement may take, in milliseconds.
    pub goal_ms: Option<f64>,
    /// How proposals are proved.
    pub prove: ProveMode,
    /// Whether the statement may run on the target itself to see actual numbers; set for lab
    /// targets. Otherwise it runs on the lab's copy.
    pub analyze: bool,
    /// How long one run may take before it is cancelled on the server.
    pub timeout: Duration,
    /// Values for `$1`, `$2` … in text form; `None` is NULL. What is missing comes from
    /// statistics.
    pub parameters: Vec<Option<String>>,
    /// The most proposals that are proved one by one; the rest stay `not tried`.
    pub max_proofs: usize,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        ExplainOptions {
            goal_ms: None,
            prove: ProveMode::Lab,
            analyze: false,
            timeout: Duration::from_secs(60),
            parameters: Vec::new(),
            max_proofs: 8,
        }
    }
}
