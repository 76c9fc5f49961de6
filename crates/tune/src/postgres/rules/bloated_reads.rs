use marula_core::{Engine, Example, Relation, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, called, draft, grouped, number, quoted};
use crate::{Draft, Rule};

/// Far more pages are read than the rows would fill.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "bloated-reads",
        engine: Engine::Postgres,
        title: "Far more pages are read than the rows would fill",
        severity: Severity::High,
        since: None,
        page: "Rows that were deleted or changed leave their room behind. VACUUM lets new rows use \
               it but rarely gives it back: the table stays as long as it ever was, and a scan \
               reads all of it.\n\n\
               The same work is done for a tenth of the rows.\n\n\
               VACUUM (FULL) writes the table anew under an ACCESS EXCLUSIVE lock; pg_repack does it \
               while the table is in use. Then let autovacuum come more often, and look for \
               transactions that stay open for hours: they keep VACUUM from its work.",
        source: "EXPLAIN (BUFFERS): pages read against the rows' width in pg_stats",
        examples: &[
            Example {
                name: "nine of ten rows are gone",
                setup: "CREATE TABLE jobs (id int PRIMARY KEY, state int, w text) WITH (autovacuum_enabled = off);
INSERT INTO jobs SELECT i, i % 10, repeat('x', 150) FROM generate_series(1, 60000) i;
DELETE FROM jobs WHERE id % 20 <> 0;
VACUUM ANALYZE jobs;",
                statement: "SELECT count(*) FROM jobs WHERE w LIKE 'xx%'",
                fires: true,
            },
            Example {
                name: "as large as its rows",
                setup: "CREATE TABLE jobs (id int PRIMARY KEY, state int, w text) WITH (autovacuum_enabled = off);
INSERT INTO jobs SELECT i, i % 10, repeat('x', 150) FROM generate_series(1, 30000) i;
VACUUM ANALYZE jobs;",
                statement: "SELECT count(*) FROM jobs WHERE w LIKE 'xx%'",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    context
        .operations(&["Seq Scan"])
        .filter_map(|at| {
            let relation = context.relation(at.node)?;
            let rows = at.node.actual_rows? + cost::removed(at.node);
            let loops = at.node.loops?.max(1) as f64;
            let reads = at.node.reads? as f64;
            let needed = (rows * width(relation)? / 8000.0).max(loops);
            let share = context.share_below(at.node);
            // A scan that a LIMIT ends early has not seen all rows.
            let stopped = context.shape.blocks.iter().any(|block| block.limited);
            if reads < 200.0 || reads < 4.0 * needed || share < SMALL || stopped {
                return None;
            }
            let name = called(at.node);
            let title = format!(
                "{} pages of {name} are read for {} rows that would fill {}",
                grouped(reads),
                grouped(rows),
                grouped(needed.ceil())
            );
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("pages read", reads),
                number("pages the rows would fill", needed.ceil()),
                number("rows", rows),
                number("dead rows", relation.activity.dead_rows as f64),
            ]);
            draft.explanation = format!(
                "Most of what is read is empty. VACUUM (FULL) {} gives the room back under an \
                 ACCESS EXCLUSIVE lock; pg_repack without. A copy in the lab has no such room, so \
                 this is told and not proved.",
                quoted(relation)
            );
            Some(draft)
        })
        .collect()
}

/// What a row takes in a page: its columns as ANALYZE saw them, its header and its pointer.
fn width(relation: &Relation) -> Option<f64> {
    let columns: Option<f64> = relation
        .columns
        .iter()
        .map(|column| {
            let statistics = column.statistics.as_ref()?;
            Some(f64::from(statistics.width) * (1.0 - statistics.null_fraction))
        })
        .sum();
    Some((columns? * 1.1 + 32.0).min(8000.0))
}
