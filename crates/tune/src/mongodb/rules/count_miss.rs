use bson::{Bson, Document};
use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::pipeline::{is_constant, stage, stages};
use crate::mongodb::shape::number;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "count-miss",
        engine: Engine::Mongodb,
        title: "documents are fetched only to be counted",
        severity: Severity::Medium,
        since: None,
        page: "A count needs no document: the keys of an index between two bounds can be counted \
               as they are (`COUNT_SCAN`). Here documents are read, because no index holds all \
               fields of the filter.\n\nMake an index on them, those compared for equality first \
               and at most one interval behind. Counting everything (`countDocuments({})`) reads \
               the whole collection; `estimatedDocumentCount()` takes the number from the \
               metadata. Conditions on null, `$ne`, `$exists` and arrays need the documents.",
        source: "explain output of 4.2 to 8.0: COUNT over FETCH against COUNT_SCAN",
        examples: &[
            Example {
                name: "a condition the index does not hold",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, kind: {$mod: ['$i', 3]}"),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.countDocuments({status: 1, kind: 2})",
                fires: true,
            },
            Example {
                name: "the count command",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, kind: {$mod: ['$i', 3]}"),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.count({status: 1, kind: 2})",
                fires: true,
            },
            Example {
                name: "the index holds the whole filter",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, kind: {$mod: ['$i', 3]}"),
                    "db.orders.createIndex({status: 1, kind: 1})"
                ),
                statement: "db.orders.countDocuments({status: 1, kind: 2})",
                fires: false,
            },
            Example {
                name: "a sum needs the documents",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, kind: {$mod: ['$i', 3]}"),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.aggregate([{$match: {status: 1}}, {$group: {_id: null, n: \
                            {$sum: '$kind'}}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some(command) = context.command.as_ref().filter(|command| counts(command)) else {
        return Vec::new();
    };
    let Some(main) = context.main() else { return Vec::new() };
    let nodes = context.nodes();
    let read = nodes.iter().find(|(_, node)| matches!(node.op.as_str(), "FETCH" | "COLLSCAN"));
    let Some((path, node)) = read else { return Vec::new() };
    let known = context.collection(&main.collection).map(|found| found.documents as f64);
    let fetched = context.plan.summary.reads.map(|reads| reads as f64).or(known);
    if fetched.is_none_or(|fetched| fetched <= ENOUGH) {
        return Vec::new();
    }
    let whole = main.filter.is_empty();
    let share = context.share(node).max(0.1);
    let proposals = if whole { Vec::new() } else { context.main_indexes(share) };
    if proposals.is_empty() && !whole {
        return Vec::new();
    }
    let name = command.keys().next().map(|key| key.to_string()).unwrap_or_default();
    let explanation = match whole {
        true => {
            "Counting all documents reads all of them; estimatedDocumentCount() takes the number \
             from the collection's metadata."
        }
        false => {
            "With all fields of the filter in one index its keys are counted, and no document is \
             read."
        }
    };
    vec![draft(
        (path, node),
        share,
        format!("{} documents are read to be counted", fetched.map_or("all".into(), count)),
        vec![
            Evidence::number("documents read", fetched.unwrap_or(0.0), None),
            Evidence::text("command", name),
        ],
        explanation,
        proposals,
    )]
}

/// Whether a command gives nothing but a number of documents.
fn counts(command: &Document) -> bool {
    match command.keys().next().map(|key| key.as_str()) {
        // Without a filter the command's answer is in the metadata.
        Some("count") => command.get_document("query").is_ok_and(|query| !query.is_empty()),
        Some("aggregate") => {
            let all = command.get("pipeline").map(stages).unwrap_or_default();
            let rest: Vec<_> = all.iter().skip_while(|s| s.contains_key("$match")).collect();
            matches!(&rest[..], [one] if counts_all(one))
        }
        _ => false,
    }
}

/// `{$count: …}`, or a `$group` with a constant key and `{$sum: 1}`.
fn counts_all(document: &Document) -> bool {
    match stage(document) {
        Some(("$count", _)) => true,
        Some(("$group", Bson::Document(group))) => {
            group.get("_id").is_some_and(is_constant)
                && group.len() > 1
                && group.iter().filter(|(field, _)| *field != "_id").all(|(_, value)| {
                    let operator = value.as_document();
                    operator.is_some_and(|operator| {
                        number(operator.get("$sum")).is_some() || operator.contains_key("$count")
                    })
                })
        }
        _ => false,
    }
}
