use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, below, filter, own_reads, reads_all};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "collection-scan",
        engine: Engine::Mongodb,
        title: "every document is read and most are thrown away",
        severity: Severity::High,
        since: None,
        page: "The plan reads the collection from end to end (`COLLSCAN`) and keeps only some of \
               its documents.\n\nIts cost grows with the collection, not with the answer, and it \
               pushes hot documents out of the cache.\n\nCreate an index on the fields of the \
               filter: those compared for equality first, then the sort and the range in the \
               order that reads fewer keys. Neither order is always the better one, so both are \
               measured. A scan that keeps nearly every document is left alone: an index would \
               make it slower.",
        source: "explain output of 4.2 to 8.0; 200,000 documents on 6.0.27: 31,654 keys in one \
                 order against 21 in the other",
        examples: &[
            Example {
                name: "one status of ten, without an index",
                setup: numbered!("orders", 3000, "status: {$mod: [\"$i\", 10]}, total: \"$i\""),
                statement: "db.orders.find({status: 3})",
                fires: true,
            },
            Example {
                name: "below a $lookup that has an index",
                setup: concat!(
                    numbered!("orders", 3000, "status: {$mod: [\"$i\", 10]}, total: \"$i\""),
                    numbered!("customers", 10, "name: 'x'")
                ),
                statement: "db.orders.aggregate([{$match: {status: 3}}, {$lookup: {from: \
                            'customers', localField: 'status', foreignField: '_id', as: 'c'}}])",
                fires: true,
            },
            Example {
                name: "the whole collection is wanted",
                setup: numbered!("orders", 3000, "status: {$mod: [\"$i\", 10]}, total: \"$i\""),
                statement: "db.orders.find({total: {$gte: 0}})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let others = |above: &marula_core::PlanNode| {
            matches!(
                above.op.as_str(),
                "SUBPLAN" | "OR" | "UPDATE" | "DELETE" | "BATCHED_DELETE" | "TS_MODIFY"
            )
        };
        // Branches of an $or and writes have rules of their own.
        if !reads_all(node) || below(context, &path, others) {
            continue;
        }
        // A time-series collection keeps its measurements in buckets.
        let relation = node.relation.as_deref();
        let buckets = relation.and_then(|name| name.strip_prefix("system.buckets."));
        let name = buckets.or(relation).or(context.main().map(|main| main.collection.as_str()));
        let known = name.and_then(|name| context.collection(name));
        let examined = own_reads(node).or(known.map(|collection| collection.documents as f64));
        let returned = node.actual_rows.filter(|_| context.plan.executed);
        let asked =
            filter(node).is_some() || context.main().is_some_and(|main| !main.filter.is_empty());
        let wasted = match (examined, returned) {
            (Some(examined), Some(returned)) => examined - returned,
            // Without actual numbers a filter over many documents is all there is to go by.
            (Some(examined), None) if asked => examined,
            (None, _) if asked => f64::INFINITY,
            _ => 0.0,
        };
        let mostly_wanted =
            returned.zip(examined).is_some_and(|(returned, examined)| returned > examined * 0.7);
        if wasted <= ENOUGH || mostly_wanted {
            continue;
        }
        let share = context.share(node);
        let mut evidence = Vec::new();
        evidence.extend(examined.map(|n| Evidence::number("documents examined", n, None)));
        evidence.extend(returned.map(|n| Evidence::number("documents kept", n, None)));
        evidence.extend(filter(node).map(|text| Evidence::text("filter", text)));
        let whole = examined.map_or("all".into(), count);
        let kept = returned.map_or(String::new(), |kept| format!(" to keep {}", count(kept)));
        let proposals = context.indexes_on(name, share.max(0.3));
        let explanation = context.remedy(
            "No index serves the filter, so every document is read and compared. An index on the \
             filter's fields reads only what is kept.",
            &proposals,
        );
        found.push(draft(
            (&path, node),
            share.max(0.3),
            format!(
                "{} is read from end to end: {whole} {}{kept}",
                name.unwrap_or("the collection"),
                if buckets.is_some() { "buckets" } else { "documents" }
            ),
            evidence,
            explanation,
            proposals,
        ));
    }
    found
}
