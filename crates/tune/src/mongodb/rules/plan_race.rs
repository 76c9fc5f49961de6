use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, Version, numbered};

use super::ENOUGH;
use super::asked::wasted;
use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::{Draft, Rule};

/// Scores nearer to each other than this were told apart by the small bonuses for plans without
/// a fetch or a sort, not by what the plans found.
const NEAR: f64 = 0.01;

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "plan-race",
        engine: Engine::Mongodb,
        title: "the plan was chosen by a hair, and reads much for nothing",
        severity: Severity::Medium,
        since: Some(Version::new(6, 0, 0)),
        page: "Where several indexes could serve, the server runs all plans side by side for a \
               short trial and keeps the one that found most per step. Here the best two were as \
               good as even, so the choice hangs on which documents the trial happened to see: \
               it can turn out differently after the next restart, and it turned out badly here.\
               \n\nMake the choice clear: one index that serves all of the filter (and the order) \
               beats both. If both indexes are needed for other statements, a hint fixes the \
               choice, and nobody looks at it again.",
        source: "6.0: allPlansExecution[].score",
        examples: &[
            Example {
                name: "two indexes on conditions that seldom meet",
                setup: concat!(
                    numbered!("orders", 8000, "a: {$mod: ['$i', 4]}, b: {$mod: ['$i', 4]}"),
                    "db.orders.createIndex({a: 1})\ndb.orders.createIndex({b: 1})"
                ),
                statement: "db.orders.find({a: 1, b: 2})",
                fires: true,
            },
            Example {
                name: "one index for both",
                setup: concat!(
                    numbered!("orders", 8000, "a: {$mod: ['$i', 4]}, b: {$mod: ['$i', 4]}"),
                    "db.orders.createIndex({a: 1})\ndb.orders.createIndex({b: 1})\n",
                    "db.orders.createIndex({a: 1, b: 1})"
                ),
                statement: "db.orders.find({a: 1, b: 2})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if wasted(context) <= ENOUGH {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let scores = node.native.get("queryPlanner").and_then(|planner| planner.get("scores"));
        let mut scores: Vec<f64> = scores
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_f64)
            .collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let [best, second, ..] = scores[..] else { continue };
        if best - second > NEAR {
            continue;
        }
        let share = context.share(node).max(0.2);
        found.push(draft(
            (&path, node),
            share,
            format!("the best two of {} plans scored {best:.4} and {second:.4}", scores.len()),
            vec![
                Evidence::number("plans", scores.len() as f64, None),
                Evidence::number("score of the winner", best, None),
                Evidence::number("score of the next", second, None),
                Evidence::number("read for nothing", wasted(context), None),
            ],
            "The trial could not tell the plans apart, so either may be taken the next time. An \
             index that serves the whole filter leaves no doubt.",
            context.main_indexes(share),
        ));
    }
    found
}
