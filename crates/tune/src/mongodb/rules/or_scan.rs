use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, below, filter, own_reads, reads_all};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "or-scan",
        engine: Engine::Mongodb,
        title: "one branch of an $or has no index, so all are read from end to end",
        severity: Severity::High,
        since: None,
        page: "An `$or` uses indexes only when every branch has one. A single branch without makes \
               the whole of it a collection scan (`SUBPLAN` over `COLLSCAN`).\n\nGive each branch \
               an index; two good ones beat one that tries to be both.",
        source: "explain output of 4.2 to 8.0",
        examples: &[
            Example {
                name: "one of two branches is indexed",
                setup: concat!(
                    numbered!("orders", 3000, "a: {$mod: ['$i', 1000]}, b: {$mod: ['$i', 999]}"),
                    "db.orders.createIndex({a: 1})"
                ),
                statement: "db.orders.find({$or: [{a: 5}, {b: 7}]})",
                fires: true,
            },
            Example {
                name: "both are",
                setup: concat!(
                    numbered!("orders", 3000, "a: {$mod: ['$i', 1000]}, b: {$mod: ['$i', 999]}"),
                    "db.orders.createIndex({a: 1})\n",
                    "db.orders.createIndex({b: 1})"
                ),
                statement: "db.orders.find({$or: [{a: 5}, {b: 7}]})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let branches = context.main().map_or(0, |main| main.filter.any.iter().flatten().count());
    for (path, node) in context.nodes() {
        let or = below(context, &path, |above| matches!(above.op.as_str(), "SUBPLAN" | "OR"));
        if !reads_all(node) || !(or || branches > 0) {
            continue;
        }
        let examined = own_reads(node);
        let kept = node.actual_rows.unwrap_or(0.0);
        if context.plan.executed
            && examined.is_none_or(|read| read - kept <= ENOUGH || kept > read * 0.7)
        {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut evidence = vec![Evidence::number("branches", branches as f64, None)];
        evidence.extend(examined.map(|n| Evidence::number("documents examined", n, None)));
        evidence.extend(node.actual_rows.map(|n| Evidence::number("documents kept", n, None)));
        evidence.extend(filter(node).map(|text| Evidence::text("filter", text)));
        let read = examined.map_or("all".into(), count);
        let proposals = context.main_indexes(share);
        let explanation = context.remedy(
            "Indexes serve an $or only when each of its branches has one. Create those that are \
             missing.",
            &proposals,
        );
        found.push(draft(
            (&path, node),
            share,
            format!("the $or reads {read} documents, because not every branch has an index"),
            evidence,
            explanation,
            proposals,
        ));
    }
    found
}
