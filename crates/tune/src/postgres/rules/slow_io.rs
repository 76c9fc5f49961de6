use marula_core::{Engine, Evidence, Example, PlanNode, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{draft, number, part};
use crate::{Draft, Rule};

/// Most of the time goes to reading from disk.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "slow-io",
        engine: Engine::Postgres,
        title: "Most of the time is spent waiting for reads",
        severity: Severity::Medium,
        since: None,
        page: "With track_io_timing the server notes how long it waits for pages that are not in \
               its cache. Here that is most of the time; how the rows are computed matters little.\n\n\
               Reading less is the first way out: an index, a narrower one, a table without bloat. \
               The second is memory: shared_buffers, and room for the system's own cache. The third \
               is faster storage, or effective_io_concurrency on storage that serves many requests \
               at once.\n\n\
               The same statement a second time may be quick: then only the first run after others \
               pays.",
        source: "EXPLAIN (ANALYZE, BUFFERS) with track_io_timing: I/O Read Time over half the time",
        examples: &[
            Example {
                name: "larger than what the cache took in",
                setup: "SET synchronous_commit = on;
CREATE TABLE pages WITH (fillfactor = 10) AS SELECT i AS id, repeat('x', 790) AS body FROM generate_series(1, 9000) i;
VACUUM pages;
SET track_io_timing = on; SET max_parallel_workers_per_gather = 0;",
                statement: "SELECT count(*) FROM pages",
                fires: true,
            },
            Example {
                name: "all in memory",
                setup: "CREATE TABLE pages (id int, body text);
INSERT INTO pages SELECT i, repeat('x', 1900) FROM generate_series(1, 6000) i;
SET track_io_timing = on; SET max_parallel_workers_per_gather = 0;",
                statement: "SELECT count(*) FROM pages",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some(total) = cost::total_ms(&context.plan).filter(|ms| *ms >= 2.0) else {
        return Vec::new();
    };
    // Workers wait beside each other: their sum says nothing of the whole.
    if context.nodes().any(|at| cost::number(at.node, "Workers Launched").unwrap_or(0.0) > 0.0) {
        return Vec::new();
    }
    let Some(top) = context.nodes().next() else { return Vec::new() };
    let waited = waited(top.node);
    let share = (waited / total).min(1.0);
    if share <= 0.5 {
        return Vec::new();
    }
    // The scan that waits longest.
    let longest = context
        .nodes()
        .filter(|at| at.node.relation.is_some())
        .max_by(|a, b| self::waited(a.node).total_cmp(&self::waited(b.node)))
        .unwrap_or(top);
    let title = format!("{:.0} of {total:.0} ms pass waiting for reads", waited);
    let mut draft = draft(context, &longest, share, title);
    draft.evidence.extend([
        Evidence::number("time reading", (waited * 10.0).round() / 10.0, Some("ms")),
        part("share of the time", share),
        number("pages read from outside the cache", read(top.node)),
    ]);
    draft.explanation = "The pages were not in the server's cache. Read less (an index, less \
                         bloat), or give the cache more room; a second run tells whether it helps."
        .into();
    vec![draft]
}

/// Milliseconds a node and those below it waited for reads.
fn waited(node: &PlanNode) -> f64 {
    ["I/O Read Time", "Shared I/O Read Time", "Local I/O Read Time"]
        .iter()
        .filter_map(|key| cost::number(node, key))
        .sum()
}

fn read(node: &PlanNode) -> f64 {
    ["Shared Read Blocks", "Local Read Blocks"]
        .iter()
        .filter_map(|key| cost::number(node, key))
        .sum()
}
