use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words, work_mem};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE logs (id int PRIMARY KEY, at int, body text);
INSERT INTO logs SELECT i, i * 7919 % 40000, repeat('x', 80) FROM generate_series(1, 40000) i;
ANALYZE logs;
SET work_mem = '64kB';";

/// A sort that did not fit in memory.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "disk-sort",
        engine: Engine::Postgres,
        title: "A sort went to disk",
        severity: Severity::High,
        since: None,
        page: "The rows to sort did not fit in work_mem, so they were written to temporary files, \
               sorted in pieces and read again.\n\n\
               Writing and reading cost more than the sorting; and many such sorts at once fill \
               the disk.\n\n\
               An index in the order asked for needs no sort at all. Else raise work_mem for the \
               statement or the role (not for the server: every sort of every session may take \
               it), or sort fewer and narrower rows.",
        source: "EXPLAIN ANALYZE: Sort Space Type = Disk",
        examples: &[
            Example {
                name: "a sort in 64 kB",
                setup: SETUP,
                statement: "SELECT * FROM logs ORDER BY at",
                fires: true,
            },
            Example {
                name: "a sort in enough memory",
                setup: "CREATE TABLE logs (id int PRIMARY KEY, at int, body text);
INSERT INTO logs SELECT i, i * 7919 % 40000, repeat('x', 80) FROM generate_series(1, 40000) i;
ANALYZE logs;
SET work_mem = '64MB';",
                statement: "SELECT * FROM logs ORDER BY at",
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
        .operations(&["Sort", "Incremental Sort"])
        .filter_map(|at| {
            let share = context.share(at.node);
            let kilobytes = disk(at.node)?;
            if share < SMALL {
                return None;
            }
            let keys = words(at.node, "Sort Key").unwrap_or_default();
            let title = format!("a sort by {keys} writes {} kB to disk", grouped(kilobytes));
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(keys);
            draft.evidence.extend([
                Evidence::number("written to disk", kilobytes, Some("kB")),
                number("rows sorted", cost::rows(at.node)),
            ]);
            draft.explanation = "The rows did not fit in work_mem and were sorted in temporary \
                 files. An index in this order makes the sort unnecessary; more work_mem keeps it \
                 in memory."
                .into();
            draft.proposals = context.indexes_below(at.node, &[Purpose::Order]);
            // In memory a row takes two to three times what it takes in the file.
            draft.proposals.push(work_mem(kilobytes * 3.0, share * 0.4));
            Some(draft)
        })
        .collect()
}

/// What a sort wrote, in kB, its workers' files included.
fn disk(node: &marula_core::PlanNode) -> Option<f64> {
    let of = |json: &marula_core::Json| -> Option<f64> {
        (json.get("Sort Space Type")?.as_str()? == "Disk").then_some(())?;
        json.get("Sort Space Used")?.as_f64()
    };
    let own = of(&node.native);
    let workers = node.native.get("Workers").and_then(|workers| workers.as_array());
    let theirs: f64 = workers.into_iter().flatten().filter_map(of).sum();
    match own {
        Some(own) => Some(own + theirs),
        None => (theirs > 0.0).then_some(theirs),
    }
}
