use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "scatter",
        engine: Engine::Mongodb,
        title: "every shard is asked",
        severity: Severity::Medium,
        since: None,
        page: "The filter does not hold the shard key, so the router asks all shards and merges \
               what they find (`SHARD_MERGE`). The answer waits for the slowest of them, and \
               adding shards adds work instead of taking it away.\n\nPut the shard key, or its \
               leading fields, into the filter with equality or a short `$in`. Where that cannot \
               be, look whether another shard key fits what is asked most: `analyzeShardKey` \
               (7.0 on) measures it from sampled queries.",
        source: "the manual's explain results for sharded collections; saved explains of 5.0 and \
                 6.0",
        examples: &[
            Example {
                name: "an explain saved from a router: three shards, of which two find nothing",
                setup: "",
                statement: include_str!("scatter/scattered.json"),
                fires: true,
            },
            Example {
                name: "one shard is asked",
                setup: "",
                statement: include_str!("scatter/targeted.json"),
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let shards: Vec<&marula_core::PlanNode> =
            node.children.iter().filter(|child| child.role.is_some()).collect();
        if !node.op.starts_with("SHARD_MERGE") || shards.len() < 2 {
            continue;
        }
        // Where all of it is wanted, or every shard has its part, all have to be asked.
        let whole = context.main().is_some_and(|main| main.filter.is_empty());
        let empty = shards.iter().filter(|shard| shard.actual_rows == Some(0.0)).count();
        let examined = node.reads.unwrap_or(0) + context.plan.summary.keys.unwrap_or(0);
        let wasteful = examined as f64 > 10.0 * node.actual_rows.unwrap_or(0.0).max(1.0);
        if whole || (context.plan.executed && empty == 0 && !wasteful) {
            continue;
        }
        let share = context.share(node).max(0.2);
        let names: Vec<&str> = shards.iter().filter_map(|shard| shard.role.as_deref()).collect();
        let mut evidence = vec![
            Evidence::number("shards asked", shards.len() as f64, None),
            Evidence::text("shards", names.join(", ")),
        ];
        if context.plan.executed {
            evidence.push(Evidence::number("shards that found nothing", empty as f64, None));
        }
        found.push(draft(
            (&path, node),
            share,
            format!(
                "{} shards are asked, {} of them for nothing",
                shards.len(),
                count(empty as f64)
            ),
            evidence,
            "Without the shard key in the filter the router cannot tell where the documents are. \
             With its leading fields in the filter one shard answers.",
            Vec::new(),
        ));
    }
    found
}
