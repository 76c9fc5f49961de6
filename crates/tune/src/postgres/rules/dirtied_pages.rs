use marula_core::{ChangeKind, Engine, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{draft, grouped, number, part, quoted};
use crate::{Draft, Proposal, Rule};

/// A query that writes: hint bits and pruning.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "dirtied-pages",
        engine: Engine::Postgres,
        title: "A query that only reads changes the pages it reads",
        severity: Severity::Low,
        since: None,
        page: "The first to read a row after the transaction that wrote it has ended notes on the \
               page whether that transaction was committed (hint bits), and clears away dead row \
               versions. So a SELECT writes, and with checksums on it writes WAL.\n\n\
               The reader does VACUUM's work, at a time when somebody waits.\n\n\
               VACUUM after large loads, and let autovacuum come more often.",
        source: "EXPLAIN (BUFFERS): Shared Dirtied Blocks in a SELECT",
        examples: &[
            Example {
                name: "just loaded",
                setup: "SET synchronous_commit = on;
CREATE TABLE fresh (id int, w text) WITH (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, repeat('x', 200) FROM generate_series(1, 40000) i;
CHECKPOINT;
SET max_parallel_workers_per_gather = 0;",
                statement: "SELECT count(*) FROM fresh",
                fires: true,
            },
            Example {
                name: "vacuumed",
                setup: "SET synchronous_commit = on;
CREATE TABLE fresh (id int, w text) WITH (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, repeat('x', 200) FROM generate_series(1, 40000) i;
VACUUM ANALYZE fresh;
SET max_parallel_workers_per_gather = 0;",
                statement: "SELECT count(*) FROM fresh",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() || context.nodes().any(|at| at.node.op.contains("ModifyTable")) {
        return Vec::new();
    }
    context
        .operations(&["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"])
        .filter_map(|at| {
            let dirtied = cost::number(at.node, "Shared Dirtied Blocks")?;
            let reads = at.node.reads? as f64;
            if dirtied < 100.0 || dirtied < reads * 0.1 {
                return None;
            }
            let share = context.share_below(at.node);
            let title =
                format!("{} of {} pages read are changed", grouped(dirtied), grouped(reads));
            let mut draft = draft(context, &at, share * 0.2, title);
            draft.evidence.extend([
                number("pages changed", dirtied),
                part("share of the pages read", (dirtied / reads.max(1.0)).min(1.0)),
            ]);
            draft.explanation =
                "The reader sets hint bits and clears dead rows, which VACUUM would \
                                 have done before."
                    .into();
            draft.proposals = context
                .relation(at.node)
                .into_iter()
                .map(|relation| Proposal {
                    kind: ChangeKind::Maintenance,
                    title: format!("vacuum {}", relation.name),
                    relation: Some(relation.qualified()),
                    up: vec![format!("VACUUM (ANALYZE) {}", quoted(relation))],
                    down: Vec::new(),
                    hazards: vec![format!(
                        "SHARE UPDATE EXCLUSIVE lock on {}: reads and writes go on",
                        relation.name
                    )],
                    conditions: Vec::new(),
                    gain: share * 0.1,
                })
                .collect();
            Some(draft)
        })
        .collect()
}
