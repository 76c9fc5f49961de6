//! What of a document hangs on the order other documents came in.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use super::state::State;
use crate::mongodb::pipeline::{Effect, effect, expression_paths, overlap, stage};
use crate::mongodb::shape::number;

/// Whether what stands at `path` is another after a stage.
pub(super) fn kept_not(document: &Document, effect: &Effect, path: &str) -> bool {
    if !effect.replaces {
        return effect.writes.touches(path);
    }
    // An inclusive $project hands on what it names as it is, and _id unless told otherwise.
    let Some(("$project", Bson::Document(fields))) = stage(document) else { return true };
    match fields.get(path) {
        Some(Bson::Boolean(kept)) => !kept,
        Some(value) => number(Some(value)) != Some(1),
        None => path != "_id",
    }
}

/// Accumulators whose value hangs on the order of their input.
pub(super) fn order_dependent(group: &Document, state: &State) -> BTreeSet<String> {
    let fields = group.get_document("output").unwrap_or(group);
    let depends = |value: &Bson| {
        let given = value.as_document().and_then(|document| document.iter().next());
        given.is_some_and(|(operator, given)| match operator.as_str() {
            "$addToSet" => true,
            operator if in_order(operator) => !state.total,
            "$top" | "$topN" | "$bottom" | "$bottomN" => {
                let sort = given.as_document().and_then(|given| given.get_document("sortBy").ok());
                sort.is_some_and(|sort| !state.is_total(sort))
            }
            _ => false,
        })
    };
    fields.iter().filter(|(_, value)| depends(value)).map(|(field, _)| field.to_string()).collect()
}

/// Whether an accumulator takes documents as they come.
pub(super) fn in_order(operator: &str) -> bool {
    matches!(
        operator,
        "$first" | "$last" | "$push" | "$firstN" | "$lastN" | "$mergeObjects" | "$concatArrays"
    )
}

/// Outputs of `$setWindowFields` that change when documents that tie in its order change places.
pub(super) fn tied_outputs(window: &Document, state: &State) -> Vec<String> {
    let mut decided: BTreeSet<String> =
        window.get("partitionBy").map(expression_paths).unwrap_or_default().named;
    let keys = window.get_document("sortBy").ok();
    decided.extend(keys.into_iter().flat_map(|keys| keys.keys().map(|key| key.to_string())));
    if state.unique.iter().any(|set| set.is_subset(&decided)) {
        return Vec::new();
    }
    let output = window.get_document("output").ok();
    let tied = output.into_iter().flatten().filter(|(_, value)| {
        let Some(value) = value.as_document() else { return false };
        let unbounded = Bson::from("unbounded");
        let documents = value.get_document("window").and_then(|w| w.get_array("documents"));
        let part = documents.is_ok_and(|bounds| bounds.iter().any(|bound| *bound != unbounded));
        value.keys().any(|operator| match operator.as_str() {
            "$rank" | "$denseRank" | "window" => false,
            "$sum" | "$avg" | "$min" | "$max" | "$count" | "$stdDevPop" | "$stdDevSamp" => part,
            _ => true,
        })
    });
    tied.map(|(field, _)| field.to_string()).collect()
}

/// A field whose order does not matter is settled when only its `$size` is taken from it.
pub(super) fn settle(document: &Document, state: &mut State) {
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
                matches!(value, Bson::Boolean(false)) || number(Some(value)) == Some(0)
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

/// Whether what an expression makes of `field` hangs on the order within it: its size does not,
/// nor does the array once sorted by its values.
pub(super) fn uses(expression: &Bson, field: &str) -> bool {
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
                let path = |path: &str| path.strip_prefix('$') == Some(field);
                let settled = document.len() == 1
                    && (document.get_str("$size").is_ok_and(path)
                        || document.get_document("$sortArray").is_ok_and(|sorted| {
                            sorted.get_str("input").is_ok_and(path)
                                && number(sorted.get("sortBy")).is_some()
                        }));
                if !settled {
                    open.extend(document.values());
                }
            }
            Bson::Array(parts) => open.extend(parts),
            _ => {}
        }
    }
    false
}
