//! What is to be kept, how much of it, and what is asked of it: the input of every design.
//!
//! A model knows no engine. It is read from a YAML or JSON file whose JSON Schema is made from
//! these types.

mod access;
mod entity;
mod quantity;
mod relationship;
mod work;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::*;
pub use entity::*;
pub use quantity::*;
pub use relationship::*;
pub use work::*;

/// Entities, the relationships between them, and the work done on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What the whole is called; schemas and databases made from it carry the name.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The entity whose members must not see one another's data: the customers of a service
    /// shared by many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A file beside this one that says entities and relations, too: a schema in SQL or DBML, or
    /// data (CSV, JSON, JSON lines, BSON). What is said here of the same entity, attribute or
    /// reference goes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is kept.
    #[serde(default)]
    pub entities: Vec<Entity>,
    /// How the entities hang together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relationship>,
    /// What is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<Query>,
    /// What is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// Which writes happen together or not at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transactions: Vec<Transaction>,
}

impl Model {
    /// The entity called `name`.
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name == name)
    }

    /// Where `step` leads from `entity`: a step is a relationship's name, its name seen from the
    /// other side, or the other entity's name where only one relationship leads there.
    pub fn step(&self, entity: &str, step: &str) -> Option<Step<'_>> {
        let steps = || self.relations.iter().enumerate().flat_map(|(at, r)| Step::both(at, r));
        let from_here = || steps().filter(|s| s.from() == entity);
        if let Some(named) = from_here().find(|s| s.name() == Some(step)) {
            return Some(named);
        }
        let mut leading = from_here().filter(|s| s.to() == step);
        let first = leading.next()?;
        leading.next().is_none().then_some(first)
    }
}
