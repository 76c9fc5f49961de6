use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Engine;

/// A short stable name for all statements of one shape: the same over literals and versions.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

/// One query or command in its engine's own language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// The engine whose language it is.
    pub engine: Engine,
    /// The text as it was written: SQL, or mongosh syntax.
    pub text: String,
    /// The shape's name, once computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// Values for `$1`, `$2` …, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

impl Statement {
    /// A statement without parameters or fingerprint.
    pub fn new(engine: Engine, text: impl Into<String>) -> Self {
        Statement { engine, text: text.into(), fingerprint: None, parameters: Vec::new() }
    }
}

/// A value for one of a statement's places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    /// The value in the engine's text form; `None` is NULL.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: ParameterOrigin,
}

/// Where a parameter's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterOrigin {
    /// The user gave it.
    Given,
    /// Taken from the column's statistics.
    Statistics,
    /// Sampled from a log or profile.
    Sampled,
}
