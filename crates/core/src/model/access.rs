use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Json;

/// A question asked of a model, in the model's own terms.
///
/// Attributes are named by the steps that lead to them from [`AccessPath::from`]: `status`,
/// `customer.name`, `lines.product.title`. The answer is a set of rows, as a join would give it:
/// what is followed and is not there gives no row, unless it is [`AccessPath::optional`]. The columns
/// of a row are the selected attributes and then the aggregates, each in its order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessPath {
    /// The entity it begins at.
    pub from: String,
    /// The relationships it follows, as dotted steps: `customer`, `lines.product`. Steps that
    /// attributes name are followed without being listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<String>,
    /// Of the steps that are followed, those to what need not be there, as in a left join: a row
    /// comes all the same, in which everything they lead to is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// What must hold, all of it.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Groups of alternatives: of each group at least one condition must hold, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Vec<Condition>>,
    /// The attributes that are wanted; when nothing is said all of `from`'s. With groups each is one
    /// of them, and all of the groups' come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// The attributes whose values make groups, each of which is one row; without aggregates the
    /// rows are the different ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// What is computed over each group, or over all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aggregates: Vec<Aggregate>,
    /// What must hold of a group for it to be a row: conditions whose `attribute` is the name of an
    /// aggregate, and which compare it with a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub having: Vec<Condition>,
    /// The order of the answer. What is missing comes before all that is there, and after it where
    /// the greatest comes first, as in MongoDB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortKey>,
    /// The most rows that are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Something that must hold of an attribute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The attribute, by its steps.
    pub attribute: String,
    /// How it is compared.
    #[serde(default)]
    pub is: Operator,
    /// The number of the parameter it is compared with, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<u32>,
    /// The value it is compared with; for `in` a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// Equal.
    #[default]
    #[serde(rename = "=")]
    Equal,
    /// Not equal, and there.
    #[serde(rename = "<>")]
    NotEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// One of several.
    #[serde(rename = "in")]
    In,
    /// Begins with it.
    #[serde(rename = "starts with")]
    StartsWith,
    /// The list holds it. Of a list, nothing else but being there can be asked.
    #[serde(rename = "contains")]
    Contains,
    /// Has all of these words, whatever their case, as they are written (PostgreSQL's `simple`
    /// configuration).
    #[serde(rename = "matches")]
    Matches,
    /// Not there.
    #[serde(rename = "missing")]
    Missing,
    /// There.
    #[serde(rename = "present")]
    Present,
}

/// A value computed over a group of rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What is computed.
    #[serde(default)]
    pub function: AggregateFunction,
    /// Over which attribute, by its steps; absent: the rows are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// A second attribute each value is multiplied with first: quantity times price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// What the result is called.
    pub name: String,
}

/// What is computed over a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Hash)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFunction {
    /// How many rows, or how many values there are.
    #[default]
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// One key of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortKey {
    /// The attribute by its steps, or an aggregate's name.
    pub by: String,
    /// Whether the greatest comes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
}
