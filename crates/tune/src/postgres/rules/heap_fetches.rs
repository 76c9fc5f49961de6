use marula_core::{ChangeKind, Engine, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, called, draft, grouped, number, part, quoted};
use crate::{Draft, Proposal, Rule};

/// An index-only scan that visits the table all the same.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "heap-fetches",
        engine: Engine::Postgres,
        title: "An index-only scan visits the table for most rows",
        severity: Severity::Medium,
        since: None,
        page: "An index holds the values, but not whether a row is visible. The visibility map \
               says it for whole pages; it is kept by VACUUM. Where a page changed since, the \
               scan visits the table for each of its rows.\n\n\
               The index-only scan then costs as much as an ordinary one.\n\n\
               Run VACUUM on the table, and let autovacuum come more often \
               (autovacuum_vacuum_scale_factor, and autovacuum_vacuum_insert_scale_factor for \
               tables that only grow).",
        source: "EXPLAIN ANALYZE: Heap Fetches over 40 % of the rows",
        examples: &[
            Example {
                name: "never vacuumed",
                setup: "CREATE TABLE counts (id int PRIMARY KEY, n int) WITH (autovacuum_enabled = off);
INSERT INTO counts SELECT i, i FROM generate_series(1, 30000) i;
ANALYZE counts;
SET enable_seqscan = off; SET enable_bitmapscan = off;",
                statement: "SELECT count(id) FROM counts WHERE id > 100",
                fires: true,
            },
            Example {
                name: "vacuumed",
                // VACUUM marks no page whose rows were committed asynchronously a moment ago.
                setup: "SET synchronous_commit = on;
CREATE TABLE counts (id int PRIMARY KEY, n int) WITH (autovacuum_enabled = off);
INSERT INTO counts SELECT i, i FROM generate_series(1, 30000) i;
VACUUM ANALYZE counts;
SET enable_seqscan = off; SET enable_bitmapscan = off;",
                statement: "SELECT count(id) FROM counts WHERE id > 100",
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
        .operations(&["Index Only Scan"])
        .filter_map(|at| {
            let fetches = cost::number(at.node, "Heap Fetches")?;
            let rows = at.node.actual_rows? + cost::removed(at.node);
            let share = context.share(at.node);
            if fetches < 1000.0 || fetches < rows * 0.4 || share < SMALL {
                return None;
            }
            let name = called(at.node);
            let title = format!(
                "the index-only scan of {name} visits the table for {} of {} rows",
                grouped(fetches),
                grouped(rows)
            );
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("heap fetches", fetches),
                number("rows", rows),
                part("share of the rows", (fetches / rows.max(1.0)).min(1.0)),
            ]);
            draft.explanation = format!(
                "The visibility map of {name} is behind: the scan cannot tell from the index \
                 whether a row is visible. VACUUM brings it up to date."
            );
            draft.proposals = context.relation(at.node).into_iter().map(|relation| Proposal {
                kind: ChangeKind::Maintenance,
                title: format!("vacuum {}", relation.name),
                relation: Some(relation.qualified()),
                up: vec![format!("VACUUM (ANALYZE) {}", quoted(relation))],
                down: Vec::new(),
                hazards: vec![format!(
                    "SHARE UPDATE EXCLUSIVE lock on {name}: reads and writes go on; reads the pages that changed"
                )],
                conditions: Vec::new(),
                gain: share * 0.5,
            }).collect();
            Some(draft)
        })
        .collect()
}
