use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Many members of one entity belong to one member of another.
///
/// What is many-to-many is an entity of its own with two relationships.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// The entity whose members refer: the many.
    pub from: String,
    /// Its attributes that hold the other's key; a file may leave them out where their names tell:
    /// `customer_id` to `customers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The entity that is referred to: the one.
    pub to: String,
    /// What one of the many calls the one: `author`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the one calls the many: `posts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<String>,
    /// How many of the many belong to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fanout: Option<Fanout>,
    /// Whether the one cannot be without at least one of the many: an order without lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least_one: bool,
    /// Whether the many live and die with the one: the lines of an order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owned: bool,
    /// What becomes of the many when the one is deleted; chosen when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delete: Option<OnDelete>,
    /// Whether nobody said so: it was guessed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guess: bool,
}

/// How many belong to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fanout {
    /// The mean over those that are there; 0 in a file: what the volumes say.
    #[serde(default)]
    pub average: f64,
    /// 99 of 100 have no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
    /// The most; absent when nothing bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What becomes of those that refer when what they refer to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The deletion is refused.
    Restrict,
    /// They are deleted, too.
    Cascade,
    /// They refer to nothing from then on.
    SetNull,
}

/// A relationship seen from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// Its index among the model's relationships.
    pub index: usize,
    /// The relationship.
    pub relation: &'a Relationship,
    /// Whether it leads from one of the many to the one.
    pub to_one: bool,
}

impl<'a> Step<'a> {
    /// The relationship from its two ends.
    pub fn both(index: usize, relation: &'a Relationship) -> [Self; 2] {
        [true, false].map(|to_one| Step { index, relation, to_one })
    }

    /// The entity it leads from.
    pub fn from(&self) -> &'a str {
        if self.to_one { &self.relation.from } else { &self.relation.to }
    }

    /// The entity it leads to.
    pub fn to(&self) -> &'a str {
        if self.to_one { &self.relation.to } else { &self.relation.from }
    }

    /// What the entity it leads from calls it.
    pub fn name(&self) -> Option<&'a str> {
        let name = if self.to_one { &self.relation.name } else { &self.relation.inverse };
        name.as_deref()
    }
}
