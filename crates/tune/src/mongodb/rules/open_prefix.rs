use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, bounds, is_open, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "open-prefix",
        engine: Engine::Mongodb,
        title: "an index is read from end to end: nothing bounds its first field",
        severity: Severity::High,
        since: None,
        page: "The bounds of the index's first field are `[MinKey, MaxKey]`: every key is read.\n\n\
               The planner does this for the order, or because the index was named in a hint. An \
               index used is not an index used well.\n\nCreate an index that begins with a field \
               the filter bounds. A read that stops early at a limit is left alone.",
        source: "explain output of 4.2 to 8.0",
        examples: &[
            Example {
                name: "an index for the order only",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "city: {$mod: [\"$i\", 1000]}, at: {$mod: [{$multiply: \
                              [\"$i\", 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({at: 1})"
                ),
                statement: "db.orders.find({city: 31}).sort({at: 1})",
                fires: true,
            },
            Example {
                name: "the limit is reached at once",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "city: {$mod: [\"$i\", 1000]}, at: {$mod: [{$multiply: \
                              [\"$i\", 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({at: 1})"
                ),
                statement: "db.orders.find({city: {$lt: 900}}).sort({at: 1}).limit(5)",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let returned = context.plan.summary.returned.unwrap_or(0) as f64;
    for (path, node) in context.nodes() {
        let bounds = bounds(node);
        let Some((first, intervals)) = bounds.first().filter(|_| reads_index(node)) else {
            continue;
        };
        let asked = context.main().is_none_or(|main| !main.filter.is_empty());
        let kept = above(context, &path).unwrap_or(returned);
        let keys = match node.keys {
            Some(keys) => keys as f64,
            None if context.plan.executed => continue,
            None => f64::INFINITY,
        };
        if !is_open(intervals) || !asked || keys - kept <= ENOUGH || kept > keys * 0.7 {
            continue;
        }
        let share = context.share(node).max(0.3);
        let index = node.index.as_deref().unwrap_or("the index");
        let mut evidence = vec![Evidence::text("bounds", format!("{first}: [MinKey, MaxKey]"))];
        if keys.is_finite() {
            evidence.push(Evidence::number("keys examined", keys, None));
            evidence.push(Evidence::number("documents kept", kept, None));
        }
        let all =
            if keys.is_finite() { format!("{} keys", count(keys)) } else { "all keys".into() };
        found.push(draft(
            (&path, node),
            share,
            format!("{index} is read from end to end: {all}"),
            evidence,
            format!(
                "Nothing in the filter bounds {first}, the first field of the index. One that \
                     begins with a bounded field reads only what is kept."
            ),
            context.main_indexes(share),
        ));
    }
    found
}

/// Documents kept by the fetch above the index, or by the index itself.
fn above(context: &Context, path: &[usize]) -> Option<f64> {
    let parent = context.plan.tree.at(path.get(..path.len().checked_sub(1)?)?)?;
    match parent.op.as_str() {
        "FETCH" => parent.actual_rows,
        _ => context.plan.tree.at(path)?.actual_rows,
    }
}
