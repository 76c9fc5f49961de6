//! How the results of a command may be compared: which orders are total, what changes from run
//! to run.

use std::collections::BTreeSet;

use bson::{Bson, Document};
use marula_core::Collection;
use marula_lab::compare::Comparison;

use super::is_random;
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::{effect, overlap, stage, stages, unwind_path};

/// How results of `command` compare, on a collection with these indexes.
pub fn comparison(command: &Document, collection: Option<&Collection>) -> Comparison {
    let Some((operation, _)) = command.iter().next() else { return Comparison::Multiset };
    match operation.as_str() {
        "find" => {
            let sort = command.get_document("sort").ok();
            let total = sort.is_some_and(|sort| is_total(sort, collection));
            let limited = ["limit", "skip"].iter().any(|key| {
                crate::mongodb::shape::number(command.get(*key)).is_some_and(|n| n != 0)
            });
            match (total, limited) {
                (true, _) => Comparison::Sequence,
                (false, true) => Comparison::Incomparable("limit without a total order".into()),
                (false, false) => Comparison::Multiset,
            }
        }
        "aggregate" => {
            let pipeline = command.get("pipeline").map(stages).unwrap_or_default();
            follow(&pipeline, collection, 0)
        }
        _ => Comparison::Multiset,
    }
}

/// What is known of the documents between two stages.
struct State<'a> {
    /// Whether their order is total.
    total: bool,
    /// Sets of paths that tell every document from all others.
    unique: Vec<BTreeSet<String>>,
    /// Fields whose value hangs on the order documents came in.
    unordered: BTreeSet<String>,
    collection: Option<&'a Collection>,
}

fn follow(pipeline: &[Document], collection: Option<&Collection>, depth: usize) -> Comparison {
    let incomparable = |why: String| Comparison::Incomparable(why);
    let mut state =
        State { total: false, unique: unique(collection), unordered: BTreeSet::new(), collection };
    for document in pipeline {
        let Some((name, value)) = stage(document) else { continue };
        if name == "$sample" || is_random(value) {
            return incomparable(format!("{name} chooses at random"));
        }
        if !state.unordered.is_empty() {
            settle(document, &mut state);
        }
        match (name, value) {
            ("$lookup", Bson::Document(lookup)) => {
                let effect = effect(document);
                state.unique.retain(|set| !set.iter().any(|path| effect.writes.touches(path)));
                if let (true, Ok(made)) =
                    (lookup_hangs_on_order(lookup, collection, depth), lookup.get_str("as"))
                {
                    state.unordered.insert(made.to_string());
                }
            }
            ("$sort", Bson::Document(keys)) => {
                let paths: BTreeSet<&str> = keys.keys().map(|key| key.as_str()).collect();
                state.total = state
                    .unique
                    .iter()
                    .any(|set| set.iter().all(|path| paths.contains(path.as_str())));
            }
            ("$limit" | "$skip", _) if !state.total && !at_most_one(&state) => {
                return incomparable(format!("{name} without a total order"));
            }
            ("$unwind" | "$unionWith" | "$densify", _) => {
                if let ("$unionWith", Bson::Document(union)) = (name, value)
                    && let Some(Bson::Array(_)) = union.get("pipeline")
                    && depth < 10
                    && let Comparison::Incomparable(why) =
                        follow(&stages(&union["pipeline"]), None, depth + 1)
                {
                    return incomparable(format!("in the pipeline of $unionWith: {why}"));
                }
                // Each element is a document now; only its number still tells the order.
                if name == "$unwind"
                    && value.as_document().is_none_or(|d| !d.contains_key("includeArrayIndex"))
                    && let Some(path) = unwind_path(value)
                {
                    state.unordered.remove(path);
                }
                state.total = false;
                state.unique.clear();
            }
            ("$group" | "$bucket" | "$bucketAuto", Bson::Document(group)) => {
                let fields = group.get_document("output").unwrap_or(group);
                let taken = fields
                    .iter()
                    .filter(|(_, value)| state.unordered.iter().any(|field| uses(value, field)));
                let taken: Vec<String> = taken.map(|(field, _)| field.to_string()).collect();
                state.unordered = order_dependent(group, state.total);
                state.unordered.extend(taken);
                state.total = false;
                // A constant key makes one document, in any order.
                let constant = name == "$group"
                    && group.get("_id").is_some_and(crate::mongodb::pipeline::is_constant);
                state.unique = vec![match constant {
                    true => BTreeSet::new(),
                    false => BTreeSet::from(["_id".to_string()]),
                }];
            }
            ("$sortByCount", _) => {
                state.total = false;
                state.unique = vec![BTreeSet::from(["_id".to_string()])];
            }
            ("$count", _) => {
                state.unique = vec![BTreeSet::new()];
                state.unordered.clear();
            }
            ("$unset", _) => {
                let writes = effect(document).writes;
                state.unordered.retain(|field| !writes.named.contains(field));
                state.unique.retain(|set| !set.iter().any(|path| writes.touches(path)));
            }
            ("$facet", Bson::Document(branches)) if depth < 10 => {
                for (name, branch) in branches {
                    match follow_branch(&stages(branch), &state, depth + 1) {
                        Ok(()) => {}
                        Err(why) => {
                            return incomparable(format!("branch '{name}' of $facet: {why}"));
                        }
                    }
                }
                state.unique = vec![BTreeSet::new()];
                state.total = false;
            }
            _ => {
                let effect = effect(document);
                state
                    .unique
                    .retain(|set| !set.iter().any(|path| kept_not(document, &effect, path)));
            }
        }
    }
    if let Some(field) = state.unordered.first() {
        return incomparable(format!("'{field}' hangs on the order documents are read in"));
    }
    if state.total { Comparison::Sequence } else { Comparison::Multiset }
}

/// Whether the array a `$lookup` makes hangs on the order its collection is read in: it looks
/// for several values at once, or its pipeline takes some of many in no total order.
fn lookup_hangs_on_order(lookup: &Document, collection: Option<&Collection>, depth: usize) -> bool {
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    let several = lookup.get_str("localField").is_ok_and(|path| array_in(path, schema).is_some());
    let inner = lookup.get("pipeline").map(stages).unwrap_or_default();
    let picked =
        depth < 10 && matches!(follow(&inner, None, depth + 1), Comparison::Incomparable(_));
    several || picked
}

/// The array of a branch compares only in order.
fn follow_branch(branch: &[Document], state: &State, depth: usize) -> Result<(), String> {
    match follow(branch, state.collection, depth) {
        Comparison::Sequence => Ok(()),
        Comparison::Incomparable(why) => Err(why),
        Comparison::Multiset => {
            let single = branch.iter().rev().find_map(|document| match stage(document) {
                Some(("$count", _)) => Some(true),
                Some(("$group", Bson::Document(group))) => {
                    Some(group.get("_id").is_some_and(crate::mongodb::pipeline::is_constant))
                }
                Some(("$project" | "$addFields" | "$set" | "$unset" | "$match", _)) => None,
                _ => Some(false),
            });
            match single {
                Some(true) => Ok(()),
                _ => Err("its documents have no total order".into()),
            }
        }
    }
}

fn at_most_one(state: &State) -> bool {
    state.unique.iter().any(BTreeSet::is_empty)
}

fn kept_not(document: &Document, effect: &crate::mongodb::pipeline::Effect, path: &str) -> bool {
    if !effect.replaces {
        return effect.writes.touches(path);
    }
    // An inclusive $project hands on what it names as it is, and _id unless told otherwise.
    let Some(("$project", Bson::Document(fields))) = stage(document) else { return true };
    match fields.get(path) {
        Some(Bson::Boolean(kept)) => !kept,
        Some(value) => crate::mongodb::shape::number(Some(value)) != Some(1),
        None => path != "_id",
    }
}

/// Accumulators whose value hangs on the order of their input.
fn order_dependent(group: &Document, total: bool) -> BTreeSet<String> {
    let always = ["$addToSet"];
    let ordered =
        ["$first", "$last", "$push", "$firstN", "$lastN", "$mergeObjects", "$concatArrays"];
    let fields = group.get_document("output").unwrap_or(group);
    fields
        .iter()
        .filter(|(_, value)| {
            value.as_document().and_then(|d| d.keys().next()).is_some_and(|operator| {
                always.contains(&operator.as_str())
                    || (!total && ordered.contains(&operator.as_str()))
            })
        })
        .map(|(field, _)| field.to_string())
        .collect()
}

/// A field whose order does not matter is settled when only its `$size` is taken from it.
fn settle(document: &Document, state: &mut State) {
    let Some((name, Bson::Document(fields))) = stage(document) else { return };
    if !matches!(name, "$project" | "$addFields" | "$set") {
        return;
    }
    let replaces = effect(document).replaces;
    let mut next = BTreeSet::new();
    for field in &state.unordered {
        let named = fields.iter().find(|(path, _)| overlap(path, field));
        let overwritten = named.is_some_and(|(_, value)| !uses(value, field) && !is_flag(value));
        let dropped = match named {
            None => replaces,
            Some((_, value)) => {
                matches!(value, Bson::Boolean(false))
                    || crate::mongodb::shape::number(Some(value)) == Some(0)
            }
        };
        if !(overwritten || dropped) {
            next.insert(field.clone());
        }
        next.extend(
            fields.iter().filter(|(_, value)| uses(value, field)).map(|(path, _)| path.to_string()),
        );
    }
    state.unordered = next;
}

fn is_flag(value: &Bson) -> bool {
    matches!(value, Bson::Boolean(_) | Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_))
}

/// Whether an expression takes more of `field` than its size.
fn uses(expression: &Bson, field: &str) -> bool {
    let mut open = vec![expression];
    while let Some(part) = open.pop() {
        match part {
            Bson::String(text) => {
                let path = text.strip_prefix("$$ROOT.").or_else(|| text.strip_prefix('$'));
                if text == "$$ROOT" || path.is_some_and(|path| overlap(path, field)) {
                    return true;
                }
            }
            Bson::Document(document) => {
                let size = document.len() == 1
                    && document
                        .get_str("$size")
                        .is_ok_and(|path| path.strip_prefix('$') == Some(field));
                if !size {
                    open.extend(document.values());
                }
            }
            Bson::Array(parts) => open.extend(parts),
            _ => {}
        }
    }
    false
}

/// The sets of paths no two documents share: `_id`, and unique indexes that leave none out.
fn unique(collection: Option<&Collection>) -> Vec<BTreeSet<String>> {
    let mut found = vec![BTreeSet::from(["_id".to_string()])];
    let indexes = collection.into_iter().flat_map(|collection| &collection.indexes);
    for index in indexes.filter(|i| i.unique && !i.sparse && i.partial.is_none()) {
        found.push(index.keys.iter().map(|(path, _)| path.clone()).collect());
    }
    found
}

fn is_total(sort: &Document, collection: Option<&Collection>) -> bool {
    unique(collection).iter().any(|set| set.iter().all(|path| sort.contains_key(path)))
}

#[cfg(test)]
mod tests;
