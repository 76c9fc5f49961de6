use bson::Bson;
use marula_core::{
    Collection, Engine, Evidence, Example, NodePath, PlanNode, RuleInfo, Severity, Version,
    numbered,
};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft, native, native_number};
use crate::mongodb::shape::{Access, Role};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "lookup-scan",
        engine: Engine::Mongodb,
        title: "$lookup reads the other collection from end to end",
        severity: Severity::High,
        since: None,
        page: "A `$lookup` (or `$graphLookup`) looks for its `foreignField` without an index.\n\n\
               The other collection is then read from end to end once for every document that \
               reaches the stage: 61 documents against 1,000 are 61,000 reads. The slot-based \
               engine may build a hash table once instead, which still reads all of it.\n\n\
               Create an index on the `foreignField`, with the fields its `pipeline` filters by \
               behind it. Up to 4.4 explain says nothing about the inner reads, so the \
               collection's indexes are looked at instead.",
        source: "explain of 4.4.2, 5.0.4 and 6.0.27; `collectionScans` exists since 5.0",
        examples: &[
            Example {
                name: "a foreign field without an index",
                setup: concat!(
                    numbered!("orders", 50, "customer: {$multiply: [\"$i\", 3]}"),
                    numbered!("customers", 300, "number: \"$i\"")
                ),
                statement: "db.orders.aggregate([{$lookup: {from: 'customers', localField: \
                            'customer', foreignField: 'number', as: 'c'}}])",
                fires: true,
            },
            Example {
                name: "a pipeline that joins by one field and sorts by another index",
                setup: concat!(
                    numbered!("orders", 50, "customer: {$multiply: [\"$i\", 3]}"),
                    numbered!("customers", 300, "number: \"$i\"")
                ),
                statement: "db.orders.aggregate([{$lookup: {from: 'customers', let: {c: \
                            '$customer'}, pipeline: [{$match: {$expr: {$eq: ['$number', \
                            '$$c']}}}, {$sort: {_id: 1}}], as: 'c'}}])",
                fires: true,
            },
            Example {
                name: "a tree walked down without an index",
                setup: numbered!("staff", 300, "boss: {$floor: {$divide: [\"$i\", 3]}}"),
                statement: "db.staff.aggregate([{$match: {_id: 4}}, {$graphLookup: {from: 'staff', \
                            startWith: '$_id', connectFromField: '_id', connectToField: 'boss', as: \
                            'below'}}])",
                fires: true,
            },
            Example {
                name: "a foreign field that is the _id",
                setup: concat!(
                    numbered!("orders", 50, "customer: {$multiply: [\"$i\", 3]}"),
                    numbered!("customers", 300, "number: \"$i\"")
                ),
                statement: "db.orders.aggregate([{$lookup: {from: 'customers', localField: \
                            'customer', foreignField: '_id', as: 'c'}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (path, node) in context.nodes() {
        if !matches!(
            node.op.as_str(),
            "$lookup" | "$graphLookup" | "EQ_LOOKUP" | "EQ_LOOKUP_UNWIND"
        ) {
            continue;
        }
        let from = from(node);
        let Some(from) = from.or(node.relation.clone()) else { continue };
        if let Some(draft) = at_node(context, &path, node, &from) {
            seen.push(from);
            found.push(draft);
        }
    }
    found.extend(unexplained(context, &seen));
    found
}

fn at_node(context: &Context, path: &NodePath, node: &PlanNode, from: &str) -> Option<Draft> {
    let scans = native_number(node, "collectionScans").unwrap_or(0.0);
    let strategy = native(node, "strategy").and_then(|strategy| strategy.as_str());
    let read = native_number(node, "totalDocsExamined").unwrap_or(0.0);
    let collection = context.collection(from);
    let size = collection.map(|collection| collection.documents as f64);
    // It may also read all of another index, in the order its pipeline sorts by.
    let unserved = || {
        let lookups = |a: &Access| a.role == Role::Lookup && a.collection == from;
        context.accesses(lookups).into_iter().any(|access| {
            let path = foreign(access);
            path.zip(collection).is_some_and(|(path, collection)| !has_index(collection, path))
        })
    };
    let scanned = scans > 0.0
        || matches!(strategy, Some("NestedLoopJoin" | "HashJoin"))
        || (size.is_some_and(|size| read >= size) && unserved());
    // A few documents are read faster than an index is looked into.
    if !scanned || (read > 0.0 && read <= ENOUGH) || size.is_some_and(|size| size <= 20.0) {
        return None;
    }
    let share = context.share(node).max(0.3);
    let mut evidence = Vec::new();
    if scans > 0.0 {
        evidence.push(Evidence::number("collection scans", scans, None));
    }
    if read > 0.0 {
        evidence.push(Evidence::number("documents examined inside", read, None));
    }
    evidence.extend(strategy.map(|strategy| Evidence::text("strategy", strategy)));
    evidence.extend(size.map(|size| Evidence::number("documents in it", size, None)));
    // 5.0 counts every scan twice; the documents tell how often it was really read.
    let whole = size.filter(|size| *size > 0.0 && read > 0.0).map(|size| (read / size).ceil());
    let title = match whole.map_or(scans, |whole| scans.min(whole)) {
        0.0 => format!("$lookup finds its documents in {from} without an index"),
        1.0 => format!("$lookup reads {from} from end to end"),
        scans => format!("$lookup reads {from} from end to end {} times", count(scans)),
    };
    Some(draft(
        (path, node),
        share,
        title,
        evidence,
        "No index begins with the foreign field, so the other collection is read anew for every \
         document. With one, each document costs a single seek.",
        proposals(context, share, from),
    ))
}

fn from(node: &PlanNode) -> Option<String> {
    let from = native(node, "from").or_else(|| native(node, "foreignCollection"))?.as_str()?;
    // SBE names the collection with its database.
    Some(match node.op.starts_with("EQ_LOOKUP") {
        true => from.split_once('.').map_or(from, |(_, name)| name).to_string(),
        false => from.to_string(),
    })
}

fn proposals(context: &Context, share: f64, from: &str) -> Vec<crate::Proposal> {
    context.indexes(share, |access| {
        access.collection == from && matches!(access.role, Role::Lookup | Role::GraphLookup)
    })
}

/// What explain does not tell: before 5.0, and whenever the statement did not run.
fn unexplained(context: &Context, seen: &[String]) -> Vec<Draft> {
    let told = context.plan.executed && context.version >= Version::new(5, 0, 0);
    let mut found = Vec::new();
    // What $graphLookup reads no version tells.
    let hidden = |a: &Access| a.role == Role::GraphLookup || a.role == Role::Lookup && !told;
    for access in context.accesses(hidden) {
        let Some(collection) = context.collection(&access.collection) else { continue };
        let Some(path) = foreign(access) else { continue };
        let known = seen.contains(&access.collection);
        if known || collection.documents as f64 <= ENOUGH.min(100.0) || has_index(collection, path)
        {
            continue;
        }
        let nodes = context.nodes();
        let stage = if access.role == Role::GraphLookup { "$graphLookup" } else { "$lookup" };
        let node = nodes.iter().find(|(_, node)| {
            node.op == stage && from(node).is_none_or(|from| from == access.collection)
        });
        let Some((at, node)) = node.or(nodes.first()) else { continue };
        let evidence = vec![
            Evidence::number("documents in it", collection.documents as f64, None),
            Evidence::text("foreign field", path),
        ];
        found.push(draft(
            (at, node),
            0.5,
            format!(
                "no index of {} begins with {path}, which {stage} looks for",
                access.collection
            ),
            evidence,
            match access.role {
                Role::GraphLookup => {
                    "explain does not show what $graphLookup reads inside, but the collection's \
                     indexes tell: it is read from end to end for every step from a document."
                }
                _ => {
                    "explain does not show what $lookup reads inside, but the collection's indexes \
                     tell: it is read from end to end for every document."
                }
            },
            proposals(context, 0.5, &access.collection),
        ));
    }
    found
}

fn foreign(access: &Access) -> Option<&str> {
    let first = access.filter.all.first()?;
    let joined = first.filter.values().next().is_some_and(|value| {
        matches!(value, Bson::Document(operator) if operator.contains_key("$eq"))
            || access.role == Role::GraphLookup
    });
    joined.then_some(first.path.as_str())
}

fn has_index(collection: &Collection, path: &str) -> bool {
    collection.indexes.iter().any(|index| {
        !index.hidden
            && index.partial.is_none()
            && index.keys.first().is_some_and(|(key, _)| key == path)
    })
}
