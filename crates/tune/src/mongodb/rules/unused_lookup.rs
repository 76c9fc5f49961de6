use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use crate::mongodb::Context;
use crate::mongodb::context::{draft, native_number};
use crate::{Draft, Rule};

/// The rewrite this rule proposes.
const REWRITE: &str = "unused-lookup";

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "unused-lookup",
        engine: Engine::Mongodb,
        title: "a $lookup whose result nobody reads",
        severity: Severity::High,
        since: None,
        page: "A `$lookup` fetches documents into a field that no later stage reads and that a \
               `$group`, `$project`, `$unset` or `$count` then leaves out. The server does the work \
               all the same, once per document.\n\nDrop it. It is proposed only when no later stage \
               reads the field, nothing takes whole documents (`$$ROOT`), no `$unwind` multiplies \
               by it, and a stage is seen to leave it out of the result.",
        source: "40,000 documents on 6.0.27: 46 to 78 times, results equal",
        examples: &[
            Example {
                name: "fetched, then grouped away",
                setup: concat!(
                    numbered!("orders", 600, "customer: {$mod: ['$i', 50]}, total: '$i'"),
                    numbered!("customers", 50, "name: 'x'")
                ),
                statement: "db.orders.aggregate([{$lookup: {from: 'customers', localField: \
                            'customer', foreignField: '_id', as: 'c'}}, {$group: {_id: '$customer', \
                            n: {$sum: '$total'}}}])",
                fires: true,
            },
            Example {
                name: "the group reads it",
                setup: concat!(
                    numbered!("orders", 600, "customer: {$mod: ['$i', 50]}, total: '$i'"),
                    numbered!("customers", 50, "name: 'x'")
                ),
                statement: "db.orders.aggregate([{$lookup: {from: 'customers', localField: \
                            'customer', foreignField: '_id', as: 'c'}}, {$group: {_id: '$c.name', \
                            n: {$sum: '$total'}}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some(rewrite) = context.rewrites.with(REWRITE).next() else { return Vec::new() };
    let nodes = context.nodes();
    let lookup = nodes.iter().find(|(_, node)| matches!(node.op.as_str(), "$lookup" | "EQ_LOOKUP"));
    let Some((path, node)) = lookup.or(nodes.first()) else { return Vec::new() };
    let share = context.share(node).max(0.4);
    let mut evidence = vec![Evidence::text("rewrite", rewrite.title.clone())];
    for (key, name) in [
        ("totalDocsExamined", "documents examined inside"),
        ("collectionScans", "collection scans"),
    ] {
        evidence.extend(native_number(node, key).map(|n| Evidence::number(name, n, None)));
    }
    vec![draft(
        (path, node),
        share,
        "the result of a $lookup is never read".into(),
        evidence,
        "No later stage reads what it fetches, and it is not part of the result. The server does \
         the work for every document all the same: drop the stage.",
        context.rewrites(REWRITE, share),
    )]
}
