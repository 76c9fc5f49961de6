use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, Version, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

/// The rewrite this rule proposes.
const REWRITE: &str = "match-before-window";

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "window-match",
        engine: Engine::Mongodb,
        title: "partitions are filtered only after $setWindowFields has gone through all of them",
        severity: Severity::High,
        since: Some(Version::new(5, 0, 0)),
        page: "A `$match` on the field of `partitionBy` stands behind `$setWindowFields`. The \
               server (up to 6.0) does not move it, so every document is read, sorted and put into \
               a window before most are dropped.\n\nPut the condition first: it keeps or drops \
               whole partitions, so no window changes, and it can use an index. Conditions that \
               could split a partition (`$type`, `$exists`, regular expressions) stay behind.",
        source: "40,000 documents on 6.0.27: 217 to 352 times, results equal",
        examples: &[
            Example {
                name: "the running number of one user's events",
                setup: numbered!("events", 3000, "user: {$mod: ['$i', 100]}, at: '$i'"),
                statement: "db.events.aggregate([{$setWindowFields: {partitionBy: '$user', sortBy: \
                            {at: 1}, output: {n: {$documentNumber: {}}}}}, {$match: {user: 7}}])",
                fires: true,
            },
            Example {
                name: "a condition on what the window computes",
                setup: numbered!("events", 3000, "user: {$mod: ['$i', 100]}, at: '$i'"),
                statement: "db.events.aggregate([{$setWindowFields: {partitionBy: '$user', sortBy: \
                            {at: 1}, output: {n: {$documentNumber: {}}}}}, {$match: {n: 1}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some(rewrite) = context.rewrites.with(REWRITE).next() else { return Vec::new() };
    let nodes = context.nodes();
    let window = nodes.iter().find(|(_, node)| node.op.ends_with("etWindowFields"));
    let Some((path, node)) = window.or(nodes.first()) else { return Vec::new() };
    let made = node.actual_rows;
    if context.plan.executed && made.is_some_and(|made| made <= ENOUGH) {
        return Vec::new();
    }
    let share = context.share(node).max(0.5);
    let mut evidence = vec![Evidence::text("rewrite", rewrite.title.clone())];
    evidence.extend(made.map(|n| Evidence::number("documents put into windows", n, None)));
    let what = made.map_or("every document".into(), |made| format!("{} documents", count(made)));
    vec![draft(
        (path, node),
        share,
        format!("{what} are put into windows before the $match on the partition"),
        evidence,
        "The condition keeps or drops whole partitions, so it can go first: then only the wanted \
         partitions are read, and an index finds them.",
        context.rewrites(REWRITE, share),
    )]
}
