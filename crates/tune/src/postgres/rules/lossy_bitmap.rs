use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, draft, grouped, number, part, work_mem};
use crate::{Draft, Rule};

/// A bitmap that knows pages only, for want of memory.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "lossy-bitmap",
        engine: Engine::Postgres,
        title: "A bitmap has no room for single rows",
        severity: Severity::Medium,
        since: None,
        page: "A bitmap scan notes each matching row. When the notes outgrow work_mem, it keeps \
               whole pages instead (lossy blocks), and every row of such a page is checked again.\n\n\
               It costs time in proportion to the rows on those pages.\n\n\
               Give the statement more work_mem; or an index that leaves fewer rows.",
        source: "EXPLAIN ANALYZE: Heap Blocks: lossy; Rows Removed by Index Recheck",
        examples: &[
            Example {
                name: "64 kB for two thousand pages",
                setup: "CREATE TABLE marks (id int, v int, w text);
INSERT INTO marks SELECT i, i % 40, repeat('x', 300) FROM generate_series(1, 60000) i;
CREATE INDEX marks_v_idx ON marks (v);
ANALYZE marks;
SET work_mem = '64kB'; SET enable_seqscan = off;",
                statement: "SELECT count(w) FROM marks WHERE v IN (3, 4)",
                fires: true,
            },
            Example {
                name: "enough memory",
                setup: "CREATE TABLE marks (id int, v int, w text);
INSERT INTO marks SELECT i, i % 40, repeat('x', 300) FROM generate_series(1, 60000) i;
CREATE INDEX marks_v_idx ON marks (v);
ANALYZE marks;
SET work_mem = '4MB'; SET enable_seqscan = off;",
                statement: "SELECT count(w) FROM marks WHERE v IN (3, 4)",
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
        .operations(&["Bitmap Heap Scan"])
        .filter_map(|at| {
            let lossy = cost::number(at.node, "Lossy Heap Blocks")?;
            let exact = cost::number(at.node, "Exact Heap Blocks").unwrap_or(0.0);
            let again = cost::number(at.node, "Rows Removed by Index Recheck").unwrap_or(0.0)
                * at.node.loops.unwrap_or(1) as f64;
            let share = context.share(at.node);
            if lossy < 10.0 || again < 1000.0 || share < SMALL {
                return None;
            }
            let title = format!(
                "{} of {} pages are kept whole, and {} rows are checked for nothing",
                grouped(lossy),
                grouped(lossy + exact),
                grouped(again)
            );
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("lossy blocks", lossy),
                number("exact blocks", exact),
                number("rows removed by recheck", again),
                part("share that is lossy", lossy / (lossy + exact).max(1.0)),
            ]);
            draft.explanation = "The bitmap outgrew work_mem and fell back to whole pages; every \
                 row on them is checked against the condition again."
                .into();
            // A page's notes take some 60 bytes, twice that while the table of them grows.
            draft.proposals = vec![work_mem((lossy + exact) * 0.15, share * 0.4)];
            Some(draft)
        })
        .collect()
}
