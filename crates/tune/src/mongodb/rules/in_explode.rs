use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::{ENOUGH, bounds, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

/// The server reads at most so many intervals side by side to keep an order
/// (`internalQueryMaxScansToExplode`).
const MAX_SCANS: usize = 200;

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "in-explode",
        engine: Engine::Mongodb,
        title: "too many values in $in to keep the order of the index",
        severity: Severity::High,
        since: None,
        page: "With up to 200 intervals the server reads one ordered scan per value of an `$in` \
               and merges them (`SORT_MERGE`). With more it gives up, reads everything and \
               sorts.\n\nSplit the list into statements of at most 200 values, or put the sort's \
               field before the list's in an index, so that the order comes from the index and \
               the list is checked on its keys.",
        source: "6.0.27: `maxScansToExplodeReached`; internalQueryMaxScansToExplode is 200",
        examples: &[
            Example {
                name: "260 values and an order",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "user: {$mod: ['$i', 1000]}, at: {$mod: [{$multiply: \
                              ['$i', 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({user: 1, at: 1})"
                ),
                statement: MANY,
                fires: true,
            },
            Example {
                name: "five values",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "user: {$mod: ['$i', 1000]}, at: {$mod: [{$multiply: \
                              ['$i', 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({user: 1, at: 1})"
                ),
                statement: "db.orders.find({user: {$in: [1, 2, 3, 4, 5]}}).sort({at: -1}).limit(20)",
                fires: false,
            },
        ],
    },
    check,
};

const MANY: &str = "db.orders.find({user: {$in: [@@]}}).sort({at: -1}).limit(20)";

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        if !matches!(node.op.as_str(), "SORT" | "sort") {
            continue;
        }
        let below = node.walk();
        let widest = below
            .iter()
            .filter(|(_, node)| reads_index(node))
            .flat_map(|(_, node)| {
                let index = node.index.clone();
                let wide =
                    bounds(node).into_iter().map(|(path, intervals)| (path, intervals.len()));
                let field = wide.max_by_key(|(_, intervals)| *intervals)?;
                Some((field, index))
            })
            .max_by_key(|((_, intervals), _)| *intervals);
        let Some(((field, intervals), index)) = widest.filter(|((_, n), _)| *n > MAX_SCANS) else {
            continue;
        };
        let input: f64 = node.children.iter().filter_map(|child| child.actual_rows).sum();
        if context.plan.executed && input <= ENOUGH {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut draft = draft(
            (&path, node),
            share,
            format!(
                "{} intervals on {field} are too many to keep the order",
                count(intervals as f64)
            ),
            vec![
                Evidence::number("intervals", intervals as f64, None),
                Evidence::number("intervals merged at most", MAX_SCANS as f64, None),
                Evidence::number("documents sorted", input, None),
            ],
            "Up to 200 values are read as ordered scans and merged; above that all are read and \
             sorted. Split the list, or lead the index with the sort.",
            context.main_indexes(share),
        );
        draft.place.index = index;
        found.push(draft);
    }
    found
}
