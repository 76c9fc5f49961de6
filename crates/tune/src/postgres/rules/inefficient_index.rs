use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, called, draft, grouped, number};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE tickets (id int PRIMARY KEY, tenant int, state int, body text);
INSERT INTO tickets SELECT i, i % 4, i % 1009, repeat('x', 60) FROM generate_series(1, 40000) i;
CREATE INDEX tickets_tenant_idx ON tickets (tenant);
ANALYZE tickets;
SET enable_seqscan = off;";

/// An index scan whose filter throws away most of what the index finds.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "inefficient-index",
        engine: Engine::Postgres,
        title: "An index finds many rows that a filter then throws away",
        severity: Severity::High,
        since: None,
        page: "The index answers only a part of the condition. Every entry it finds costs a visit \
               to the table, where the rest of the condition throws the row away.\n\n\
               Visits to the table are the dearest part of an index scan: each may be another \
               page.\n\n\
               Make a composite index with all columns compared by `=` first, then the range.",
        source: "pgMustard and pganalyze: Rows Removed by Filter above an index scan",
        examples: &[
            Example {
                name: "one of two equalities is indexed",
                setup: SETUP,
                statement: "SELECT * FROM tickets WHERE tenant = 1 AND state = 17",
                fires: true,
            },
            Example {
                name: "the composite index exists",
                setup:
                    "CREATE TABLE tickets (id int PRIMARY KEY, tenant int, state int, body text);
INSERT INTO tickets SELECT i, i % 4, i % 1009, repeat('x', 60) FROM generate_series(1, 40000) i;
CREATE INDEX tickets_tenant_state_idx ON tickets (tenant, state);
ANALYZE tickets;",
                statement: "SELECT * FROM tickets WHERE tenant = 1 AND state = 17",
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
    let scans = context.operations(&["Index Scan", "Index Only Scan", "Bitmap Heap Scan"]);
    scans
        .filter_map(|at| {
            let kept = at.node.actual_rows?;
            let removed = cost::removed(at.node);
            let share = context.share_below(at.node);
            // Without an index condition the index only gives the order: another rule's case.
            let searched = at.node.native.get("Index Cond").is_some()
                || at.node.native.get("Recheck Cond").is_some();
            if !searched || removed < 1000.0 || removed < 2.0 * kept || share < SMALL {
                return None;
            }
            let filter = at.node.native.get("Filter")?.as_str()?;
            let name = called(at.node);
            let title = format!(
                "the index on {name} finds {} rows to keep {}",
                grouped(kept + removed),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(filter.into());
            draft.evidence.extend([
                number("rows found by the index", kept + removed),
                number("rows kept", kept),
            ]);
            draft.explanation = format!(
                "The index answers a part of the condition; {filter} is checked row by row on the \
                 table, and {} rows are read in vain. A composite index over all compared columns \
                 finds only what is kept.",
                grouped(removed)
            );
            draft.proposals = context.indexes(at.node, &[Purpose::Filter, Purpose::Join]);
            Some(draft)
        })
        .collect()
}
