use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, number, work_mem};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE big (id int, body text);
INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 40000) i;
CREATE TABLE other (id int, n int);
INSERT INTO other SELECT i, i FROM generate_series(1, 40000) i;
ANALYZE big; ANALYZE other;
SET enable_mergejoin = off; SET enable_nestloop = off; SET hash_mem_multiplier = 1;";

/// A hash table that did not fit in memory.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "hash-spill",
        engine: Engine::Postgres,
        title: "A hash join's table did not fit in memory",
        severity: Severity::High,
        since: None,
        page: "The hash table of a join was larger than work_mem × hash_mem_multiplier. It was cut \
               into batches, and both sides of the join were written to temporary files and read \
               again. More batches than planned mean that the planner underestimated it.\n\n\
               Raise work_mem (or hash_mem_multiplier) for the statement, hash fewer rows (filter \
               earlier, fix the estimate), or let an index on the joined column find the rows.",
        source: "EXPLAIN ANALYZE: Hash Batches > 1, or > Original Hash Batches",
        examples: &[
            Example {
                name: "a hash table in 64 kB",
                setup: "CREATE TABLE big (id int, body text);
INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 40000) i;
CREATE TABLE other (id int, n int);
INSERT INTO other SELECT i, i FROM generate_series(1, 40000) i;
ANALYZE big; ANALYZE other;
SET enable_mergejoin = off; SET enable_nestloop = off; SET work_mem = '64kB';",
                statement: "SELECT max(b.body), max(o.n) FROM big b JOIN other o USING (id)",
                fires: true,
            },
            Example {
                name: "a hash table that fits",
                setup: SETUP,
                statement: "SELECT max(b.body), max(o.n) FROM big b JOIN other o USING (id)",
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
        .operations(&["Hash"])
        .filter_map(|at| {
            let batches = cost::number(at.node, "Hash Batches")?;
            let planned = cost::number(at.node, "Original Hash Batches").unwrap_or(1.0);
            let join = at.parent?;
            let share = (context.share(at.node) + context.share(join)).min(1.0);
            if batches < 2.0 || share < SMALL {
                return None;
            }
            let memory = cost::number(at.node, "Peak Memory Usage").unwrap_or(4096.0);
            let title = format!("a hash table was cut into {batches} batches on disk");
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("batches", batches),
                number("batches planned", planned),
                number("rows hashed", cost::rows(at.node)),
                Evidence::number("peak memory", memory, Some("kB")),
            ]);
            if let Some(written) = cost::number(join, "Temp Written Blocks") {
                draft.evidence.push(number("temporary blocks written", written));
            }
            draft.explanation = "Both sides of the join were written to temporary files, batch by \
                 batch, because the hash table did not fit in work_mem × hash_mem_multiplier."
                .into();
            draft.proposals = context.indexes_below(join, &[Purpose::Join]);
            draft.proposals.push(work_mem(memory * batches * 1.3, share * 0.4));
            Some(draft)
        })
        .collect()
}
