use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Plan, Version};

/// What came of trying a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Measured to help, with equal results.
    Proven,
    /// Measured not to help, or to change the results.
    Refuted,
    /// Tried, but the measurement does not decide.
    Inconclusive,
    /// Not tried; the reason says why.
    NotTried,
}

/// What was measured for a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// What came of it.
    pub verdict: Verdict,
    /// Why the verdict is what it is, in a sentence for people.
    pub reason: String,
    /// The data it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Dataset>,
    /// The server it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<LabServer>,
    /// Without the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Measurement>,
    /// With the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Measurement>,
    /// How many times faster: the median over the pairs of before / after. When the run before
    /// was cancelled it is a lower bound, and `before.timed_out` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speedup: Option<f64>,
    /// Whether both gave the same rows or documents; `None` where they could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_equal: Option<bool>,
    /// What building the change took, when it builds something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

impl Proof {
    /// A proof that was not tried, with the reason.
    pub fn not_tried(reason: impl Into<String>) -> Self {
        Proof::bare(Verdict::NotTried, reason)
    }

    /// A proof of which only the verdict and its reason are known.
    pub fn bare(verdict: Verdict, reason: impl Into<String>) -> Self {
        Proof {
            verdict,
            reason: reason.into(),
            dataset: None,
            server: None,
            before: None,
            after: None,
            speedup: None,
            results_equal: None,
            build: None,
        }
    }
}

/// How deep the data of a measurement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// All rows of what the statement touches, copied to the lab.
    Full,
    /// A sample in which every foreign key still finds its row.
    Sample,
    /// Generated data.
    Synthetic,
    /// The planner's statistics without rows.
    Statistics,
    /// Hypothetical indexes: costs, not times.
    WhatIf,
}

/// The data a measurement was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dataset {
    /// How deep it goes.
    pub depth: Depth,
    /// The share of the target's rows, from 0 to 1.
    pub share: f64,
    /// Rows or documents in it.
    pub rows: u64,
}

/// The server a measurement was made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabServer {
    /// Its engine.
    pub engine: Engine,
    /// Its version.
    pub version: Version,
}

/// One side of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The median time of a run with its results fetched, in milliseconds. In a what-if: `None`.
    pub ms: Option<f64>,
    /// How many runs the median is over.
    pub runs: u32,
    /// Buffers (PostgreSQL) or documents (MongoDB) read by one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// The planner's cost, when that is all there is (what-if).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Whether the run was cancelled at the time limit; then `ms` is that limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// The plan of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Plan>>,
}

/// What building a change took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Build {
    /// Time to build, in milliseconds.
    pub ms: f64,
    /// Size on disk, in bytes.
    pub bytes: u64,
}
