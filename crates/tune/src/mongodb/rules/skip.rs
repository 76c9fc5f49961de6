use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft, native_number};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "skip",
        engine: Engine::Mongodb,
        title: "a deep page reads everything before it",
        severity: Severity::Medium,
        since: None,
        page: "`skip` reads the documents it passes over and throws them away: page 1,000 costs a \
               thousand times page 1.\n\nPage by key instead: sort by a unique order, remember the \
               last key of the page, and ask for what comes after it, `{at: {$lt: last}}`, or for \
               several keys `{$or: [{at: {$lt: last}}, {at: last, _id: {$lt: id}}]}`. The client \
               has to carry that key, so this is not proposed as a change.",
        source: "40,000 documents on 6.0.27: skip of 30,000 against the key, 15 times",
        examples: &[
            Example {
                name: "page 150 of 20",
                setup: numbered!("orders", 4000, "at: '$i'"),
                statement: "db.orders.find().sort({_id: 1}).skip(3000).limit(20)",
                fires: true,
            },
            Example {
                name: "the second page",
                setup: numbered!("orders", 4000, "at: '$i'"),
                statement: "db.orders.find().sort({_id: 1}).skip(20).limit(20)",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        if !matches!(node.op.as_str(), "SKIP" | "$skip" | "LIMIT_SKIP" | "limitskip") {
            continue;
        }
        // Up to 5.0 the stage counts down to 0 while it runs.
        let amount = native_number(node, "skipAmount")
            .filter(|amount| *amount > 0.0)
            .or_else(|| node.native.get("$skip").and_then(crate::mongodb::context::number))
            .or_else(|| context.main().and_then(|main| main.skip).map(|skip| skip as f64));
        let input: f64 = node.children.iter().filter_map(|child| child.actual_rows).sum();
        let gone = || node.actual_rows.map(|rows| input - rows).filter(|gone| *gone > 0.0);
        let Some(amount) = amount.or_else(gone) else { continue };
        let passed = if context.plan.executed && input > 0.0 { amount.min(input) } else { amount };
        if passed <= ENOUGH {
            continue;
        }
        let returned = node.actual_rows.unwrap_or(0.0);
        let share = if passed > 10.0 * returned { 0.2 } else { 0.1 };
        found.push(draft(
            (&path, node),
            share,
            format!("{} documents are read and passed over", count(passed)),
            vec![
                Evidence::number("documents passed over", passed, None),
                Evidence::number("documents returned", returned, None),
            ],
            "The cost grows with the page's number. Sort by a unique key, keep the last one of the \
             page, and ask for what comes after it.",
            Vec::new(),
        ));
    }
    found
}
