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

/// A server serves so many bytes of documents well: what MongoDB advises to shard from on.
const ONE_SERVER: f64 = 200e9;

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
        shard_keys: shard_keys(model, structure, layout, options),
    }
}

impl Advice {
    /// All of it in words, a line each, but for what is kept twice, which the schema's notes say.
    pub fn to_lines(&self) -> Vec<String> {
        let sizes = self.sizes.iter().map(|size| {
            let (most, taken) = match size.maximum {
                None => ("without bound".into(), String::new()),
                Some(most) => (format!("{} at most", bytes(most)), assumed(&size.assumed)),
            };
            format!(
                "a document of {}: {} on average, {} at p99, {most} (the limit is 16 MB){taken}",
                size.store,
                bytes(size.average),
                bytes(size.p99)
            )
        });
        let patterns = self
            .patterns
            .iter()
            .map(|one| format!("pattern {}: {} ({})", one.name, one.place, one.why));
        // What is small is of no use on several servers.
        let all: f64 = self.shard_keys.iter().map(|key| key.bytes_in_a_year).sum();
        let head = (all < ONE_SERVER).then(|| {
            format!(
                "nothing has to be sharded: in a year's time the documents take {} in all; the keys \
                 below are for the day that it must be",
                bytes(all)
            )
        });
        let large = self.shard_keys.iter().filter(move |key| key.bytes_in_a_year >= all * 0.02);
        let keys = large.map(|key| format!("to shard: {} ({})", key.to_shell("DATABASE"), key.why));
        let keys = head.into_iter().chain(keys);
        sizes.chain(patterns).chain(keys).collect()
    }
}

/// What a largest size takes for granted.
fn assumed(open: &[String]) -> String {
    let what = match open {
        [] => return String::new(),
        [first, second, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second} or {} others", rest.len())
        }
        few => few.join(" or "),
    };
    format!(", if no {what} is longer than ten times the average: max_length would limit it")
}

fn bytes(number: f64) -> String {
    match number {
        small if small < 1e4 => format!("{small:.0} bytes"),
        some if some < 1e6 => format!("{:.0} kB", some / 1e3),
        many if many < 1e9 => format!("{:.1} MB", many / 1e6),
        huge => format!("{:.0} GB", huge / 1e9),
    }
}
