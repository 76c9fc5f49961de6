use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, below, filter, own_reads, reads_all};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::shape::Role;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "write-scan",
        engine: Engine::Mongodb,
        title: "an update or delete looks for its documents from end to end",
        severity: Severity::High,
        since: None,
        page: "The documents to change are found by reading the whole collection.\n\nA write that \
               reads for long holds its locks and its snapshot for long, and a write of one document \
               pays for all. Create an index on the filter of the write. The proof explains the \
               write and never runs it.",
        source: "explain output of 4.2 to 8.0",
        examples: &[
            Example {
                name: "one document by an unindexed number",
                setup: numbered!("orders", 3000, "number: '$i', seen: {$literal: 0}"),
                statement: "db.orders.updateMany({number: 77}, {$set: {seen: 1}})",
                fires: true,
            },
            Example {
                name: "one document by its _id",
                setup: numbered!("orders", 3000, "number: '$i', seen: {$literal: 0}"),
                statement: "db.orders.updateMany({_id: 77}, {$set: {seen: 1}})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let writes = context.main().is_some_and(|main| main.role == Role::Write);
    for (path, node) in context.nodes() {
        let below = below(context, &path, |above| {
            matches!(above.op.as_str(), "UPDATE" | "DELETE" | "BATCHED_DELETE" | "TS_MODIFY")
        });
        if !reads_all(node) || !(writes || below) {
            continue;
        }
        let examined = own_reads(node).or_else(|| {
            let collection = context.collection(&context.main()?.collection)?;
            Some(collection.documents as f64)
        });
        let kept = node.actual_rows.unwrap_or(0.0);
        let mostly = examined.is_some_and(|read| read - kept <= ENOUGH || kept > read * 0.7);
        if mostly
            || filter(node).is_none() && context.main().is_none_or(|main| main.filter.is_empty())
        {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut evidence = Vec::new();
        evidence.extend(examined.map(|n| Evidence::number("documents examined", n, None)));
        evidence.extend(node.actual_rows.map(|n| Evidence::number("documents to write", n, None)));
        evidence.extend(filter(node).map(|text| Evidence::text("filter", text)));
        let read = examined.map_or("all".into(), count);
        let proposals = context.main_indexes(share);
        let explanation = context.remedy(
            "No index serves the filter of the write, so it reads the whole collection, and \
             documents others want leave the cache.",
            &proposals,
        );
        found.push(draft(
            (&path, node),
            share,
            format!("the write reads {read} documents to find {} to change", count(kept)),
            evidence,
            explanation,
            proposals,
        ));
    }
    found
}
