use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

/// The rewrite this rule proposes.
const REWRITE: &str = "match-before-unwind";

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "late-match",
        engine: Engine::Mongodb,
        title: "elements are filtered only after $unwind has made documents of all of them",
        severity: Severity::High,
        since: None,
        page: "A `$match` on elements of an array stands behind the `$unwind`. The server does not \
               move it, so every document is read and unwound.\n\nCopy the condition before the \
               `$unwind`: a document without a matching element cannot pass anyway, and the copy \
               can use an index. The original stays, to filter the elements. Only positive \
               conditions are copied: `$ne`, `$nin`, `$not`, `$exists: false` and null hold for \
               other elements of the same document and gave wrong results.",
        source: "40,000 documents on 6.0.27: 3 to 8 times without an index, results equal; a \
                 copied `$ne` gave wrong results",
        examples: &[
            Example {
                name: "orders with one article",
                setup: numbered!(
                    "orders",
                    3000,
                    "items: [{sku: {$mod: ['$i', 100]}, n: 1}, {sku: \
                                 {$mod: ['$i', 90]}, n: 2}]"
                ),
                statement: "db.orders.aggregate([{$unwind: '$items'}, {$match: {'items.sku': 55}}, \
                            {$group: {_id: '$items.sku', n: {$sum: '$items.n'}}}])",
                fires: true,
            },
            Example {
                name: "a condition that is not positive",
                setup: numbered!(
                    "orders",
                    3000,
                    "items: [{sku: {$mod: ['$i', 100]}, n: 1}, {sku: \
                                 {$mod: ['$i', 90]}, n: 2}]"
                ),
                statement: "db.orders.aggregate([{$unwind: '$items'}, {$match: {'items.sku': {$ne: \
                            55}}}, {$group: {_id: '$items.sku', n: {$sum: '$items.n'}}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let nodes = context.nodes();
    let Some(rewrite) = context.rewrites.with(REWRITE).next() else { return Vec::new() };
    let unwind =
        nodes.iter().find(|(_, node)| matches!(node.op.as_str(), "$unwind" | "UNWIND" | "unwind"));
    let Some((path, node)) = unwind.or(nodes.first()) else { return Vec::new() };
    let made = node.actual_rows;
    let read = context.plan.summary.reads.map(|reads| reads as f64);
    if context.plan.executed && read.is_some_and(|read| read <= ENOUGH) {
        return Vec::new();
    }
    let share = context.share(node).max(0.4);
    let mut evidence = vec![Evidence::text("rewrite", rewrite.title.clone())];
    evidence.extend(read.map(|n| Evidence::number("documents examined", n, None)));
    evidence.extend(made.map(|n| Evidence::number("documents made by $unwind", n, None)));
    let what = made.map_or("every element".into(), |made| format!("{} elements", count(made)));
    vec![draft(
        (path, node),
        share,
        format!("{what} are unwound before the $match looks at them"),
        evidence,
        "A copy of the condition before the $unwind keeps out the documents without a matching \
         element, and can use an index. The original stays to filter the elements.",
        context.rewrites(REWRITE, share),
    )]
}
