use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words, work_mem};
use crate::{Draft, Rule};

/// A grouping that did not fit in memory.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "aggregate-spill",
        engine: Engine::Postgres,
        title: "A hashed aggregate did not fit in memory",
        severity: Severity::High,
        since: Some(marula_core::Version::new(13, 0, 0)),
        page: "The groups of a HashAggregate were more than work_mem × hash_mem_multiplier holds, \
               and rows were written to temporary files to be grouped later.\n\n\
               Raise work_mem (or hash_mem_multiplier) for the statement; group by fewer columns; \
               or make an index over the grouped columns, along which groups come one after the \
               other and need no memory.",
        source: "EXPLAIN ANALYZE: HashAgg Batches > 1, Disk Usage",
        examples: &[
            Example {
                name: "forty thousand groups in 64 kB",
                setup: "CREATE TABLE hits (id int, page int, n int);
INSERT INTO hits SELECT i, i * 7919 % 40000, i FROM generate_series(1, 40000) i;
ANALYZE hits;
SET work_mem = '64kB'; SET enable_sort = off;",
                statement: "SELECT page, sum(n) FROM hits GROUP BY page",
                fires: true,
            },
            Example {
                name: "ten groups",
                setup: "CREATE TABLE hits (id int, page int, n int);
INSERT INTO hits SELECT i, i % 10, i FROM generate_series(1, 40000) i;
ANALYZE hits;
SET work_mem = '64kB'; SET enable_sort = off;",
                statement: "SELECT page, sum(n) FROM hits GROUP BY page",
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
        .filter(|at| at.node.op.contains("Aggregate"))
        .filter_map(|at| {
            let disk = cost::number(at.node, "Disk Usage").unwrap_or(0.0);
            let batches = cost::number(at.node, "HashAgg Batches").unwrap_or(1.0);
            let share = context.share(at.node);
            if (disk <= 0.0 && batches < 2.0) || share < SMALL {
                return None;
            }
            let memory = cost::number(at.node, "Peak Memory Usage").unwrap_or(4096.0);
            let keys = words(at.node, "Group Key").unwrap_or_default();
            let title = format!("grouping by {keys} writes {} kB to disk", grouped(disk));
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(keys);
            draft.evidence.extend([
                Evidence::number("written to disk", disk, Some("kB")),
                number("batches", batches),
                number("groups", cost::rows(at.node)),
            ]);
            draft.explanation =
                "The groups did not fit in work_mem × hash_mem_multiplier, so rows \
                 were written out and grouped in batches."
                    .into();
            draft.proposals = context.indexes_below(at.node, &[Purpose::Group]);
            draft.proposals.push(work_mem((memory + disk) * 2.0, share * 0.4));
            Some(draft)
        })
        .collect()
}
