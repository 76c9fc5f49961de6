use marula_core::{Engine, Evidence, Example, NodePath, RuleInfo, Severity, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft, native_number};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "memory-sort",
        engine: Engine::Mongodb,
        title: "documents are sorted in memory rather than read in order",
        severity: Severity::High,
        since: None,
        page: "The plan sorts (`SORT`) what it has read, instead of reading an index that already \
               has the order.\n\nA sort must see its whole input before the first document goes \
               out, so a limit saves nothing below it; above 100 MB it spills or fails.\n\nExtend \
               the index by the sort's fields, in their directions. Whether they stand before or \
               behind the range is measured: before it, the order comes free but keys outside \
               the range are read; behind it, fewer keys are read but the sort stays.",
        source: "explain output of 4.2 to 8.0 (4.2 also has SORT_KEY_GENERATOR)",
        examples: &[
            Example {
                name: "the newest of one status",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "status: {$mod: [\"$i\", 2]}, at: {$mod: \
                              [{$multiply: [\"$i\", 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.find({status: 1}).sort({at: -1}).limit(20)",
                fires: true,
            },
            Example {
                name: "the index has the order",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "status: {$mod: [\"$i\", 2]}, at: {$mod: \
                              [{$multiply: [\"$i\", 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({status: 1, at: 1})"
                ),
                statement: "db.orders.find({status: 1}).sort({at: -1}).limit(20)",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        if !matches!(node.op.as_str(), "SORT" | "$sort" | "sort") {
            continue;
        }
        let input: f64 = node.children.iter().filter_map(|child| child.actual_rows).sum();
        let bytes = native_number(node, "totalDataSizeSorted")
            .or_else(|| native_number(node, "totalDataSizeSortedBytesEstimate"));
        let limit = native_number(node, "memLimit").or(native_number(node, "maxMemoryUsageBytes"));
        if context.plan.executed && input <= ENOUGH {
            continue;
        }
        let main = context.main();
        let readable = main.is_some_and(|main| !main.sort.is_empty());
        let heavy = bytes.zip(limit).is_some_and(|(bytes, limit)| bytes > limit * 0.1);
        // What is made by a group or a computation no index has in order.
        if !readable && !heavy {
            continue;
        }
        let share = context.share(node).max(if readable { 0.15 } else { 0.05 });
        let mut evidence = Vec::new();
        if input > 0.0 {
            evidence.push(Evidence::number("documents sorted", input, None));
        }
        evidence.extend(bytes.map(|n| Evidence::number("data sorted", n, Some("bytes"))));
        evidence.extend(limit.map(|n| Evidence::number("memory limit", n, Some("bytes"))));
        let proposals = if readable { context.main_indexes(share) } else { Vec::new() };
        let what = if input > 0.0 {
            format!("{} documents are", count(input))
        } else {
            "The result is".into()
        };
        found.push(draft(
            (&path, node),
            share,
            format!("{what} sorted in memory"),
            evidence,
            match readable {
                true => {
                    "An index with the sort's fields gives the documents in order, so that \
                         nothing is sorted and a limit stops the read."
                }
                false if windowed(context, &path) => {
                    "$setWindowFields sorts every document that reaches it. A $match on the \
                          partition before it, or an index that begins with partitionBy and \
                          sortBy, makes that fewer or none."
                }
                false => {
                    "It sorts what the pipeline computes, which no index has in order: sort \
                          fewer documents, or keep the computed field."
                }
            },
            proposals,
        ));
    }
    found
}

/// Whether the sort is the one `$setWindowFields` makes for itself.
fn windowed(context: &Context, path: &NodePath) -> bool {
    context.nodes().iter().any(|(above, node)| {
        node.op.ends_with("etWindowFields") && path.starts_with(above) && path.len() > above.len()
    })
}
