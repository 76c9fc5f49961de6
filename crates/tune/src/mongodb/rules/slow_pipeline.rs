use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::ENOUGH;
use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::mongodb::rewrites::ORDER_OF_STAGES;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "slow-pipeline",
        engine: Engine::Mongodb,
        title: "the same question can be asked so that less is read",
        severity: Severity::High,
        since: None,
        page: "The server moves many stages by itself, but not all that could be. Written another \
               way, the statement reads an index where it now reads everything:\n\n\
               - a `$sort` with its `$limit` before `$addFields` and renaming `$project`\n\
               - a `$match` before `$replaceRoot`, by the paths as they are called there\n\
               - `{a: {$in: […]}}` instead of `{$expr: {$in: [\"$a\", […]]}}`\n\
               - the interval of dates beside `{$eq: [{$year: \"$at\"}, 2024]}`\n\
               - `$first` in the opposite order instead of `$last`\n\
               - no `$sort` before a `$group` that only sums\n\
               - a `$sort` and `$limit: 1` before a lone `$min` or `$max`\n\
               - sums over an array in place of `$unwind` and `$group` by `_id`\n\n\
               Each is proposed only where its conditions hold in what the documents were seen to \
               hold (no arrays, no null, dates only, a total order), its results are compared in \
               the lab, and gains below 1.1 times are declined.",
        source: "40,000 documents on 6.0.27, results equal: sorts 51 to 317 times, $replaceRoot 51 \
                 to 92, dates 54, $in 10 to 45, $last 6 to 10, $min 6, sorts left out 2 to 2.7, \
                 $unwind 1.9",
        examples: &[
            Example {
                name: "a sort behind a computed field",
                setup: numbered!("orders", 3000, "total: '$i', tax: 1"),
                statement: "db.orders.aggregate([{$addFields: {net: {$subtract: ['$total', '$tax']}}}, \
                            {$sort: {total: -1}}, {$limit: 5}])",
                fires: true,
            },
            Example {
                name: "a part of a date",
                setup: numbered!(
                    "orders",
                    3000,
                    "at: {$add: [ISODate('2020-01-01'), {$multiply: \
                                                  ['$i', 86400000]}]}"
                ),
                statement: "db.orders.find({$expr: {$and: [{$eq: [{$year: '$at'}, 2021]}, {$eq: \
                            [{$month: '$at'}, 3]}]}})",
                fires: true,
            },
            Example {
                name: "a sort by the computed field itself",
                setup: numbered!("orders", 3000, "total: '$i', tax: 1"),
                statement: "db.orders.aggregate([{$addFields: {net: {$subtract: ['$total', '$tax']}}}, \
                            {$sort: {net: -1}}, {$limit: 5}])",
                fires: false,
            },
            Example {
                name: "a list that is looked for in each element of an array",
                setup: numbered!("orders", 3000, "tags: ['$i', 7]"),
                statement: "db.orders.find({$expr: {$in: ['$tags', [1, 2]]}})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let summary = &context.plan.summary;
    let read = summary.reads.unwrap_or(0).max(summary.keys.unwrap_or(0)) as f64;
    if context.plan.executed && read <= ENOUGH {
        return Vec::new();
    }
    let nodes = context.nodes();
    let Some((path, node)) = nodes.first() else { return Vec::new() };
    let mut found = Vec::new();
    for (id, why) in ORDER_OF_STAGES {
        let Some(rewrite) = context.rewrites.with(id).next() else { continue };
        let proposals = context.rewrites(id, 0.5);
        if proposals.is_empty() {
            continue;
        }
        let mut evidence = vec![Evidence::text("rewrite", rewrite.title.clone())];
        if context.plan.executed {
            evidence.push(Evidence::number("keys or documents read", read, None));
        }
        let title = rewrite.title.clone();
        found.push(draft((path, node), 0.5, title, evidence, format!("{why}."), proposals));
    }
    found
}
