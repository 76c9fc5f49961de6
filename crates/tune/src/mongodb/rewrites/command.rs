//! The ways to write a command: a pipeline's stages, or the filter of a find or count as if it
//! were the one `$match` of a pipeline.

use bson::{Bson, Document, doc};
use marula_core::{Collection, Version};
use marula_mongodb::{Aggregate, Command, Operation};

use super::{Facts, Rewrite, Rewrites};
use crate::mongodb::pipeline::stage;

/// What can be rewritten of a command.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// What was found and what was declined.
    pub rewrites: Rewrites,
    /// Each rewrite with the whole new command.
    pub commands: Vec<(Rewrite, Command)>,
}

/// Every other way to write `command`, on documents like those of `collection`.
pub fn of_command(
    command: &Command,
    collection: Option<&Collection>,
    version: Version,
) -> Rewritten {
    let unique = unique(collection);
    let facts = Facts {
        schema: collection.and_then(|collection| collection.schema.as_ref()),
        unique: &unique,
        version,
    };
    let pipeline = match &command.operation {
        Operation::Aggregate(aggregate) => aggregate.pipeline.clone(),
        _ => match command.filter().filter(|filter| !filter.is_empty() && !command.writes()) {
            Some(filter) => vec![doc! {"$match": filter.clone()}],
            None => return Rewritten::default(),
        },
    };
    let rewrites = Rewrites::of(&pipeline, facts);
    let all = rewrites.single.iter().chain(&rewrites.combined);
    let commands = all
        .filter_map(|rewrite| {
            let operation = with(&command.operation, &rewrite.pipeline)?;
            Some((rewrite.clone(), Command { operation, ..command.clone() }))
        })
        .collect();
    Rewritten { rewrites, commands }
}

/// The same operation with other stages, or with the filter of the one `$match` they are.
fn with(operation: &Operation, pipeline: &[Document]) -> Option<Operation> {
    if let Operation::Aggregate(aggregate) = operation {
        let pipeline = pipeline.to_vec();
        return Some(Operation::Aggregate(Aggregate { pipeline, ..aggregate.clone() }));
    }
    let [only] = pipeline else { return None };
    let Some(("$match", Bson::Document(filter))) = stage(only) else { return None };
    let mut operation = operation.clone();
    match &mut operation {
        Operation::Find(find) => find.filter.clone_from(filter),
        Operation::Count(count) => count.filter.clone_from(filter),
        Operation::Distinct(distinct) => distinct.filter.clone_from(filter),
        _ => return None,
    }
    Some(operation)
}

/// The sets of paths no two documents share: `_id`, and unique indexes that leave none out.
fn unique(collection: Option<&Collection>) -> Vec<Vec<String>> {
    let indexes = collection.into_iter().flat_map(|collection| &collection.indexes);
    let whole = indexes.filter(|index| index.unique && !index.sparse && index.partial.is_none());
    whole.map(|index| index.keys.iter().map(|(path, _)| path.clone()).collect()).collect()
}
