//! What several rules ask of the statement and of its plan as a whole.

use bson::{Bson, Document};
use marula_core::{Collection, DocumentIndex, Json};

use crate::mongodb::Context;
use crate::mongodb::context::number;
use crate::mongodb::index::same_collation;
use crate::mongodb::predicate::{Kind, Predicate};
use crate::mongodb::shape::{Access, Role};

/// The command's own access and the collection it is on, where both are known.
pub(super) fn main(context: &Context) -> Option<(&Access, &Collection)> {
    let main = context.main().filter(|main| main.role != Role::Lookup)?;
    Some((main, context.collection(&main.collection)?))
}

/// Keys or documents the plan read for nothing; where it did not run, all documents of a scan.
pub(super) fn wasted(context: &Context) -> f64 {
    let summary = &context.plan.summary;
    if !context.plan.executed {
        let scanned = |name: &String| context.collection(name).map(|found| found.documents as f64);
        return summary.scans.iter().filter_map(scanned).fold(0.0, f64::max);
    }
    let read = summary.reads.unwrap_or(0).max(summary.keys.unwrap_or(0)) as f64;
    // A count gives one document, or none, of all it found.
    let counted = context.nodes().iter().find_map(|(_, node)| {
        node.native.get("nCounted").and_then(number).filter(|_| node.op.starts_with("COUNT"))
    });
    let below = context.nodes().iter().rev().find_map(|(_, node)| {
        (node.op == "FETCH" || node.op == "COLLSCAN").then_some(node.actual_rows?)
    });
    let kept = counted.or(below).unwrap_or(summary.returned.unwrap_or(0) as f64);
    (read - kept).max(0.0)
}

/// The indexes the plan reads, and those of the plans it was preferred to.
pub(super) fn considered(context: &Context, index: &DocumentIndex) -> bool {
    if context.plan.summary.indexes.contains(&index.name) {
        return true;
    }
    context.nodes().iter().any(|(_, node)| {
        let rejected = node.native.get("queryPlanner").and_then(|p| p.get("rejectedIndexes"));
        let mut names = rejected.and_then(Json::as_array).into_iter().flatten();
        names.any(|name| name.as_str() == Some(&index.name))
    })
}

/// The collation strings are compared by: the command's, or else the collection's.
pub(super) fn collation(context: &Context, collection: &Collection) -> Option<Document> {
    context.shape.collation.clone().or_else(|| crate::mongodb::index::default_collation(collection))
}

/// Whether the index compares strings as the command does.
pub(super) fn compares_alike(
    context: &Context,
    collection: &Collection,
    index: &DocumentIndex,
) -> bool {
    same_collation(collation(context, collection).as_ref(), index.collation.as_ref())
}

/// The predicates that an index on `path` could look for.
pub(super) fn looked_for<'a>(
    main: &'a Access,
    path: &'a str,
) -> impl Iterator<Item = &'a Predicate> {
    main.filter.all.iter().filter(move |predicate| {
        predicate.path == path
            && matches!(
                predicate.kind,
                Kind::Equality | Kind::In(_) | Kind::Range | Kind::Regex | Kind::Null
            )
    })
}

/// The operator and the operand of a predicate: `{a: 5}` is `$eq` of 5.
pub(super) fn operands(predicate: &Predicate) -> Vec<(String, Bson)> {
    match predicate.filter.get(&predicate.path) {
        Some(Bson::Document(operators))
            if operators.keys().next().is_some_and(|key| key.starts_with('$')) =>
        {
            operators.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
        }
        Some(value) => vec![("$eq".to_string(), value.clone())],
        None => Vec::new(),
    }
}
