//! How the results of a command may be compared: which orders are total, what changes from run
//! to run.

mod decide;
mod depends;
mod state;

use bson::{Bson, Document};
use marula_core::DocumentCatalog;
use marula_lab::compare::Comparison;

pub(super) use decide::decided;
use state::State;

use super::pipeline::{is_constant, stage, stages};
use super::shape::number;

/// How results of `command` compare, on the collections of this catalogue.
pub fn comparison(command: &Document, catalog: Option<&DocumentCatalog>) -> Comparison {
    let Some((operation, name)) = command.iter().next() else { return Comparison::Multiset };
    let state = State::of(name.as_str().unwrap_or_default(), catalog);
    match operation.as_str() {
        "find" => {
            let sort = command.get_document("sort").ok();
            let total = sort.is_some_and(|sort| state.is_total(sort));
            let limited = ["limit", "skip"]
                .iter()
                .any(|key| number(command.get(*key)).is_some_and(|n| n != 0));
            match (total, limited) {
                (true, _) => Comparison::Sequence,
                (false, true) => Comparison::Incomparable("limit without a total order".into()),
                (false, false) => Comparison::Multiset,
            }
        }
        "aggregate" => {
            let pipeline = command.get("pipeline").map(stages).unwrap_or_default();
            follow_from(state, &pipeline, 0)
        }
        _ => Comparison::Multiset,
    }
}

/// How what a pipeline over a collection not looked at gives compares.
fn follow(pipeline: &[Document], depth: usize) -> Comparison {
    follow_from(State::new(None), pipeline, depth)
}

fn follow_from(mut state: State, pipeline: &[Document], depth: usize) -> Comparison {
    for document in pipeline {
        if let Err(why) = state.step(document, depth) {
            return Comparison::Incomparable(why);
        }
    }
    if let Some(field) = state.unordered.first() {
        let why = format!("'{field}' hangs on the order documents are read in");
        return Comparison::Incomparable(why);
    }
    if state.total { Comparison::Sequence } else { Comparison::Multiset }
}

/// Whether a pipeline ends in one document, in whatever order it read.
fn is_single(pipeline: &[Document]) -> bool {
    let single = pipeline.iter().rev().find_map(|document| match stage(document) {
        Some(("$count", _)) => Some(true),
        Some(("$group", Bson::Document(group))) => Some(group.get("_id").is_some_and(is_constant)),
        Some(("$project" | "$addFields" | "$set" | "$unset" | "$match", _)) => None,
        _ => Some(false),
    });
    single == Some(true)
}

#[cfg(test)]
mod tests;
