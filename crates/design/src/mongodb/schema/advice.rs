use marula_core::model::Model;

use super::{DocumentSize, Pattern, SchemaOptions, ShardKey, patterns, shard_keys, sizes};
use crate::schema::{Duplicate, duplicates};
use crate::structure::{Layout, Structure};

/// What goes with a schema and is no command: how large documents become, which patterns it goes
/// by, what is kept twice, and how it would be sharded.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// For each collection, how large its documents become.
    pub sizes: Vec<DocumentSize>,
    /// The patterns' names, each with where it is used.
    pub patterns: Vec<Pattern>,
    /// What is kept twice, and the writes that keep it in step.
    pub duplicates: Vec<Duplicate>,
    /// For each collection, the key it would be sharded by.
    pub shard_keys: Vec<ShardKey>,
}

/// All there is to say of a structure beside its commands.
pub fn advice(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    options: &SchemaOptions,
) -> Advice {
    Advice {
        sizes: sizes(model, structure, layout),
        patterns: patterns(model, structure, layout, options),
        duplicates: duplicates(model, structure),
        shard_keys: shard_keys(model, structure, layout),
    }
}
