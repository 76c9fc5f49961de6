use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, draft, number};
use crate::{Draft, Rule};

/// Workers that were planned and did not come.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "missing-workers",
        engine: Engine::Postgres,
        title: "Fewer parallel workers came than were planned",
        severity: Severity::Medium,
        since: None,
        page: "The plan counts on helpers. When it runs, they are taken from a pool the whole \
               server shares (max_parallel_workers, within max_worker_processes). If the pool is \
               empty, the leader does the work alone, by a plan that was made for several.\n\n\
               The statement takes as long as the helpers are missing, and differs from run to run.\n\n\
               Raise max_parallel_workers (and max_worker_processes, which needs a restart) where \
               there are cores to spare; or let fewer statements ask for workers \
               (max_parallel_workers_per_gather).",
        source: "EXPLAIN ANALYZE: Workers Launched below Workers Planned",
        examples: &[
            Example {
                name: "an empty pool",
                setup: "CREATE TABLE hits (id int, v int, w text);
INSERT INTO hits SELECT i, i % 1000, repeat('x', 100) FROM generate_series(1, 60000) i;
ANALYZE hits;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2; SET max_parallel_workers = 0;",
                statement: "SELECT count(*) FROM hits WHERE w LIKE '%y%'",
                fires: true,
            },
            Example {
                name: "no workers were planned",
                setup: "CREATE TABLE hits (id int, v int, w text);
INSERT INTO hits SELECT i, i % 1000, repeat('x', 100) FROM generate_series(1, 60000) i;
ANALYZE hits;
SET max_parallel_workers_per_gather = 0;",
                statement: "SELECT count(*) FROM hits WHERE w LIKE '%y%'",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() {
        return Vec::new();
    }
    context
        .operations(&["Gather", "Gather Merge"])
        .filter_map(|at| {
            let planned = cost::number(at.node, "Workers Planned")?;
            let came = cost::number(at.node, "Workers Launched")?;
            let share = context.share_below(at.node);
            if came >= planned || share < SMALL {
                return None;
            }
            let title = format!("{came:.0} of {planned:.0} planned workers came");
            let mut draft = draft(context, &at, share, title);
            draft
                .evidence
                .extend([number("workers planned", planned), number("workers launched", came)]);
            let pool = |name: &str| {
                let settings = context.catalog.as_ref().map(|catalog| &catalog.settings)?;
                settings.get(name).map(|value| format!("{name} is {value}"))
            };
            let known: Vec<String> = ["max_parallel_workers", "max_worker_processes"]
                .into_iter()
                .filter_map(pool)
                .collect();
            draft.explanation = format!(
                "The pool of workers was used up{}. The plan was chosen for {planned:.0} helpers.",
                if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
            );
            Some(draft)
        })
        .collect()
}
