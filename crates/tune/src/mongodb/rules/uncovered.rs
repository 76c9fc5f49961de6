use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, numbered};

use super::{ENOUGH, own_reads, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft, native};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "uncovered",
        engine: Engine::Mongodb,
        title: "documents are fetched for a field or two the index lacks",
        severity: Severity::Medium,
        since: None,
        page: "Only a few fields are wanted and the index holds nearly all of them, yet every \
               document is fetched.\n\nA key is tens of bytes beside the next one; a document is a \
               random read. Add the missing fields to the end of the index and leave `_id` out of \
               the projection (`_id: 0`). Pipelines that group or project do that by themselves. \
               An index over an array never covers.",
        source: "explain output of 4.2 to 8.0",
        examples: &[
            Example {
                name: "a sum over fetched documents",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, total: '$i', note: 'x'"),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.find({status: 1}, {_id: 0, status: 1, total: 1})",
                fires: true,
            },
            Example {
                name: "the index holds all that is wanted",
                setup: concat!(
                    numbered!("orders", 4000, "status: {$mod: ['$i', 2]}, total: '$i', note: 'x'"),
                    "db.orders.createIndex({status: 1, total: 1})"
                ),
                statement: "db.orders.find({status: 1}, {_id: 0, status: 1, total: 1})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let Some(needed) = context.main().and_then(|main| main.needed.as_ref()) else { return found };
    for (path, node) in context.nodes() {
        let Some(scan) = node
            .children
            .first()
            .filter(|child| node.op == "FETCH" && node.children.len() == 1 && reads_index(child))
        else {
            continue;
        };
        let multikey = native(scan, "isMultiKey").and_then(Json::as_bool).unwrap_or(false);
        let Some(fetched) = own_reads(node).filter(|fetched| *fetched > ENOUGH && !multikey) else {
            continue;
        };
        let Some(Json::Object(keys)) = native(scan, "keyPattern") else { continue };
        let missing: Vec<&str> =
            needed.iter().filter(|path| !keys.contains_key(*path)).map(String::as_str).collect();
        if missing.is_empty() || missing.len() > 3 {
            continue;
        }
        // Where most of what is fetched is thrown away, another rule has the better advice.
        if node.actual_rows.is_some_and(|kept| kept < fetched * 0.3) {
            continue;
        }
        let share = context.share(node).max(0.1);
        found.push(draft(
            (&path, node),
            share,
            format!("{} documents are fetched only for {}", count(fetched), missing.join(", ")),
            vec![
                Evidence::number("documents fetched", fetched, None),
                Evidence::text("fields the index lacks", missing.join(", ")),
                Evidence::text("index", scan.index.clone().unwrap_or_default()),
            ],
            "With these fields at the end of the index, its keys answer the query and no document \
             is read.",
            context.main_indexes(share),
        ));
    }
    found
}
