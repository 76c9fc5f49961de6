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

impl Advice {
    /// All of it in words, a line each, but for what is kept twice, which the schema's notes say.
    pub fn to_lines(&self) -> Vec<String> {
        let sizes = self.sizes.iter().map(|size| {
            let most = size
                .maximum
                .map_or("without bound".into(), |most| format!("{} at most", bytes(most)));
            format!(
                "a document of {}: {} on average, {} at p99, {most} (the limit is 16 MB)",
                size.store,
                bytes(size.average),
                bytes(size.p99)
            )
        });
        let patterns = self
            .patterns
            .iter()
            .map(|one| format!("pattern {}: {} ({})", one.name, one.place, one.why));
        let keys = self.shard_keys.iter();
        let keys = keys.map(|key| format!("to shard: {} ({})", key.to_shell("DATABASE"), key.why));
        sizes.chain(patterns).chain(keys).collect()
    }
}

fn bytes(number: f64) -> String {
    match number {
        small if small < 1e4 => format!("{small:.0} bytes"),
        some if some < 1e6 => format!("{:.0} kB", some / 1e3),
        many => format!("{:.1} MB", many / 1e6),
    }
}
