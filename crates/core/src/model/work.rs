use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccessPath, Rate, Skew};
use crate::Json;

/// Something that is read again and again. It is said in SQL over the entities, or as a path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What it is called: `orders_of_customer`.
    pub name: String,
    /// One SELECT over the entities as if each were a table, with `$1`, `$2` … for what changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The same as a path through the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessPath>,
    /// How often it runs.
    #[serde(default)]
    pub rate: Rate,
    /// The time 99 of 100 runs may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Where the parameters come from, the first for `$1`. One that is not said is taken from the
    /// attribute it is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Draw>,
}

/// Where a parameter's values come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The attribute of the entity whose values are drawn: `orders.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Which members are drawn more often.
    #[serde(default, skip_serializing_if = "Skew::is_uniform")]
    pub skew: Skew,
    /// Always this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// Something that is written again and again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// What it is called: `place_order`.
    pub name: String,
    /// What is done.
    #[serde(default)]
    pub does: Deed,
    /// To which entity.
    pub entity: String,
    /// The attributes an update sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// The attributes an update adds to: counters, balances, stocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub increment: Vec<String>,
    /// The attributes that find what is updated or deleted; the key when nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Owned entities whose members an insert brings along, as many as the fan-out says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// How often it happens.
    #[serde(default)]
    pub rate: Rate,
    /// The time 99 of 100 may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Which members are written more often.
    #[serde(default, skip_serializing_if = "Skew::is_uniform")]
    pub skew: Skew,
}

/// What a write does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Adds members.
    #[default]
    Insert,
    /// Changes members.
    Update,
    /// Takes members away.
    Delete,
}

/// Writes that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What it is called.
    pub name: String,
    /// The names of the writes, in order. Their own rates do not count those done here.
    pub writes: Vec<String>,
    /// How often it happens.
    #[serde(default)]
    pub rate: Rate,
}
