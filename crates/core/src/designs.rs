//! Designs of a model that were built, filled and measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, LabServer, LeftOut};

/// What `marula design` and `marula choose` measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Designs {
    /// The model's name.
    pub model: String,
    /// What was measured, engine by engine.
    pub engines: Vec<EngineDesigns>,
    /// Which engine serves the model better, when both were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<EngineChoice>,
}

/// The designs of one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineDesigns {
    /// The server they were measured on.
    pub server: LabServer,
    /// Rows of the model that were generated.
    pub rows: u64,
    /// Their share of the model's rows, from 0 to 1.
    pub share: f64,
    /// What the model's rates were multiplied with.
    pub pace: f64,
    /// How long each design was under load, in seconds.
    pub seconds: f64,
    /// The designs, the proposed one first.
    pub candidates: Vec<CandidateDesign>,
    /// Why the first is proposed.
    pub verdict: String,
    /// What became of the rules of thumb.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_of_thumb: Vec<String>,
    /// Queries and writes of the model that were not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Designs and constraints that the server refused, so that the rest was measured without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Something that the server refused and that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetAside {
    /// What it is.
    pub kind: SetAsideKind,
    /// Its name: the design's, or the constraint's with its table or collection.
    pub name: String,
    /// What the server says of it.
    pub reason: String,
}

/// What was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideKind {
    /// A design: it was not measured.
    Design,
    /// A constraint: generated data does not keep it, and the designs were measured without it. The
    /// scripts have it.
    Constraint,
}

/// A design that was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateDesign {
    /// What it does other than keep everything on its own.
    pub name: String,
    /// Why it was measured.
    pub why: String,
    /// Whether it is what the rules of thumb give.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_the_rules: bool,
    /// The time all work of a second takes at the model's rates, one after the other, in
    /// milliseconds: the sum of rate times median.
    pub work_ms: f64,
    /// How sure that is: half the width of its 95 % interval, in milliseconds.
    pub doubt_ms: f64,
    /// What the cost model gave for it before anything was built.
    pub estimated_ms: f64,
    /// Data and indexes on disk, in bytes.
    pub bytes: u64,
    /// The time to fill it and build its indexes, in milliseconds.
    pub filled_ms: f64,
    /// Whether its answers were those of the normalised design (of the first, where that one was set
    /// aside), before and after the same writes; `None` where nothing could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results_equal: Option<bool>,
    /// Goals that were missed.
    pub goals_missed: u32,
    /// Operations a second that were done under load.
    pub done_per_second: f64,
    /// Each operation.
    pub operations: Vec<OperationTimes>,
    /// What makes the design: SQL, or mongosh.
    pub script: String,
    /// What to know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl CandidateDesign {
    /// What a note begins with that says which answer is another.
    pub const DIFFER: &str = "answers differ";

    /// The notes that say which query answers otherwise, and with which rows.
    pub fn differences(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str).filter(|note| note.starts_with(Self::DIFFER))
    }
}

/// How an operation of the model fared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationTimes {
    /// The query's, write's or transaction's name.
    pub name: String,
    /// `query`, `write` or `transaction`.
    pub kind: String,
    /// How often it was to run, per second.
    pub rate: f64,
    /// One run alone: the median, in milliseconds.
    pub alone_ms: f64,
    /// Half the runs under load took no longer, from the moment they were due, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// How many runs were done under load.
    pub runs: u64,
    /// How many of them failed.
    #[serde(default)]
    pub failed: u64,
    /// The time 99 of 100 may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_ms: Option<f64>,
    /// The command or statements of one run, as they were sent.
    pub text: String,
}

/// Which engine serves a model better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineChoice {
    /// The better one; absent when there is no difference beyond the noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Why, with the numbers.
    pub verdict: String,
    /// Whether both gave the same answers.
    pub results_equal: bool,
    /// Operation by operation.
    pub operations: Vec<OperationChoice>,
    /// Where the verdict would turn: at which rate, fan-out or size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossovers: Vec<String>,
    /// What else tells them apart, told from the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualities: Vec<Quality>,
}

/// Which engine serves one operation better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationChoice {
    /// The operation.
    pub name: String,
    /// The better engine; absent when there is no difference beyond the noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// One run alone on PostgreSQL, in milliseconds.
    pub postgres_ms: f64,
    /// One run alone on MongoDB, in milliseconds.
    pub mongodb_ms: f64,
}

/// Something about a model that speaks for one engine or the other, without a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// What it is about: `transactions across entities`.
    pub about: String,
    /// What the model says.
    pub model: String,
    /// What that means on PostgreSQL.
    pub postgres: String,
    /// What that means on MongoDB.
    pub mongodb: String,
}
