use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE cars (id int PRIMARY KEY, make int, year int, w text);
INSERT INTO cars SELECT i, i * 7919 % 60, i * 7907 % 61, repeat('x', 150) FROM generate_series(1, 60000) i;
CREATE INDEX cars_make_idx ON cars (make);
CREATE INDEX cars_year_idx ON cars (year);
ANALYZE cars;
SET enable_seqscan = off;";

/// Two indexes read to find what one would.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "bitmap-and",
        engine: Engine::Postgres,
        title: "Two indexes are read and intersected where one would do",
        severity: Severity::Medium,
        since: None,
        page: "BitmapAnd reads all entries of one index that meet one condition, all of another \
               that meet the other, and keeps what both have.\n\n\
               Both lists are long; what they share is short. One index over both columns holds \
               just that.\n\n\
               Make a composite index; one of the two may then be dropped.",
        source: "EXPLAIN: BitmapAnd",
        examples: &[
            Example {
                name: "make and year",
                setup: SETUP,
                statement: "SELECT w FROM cars WHERE make = 7 AND year = 11",
                fires: true,
            },
            Example {
                name: "make or year",
                setup: SETUP,
                statement: "SELECT w FROM cars WHERE make = 7 OR year = 11",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let all = cost::total_ms(&context.plan).unwrap_or(f64::INFINITY);
    if all < 0.2 {
        return Vec::new();
    }
    context
        .operations(&["BitmapAnd"])
        .filter_map(|at| {
            let read: f64 = at.node.children.iter().filter_map(|child| child.actual_rows).sum();
            let heap = at.parent.filter(|parent| parent.op.ends_with("Bitmap Heap Scan"))?;
            let kept = heap.actual_rows?;
            let share = context.share_below(at.node);
            if read < 500.0 || read < 10.0 * kept.max(1.0) || share < SMALL {
                return None;
            }
            let indexes: Vec<&str> =
                at.node.children.iter().filter_map(|child| child.index.as_deref()).collect();
            let title = format!(
                "{} entries of {} are read to find {} rows",
                grouped(read),
                indexes.join(" and "),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.relation.clone_from(&heap.relation);
            draft.evidence.extend([
                number("index entries read", read),
                number("rows found", kept),
                Evidence::text("condition", words(heap, "Recheck Cond").unwrap_or_default()),
            ]);
            draft.explanation = "Each index finds far more than both together. One index over the \
                 columns of both conditions leads straight to the rows."
                .into();
            draft.proposals = context.indexes(heap, &[Purpose::Filter]);
            Some(draft)
        })
        .collect()
}
