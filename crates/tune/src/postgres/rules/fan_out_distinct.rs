use marula_core::{Engine, Example, PlanNode, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE authors (id int PRIMARY KEY, name text);
INSERT INTO authors SELECT i, 'a' || i FROM generate_series(1, 300) i;
CREATE TABLE books (id int PRIMARY KEY, author_id int NOT NULL, price int);
INSERT INTO books SELECT i, i % 300 + 1, i % 50 FROM generate_series(1, 30000) i;
ANALYZE authors; ANALYZE books;";

/// Rows multiplied by a join, then made distinct again.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "fan-out-distinct",
        engine: Engine::Postgres,
        title: "A join multiplies rows that DISTINCT then removes",
        severity: Severity::High,
        since: None,
        page: "A join that is only there to ask whether a matching row exists gives one row per \
               match. DISTINCT, or GROUP BY without aggregates, then removes the copies.\n\n\
               All copies are made, and sorted or hashed, for nothing.\n\n\
               Ask with EXISTS: it stops at the first match and makes no copies, so no DISTINCT is \
               needed where the left side's key is selected. The index that serves the join serves \
               EXISTS too.",
        source: "measured: DISTINCT and a join → EXISTS 2.4 to 2.9 times faster",
        examples: &[
            Example {
                name: "authors with a dear book",
                setup: SETUP,
                statement: "SELECT DISTINCT a.id, a.name FROM authors a JOIN books b ON b.author_id = a.id WHERE b.price > 10",
                fires: true,
            },
            Example {
                name: "the same with EXISTS",
                setup: SETUP,
                statement: "SELECT a.id, a.name FROM authors a WHERE EXISTS (SELECT 1 FROM books b WHERE b.author_id = a.id AND b.price > 10)",
                fires: false,
            },
            Example {
                name: "a real aggregate",
                setup: SETUP,
                statement: "SELECT a.id, sum(b.price) FROM authors a JOIN books b ON b.author_id = a.id GROUP BY a.id",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    // A semi-join is made distinct by the planner itself; only the statement's own DISTINCT can
    // be written another way.
    let distinct = context.shape.blocks.iter().any(|block| block.distinct);
    if context.trivial() || !distinct {
        return Vec::new();
    }
    context
        .nodes()
        .filter(|at| at.node.op == "Unique" || at.node.op.contains("Aggregate"))
        .filter_map(|at| {
            let kept = at.node.actual_rows?;
            let join = join_below(at.node)?;
            let made = join.actual_rows?;
            let share = context.share(at.node) + context.share(join);
            if made < 1000.0 || made < 5.0 * kept.max(1.0) || share < SMALL {
                return None;
            }
            let title = format!(
                "a join makes {} rows of which {} are distinct",
                grouped(made),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share.min(1.0), title);
            draft.evidence.extend([number("rows joined", made), number("rows distinct", kept)]);
            draft.explanation =
                "Every match makes a copy of the row, and the copies are sorted or \
                 hashed away. EXISTS asks for the first match only."
                    .into();
            draft.proposals = context.rewrites("fan-out-distinct");
            draft.proposals.extend(context.indexes_below(join, &[Purpose::Join]));
            Some(draft)
        })
        .collect()
}

/// The join whose rows a Unique or Aggregate gets, through sorts and gathers.
fn join_below(node: &PlanNode) -> Option<&PlanNode> {
    let mut node = node.children.first()?;
    for _ in 0..6 {
        match cost::operation(node) {
            "Nested Loop" | "Hash Join" | "Merge Join" => {
                let kind = cost::text(node, "Join Type").unwrap_or("Inner");
                return matches!(kind, "Inner" | "Left" | "Right").then_some(node);
            }
            "Sort" | "Incremental Sort" | "Gather" | "Gather Merge" | "Unique" | "Aggregate"
            | "Result" | "Subquery Scan" => node = node.children.first()?,
            _ => return None,
        }
    }
    None
}
