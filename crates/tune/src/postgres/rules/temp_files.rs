use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, draft, grouped, number, work_mem};
use crate::{Draft, Rule};

/// Temporary files of anything but sorts, hashes and aggregates.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "temp-files",
        engine: Engine::Postgres,
        title: "Intermediate rows went to temporary files",
        severity: Severity::Medium,
        since: None,
        page: "A CTE that is read more than once, a Materialize, a window or a function keeps its \
               rows in work_mem, and past it in a temporary file.\n\n\
               Writing and reading the file adds to the time, and a large one fills the disk.\n\n\
               Keep fewer rows (filter before, not after), fewer columns, or more work_mem for the \
               statement.",
        source: "EXPLAIN (ANALYZE, BUFFERS): Temp Written Blocks of a node that is no sort, hash \
                 or aggregate",
        examples: &[
            Example {
                name: "a materialized CTE in 64 kB",
                setup: "CREATE TABLE points (id int, body text);
INSERT INTO points SELECT i, repeat('x', 100) FROM generate_series(1, 30000) i;
ANALYZE points;
SET work_mem = '64kB';",
                statement: "WITH p AS MATERIALIZED (SELECT * FROM points) SELECT (SELECT count(*) FROM p), (SELECT max(body) FROM p)",
                fires: true,
            },
            Example {
                name: "the same in 64 MB",
                setup: "CREATE TABLE points (id int, body text);
INSERT INTO points SELECT i, repeat('x', 100) FROM generate_series(1, 30000) i;
ANALYZE points;
SET work_mem = '64MB';",
                statement: "WITH p AS MATERIALIZED (SELECT * FROM points) SELECT (SELECT count(*) FROM p), (SELECT max(body) FROM p)",
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
        .nodes()
        .filter_map(|at| {
            let op = at.node.op.as_str();
            let own_rule = ["Sort", "Hash", "Aggregate"].iter().any(|other| op.contains(other));
            let written = |node| cost::number(node, "Temp Written Blocks").unwrap_or(0.0);
            let below: f64 = at.node.children.iter().map(written).sum();
            let own = written(at.node) - below;
            let share = context.share(at.node);
            if own_rule || own < 64.0 || share < SMALL {
                return None;
            }
            let title = format!("{op} writes {} kB to a temporary file", grouped(own * 8.0));
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                Evidence::number("written to disk", own * 8.0, Some("kB")),
                number("rows", cost::rows(at.node)),
            ]);
            draft.explanation =
                "The rows are kept for later and did not fit in work_mem, so they were written to \
                 a file and read back."
                    .into();
            draft.proposals = vec![work_mem(own * 8.0 * 2.0, share * 0.3)];
            Some(draft)
        })
        .collect()
}
