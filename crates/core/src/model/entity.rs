use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Growth};
use crate::Json;

/// One kind of thing that is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its name, as a table or collection would be called: `order_lines`.
    pub name: String,
    /// What it is, in a sentence; becomes a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is known of each member.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// The attributes that tell members apart; `[id]` where an attribute `id` is there and
    /// nothing else is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Further sets of attributes no two members share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Vec<String>>,
    /// Conditions over a member's attributes that always hold, as SQL expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// How many members there are.
    #[serde(default)]
    pub rows: Count,
    /// How fast their number grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// Whether members are only ever added: events, measurements, a ledger's entries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub append_only: bool,
    /// After how many days a member may be deleted or put away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// The attribute that says what kind of member it is, where kinds differ in what is known of
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether nobody said so: it was guessed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guess: bool,
}

impl Entity {
    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The attributes that tell members apart: [`Entity::key`], or `id` where that is empty.
    pub fn key(&self) -> Vec<&str> {
        match self.key.is_empty() {
            true => self.attribute("id").map(|id| id.name.as_str()).into_iter().collect(),
            false => self.key.iter().map(String::as_str).collect(),
        }
    }
}

/// One thing known of each member of an entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name: `unit_price`.
    pub name: String,
    /// What kind of value it holds. When a file does not say it: that of the key it refers to, or
    /// text.
    #[serde(default, rename = "type")]
    pub kind: AttributeType,
    /// What it is, in a sentence; becomes a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether every member has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether no two members share its value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// The most characters a text has, when there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// How many characters or bytes it has on average: text, binary and open documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_length: Option<u32>,
    /// Digits in all of a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u32>,
    /// Digits after the point of a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// The values of an enumeration, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What a list holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<AttributeType>,
    /// How long a list is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<super::Fanout>,
    /// The value a new member gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
    /// The least value there may be: a rule, which the schema enforces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value there may be: a rule, which the schema enforces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Between which numbers its values usually lie: no rule, but what synthetic data is drawn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Span>,
    /// How many different values there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Count>,
    /// The share of members that lack it, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
    /// How often its values repeat.
    #[serde(default, skip_serializing_if = "Skew::is_uniform")]
    pub skew: Skew,
    /// How people look for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// Whether nobody said so: it was guessed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guess: bool,
}

/// From one number to another, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Attribute {
    /// What kind of value it holds, or, of a list, each of its values.
    pub fn element(&self) -> AttributeType {
        match self.kind {
            AttributeType::List => self.of.unwrap_or_default(),
            kind => kind,
        }
    }
}

/// What kind of value an attribute holds.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// A number without meaning that the database gives out, and a reference to one.
    Id,
    /// A random 128-bit name, and a reference to one.
    Uuid,
    /// A 128-bit name that grows with time (version 7), and a reference to one.
    UuidV7,
    /// A whole number.
    Integer,
    /// An exact number with a fraction.
    Decimal,
    /// An amount of money.
    Money,
    /// A measured number, not exact.
    Float,
    /// Yes or no.
    Boolean,
    /// Text.
    #[default]
    Text,
    /// One of few named values.
    Enumeration,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    Timestamp,
    /// A length of time.
    Duration,
    /// Bytes.
    Binary,
    /// A part whose fields differ from member to member.
    Json,
    /// A place on the earth: longitude and latitude.
    Point,
    /// From one day to another.
    DateRange,
    /// From one moment to another.
    TimestampRange,
    /// From one number to another.
    NumberRange,
    /// Several values of one kind.
    List,
}

/// How often values repeat, or which members are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skew {
    /// All alike.
    #[default]
    Uniform,
    /// A few very often, most seldom.
    Zipf,
    /// Those added last most often.
    Latest,
}

impl Skew {
    /// Whether all are alike: what is not written out.
    pub fn is_uniform(&self) -> bool {
        *self == Skew::Uniform
    }
}

/// How people look for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// By words in it.
    Words,
    /// By any part of it, or with typing mistakes.
    Part,
    /// By its beginning.
    Prefix,
}
