use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, filter, own_reads};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "fetch-filter",
        engine: Engine::Mongodb,
        title: "documents are fetched through an index and then thrown away",
        severity: Severity::High,
        since: None,
        page: "The index finds many documents, and the filter on top of `FETCH` throws most of \
               them away.\n\nEvery one of them is a random read, dearer than a document of a \
               collection scan.\n\nAppend the fields of that filter to the index, so that the \
               decision falls on keys.",
        source: "explain output of 4.2 to 8.0",
        examples: &[
            Example {
                name: "the index knows one of two conditions",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "status: {$mod: [\"$i\", 2]}, city: {$mod: [\"$i\", 100]}"
                    ),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.find({status: 1, city: 31})",
                fires: true,
            },
            Example {
                name: "the index knows both",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "status: {$mod: [\"$i\", 2]}, city: {$mod: [\"$i\", 100]}"
                    ),
                    "db.orders.createIndex({status: 1, city: 1})"
                ),
                statement: "db.orders.find({status: 1, city: 31})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let (Some(filter), true) = (filter(node), node.op == "FETCH") else { continue };
        let (Some(read), Some(kept)) = (own_reads(node), node.actual_rows) else { continue };
        if read - kept <= ENOUGH || kept > read * 0.7 {
            continue;
        }
        let share = context.share(node).max(0.3);
        found.push(draft(
            (&path, node),
            share,
            format!(
                "{} documents are fetched and {} of them thrown away",
                count(read),
                count(read - kept)
            ),
            vec![
                Evidence::number("documents examined", read, None),
                Evidence::number("documents kept", kept, None),
                Evidence::text("filter", filter),
            ],
            "The index does not hold the fields of this filter. With them behind its own, the \
             documents that do not match are never fetched.",
            context.main_indexes(share),
        ));
    }
    found
}
