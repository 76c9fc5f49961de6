//! What an index is for besides being read, so that it has to stay.

use bson::Bson;
use marula_core::{Collection, DocumentIndex, Json};

use super::{Counted, Why};
use crate::mongodb::index::as_direction;
use crate::mongodb::tune::query::Query;

/// Why an index must stay, whatever else does its work.
pub(super) fn exception(
    index: &DocumentIndex,
    collection: &Collection,
    why: &Why,
    queries: &[Query],
    counted: &Counted,
) -> Option<String> {
    if index.unique {
        return Some("it forbids duplicates".into());
    }
    if index.expire_after_seconds.is_some() {
        return Some("it removes documents by their age (TTL)".into());
    }
    let operator = index.keys.iter().find_map(|(_, kind)| match kind.as_str()? {
        "text" => Some("$text"),
        "2d" | "2dsphere" => Some("$near"),
        _ => None,
    });
    if let Some(operator) = operator {
        return Some(format!("the server refuses statements with {operator} without it"));
    }
    if let Why::Redundant(_) = why
        && let Some(reason) = smaller(index)
    {
        return Some(reason.into());
    }
    let shard = counted.shard_keys.iter().find(|(name, _)| *name == collection.name);
    let paths: Vec<&String> = index.keys.iter().map(|(path, _)| path).collect();
    if shard.is_some_and(|(_, key)| key.iter().zip(&paths).all(|(a, b)| a == *b)) {
        return Some("the collection is sharded by its keys".into());
    }
    let keys = Json::Object(index.keys.iter().cloned().collect());
    let hinted =
        queries.iter().filter(|query| query.command.collection == collection.name).any(|query| {
            match query.hint() {
                Some(Bson::String(name)) => name == index.name,
                Some(hint @ Bson::Document(_)) => hint.into_relaxed_extjson() == keys,
                _ => false,
            }
        });
    hinted.then(|| "a statement of the workload names it in a hint".into())
}

/// What another index that begins with its keys does not do as well.
fn smaller(index: &DocumentIndex) -> Option<&'static str> {
    if index.sparse {
        return Some("it is sparse, and smaller than what takes its place");
    }
    if index.partial.is_some() {
        return Some("it is partial, and smaller than what takes its place");
    }
    if index.collation.is_some() {
        return Some("it has a collation of its own");
    }
    let sorted = index.keys.iter().all(|(_, kind)| as_direction(kind).is_some());
    (!sorted).then_some("it is of another kind than those that are simply sorted")
}
