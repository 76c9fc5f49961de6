use marula_core::{Engine, Example, PlanNode, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{called, draft, grouped, number};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE events (id int PRIMARY KEY, kind int, at timestamp NOT NULL, body text);
INSERT INTO events SELECT i, CASE WHEN i < 400 THEN 7 ELSE i % 5 END, timestamp '2026-01-01' + i * interval '1 minute', repeat('x', 60) FROM generate_series(1, 40000) i;
CREATE INDEX events_at_idx ON events (at);
ANALYZE events;";

/// A LIMIT that walks an index in order and filters along the way.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "wrong-order-index",
        engine: Engine::Postgres,
        title: "A LIMIT walks an index for its order and throws most rows away",
        severity: Severity::High,
        since: None,
        page: "The planner reads an index that has the ORDER BY's order, hoping to meet enough \
               matching rows soon. The matching rows lie far away, and thousands are read and \
               thrown away before the LIMIT is full.\n\n\
               The planner assumes matching rows are spread evenly; real data is not. The same \
               statement may take a millisecond for one value and minutes for another.\n\n\
               Make an index with the compared columns first and the ordered column after them: it \
               is both the order and the way to the rows.",
        source: "pganalyze `wrong index due to ORDER BY`: a Limit above an Index Scan without \
                 Index Cond, 1,000 rows examined, under 5 % kept",
        examples: &[
            Example {
                name: "the rare kind lies at the far end",
                setup: SETUP,
                statement: "SELECT * FROM events WHERE kind = 7 ORDER BY at DESC LIMIT 5",
                fires: true,
            },
            Example {
                name: "matching rows lie at the near end",
                setup: SETUP,
                statement: "SELECT * FROM events WHERE kind = 3 ORDER BY at DESC LIMIT 5",
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
        .operations(&["Limit"])
        .filter_map(|at| {
            let scan = ordered_scan(at.node)?;
            let kept = scan.actual_rows?;
            let read = kept + cost::removed(scan);
            if scan.native.get("Index Cond").is_some() || read < 1000.0 || kept > read * 0.05 {
                return None;
            }
            let share = context.share_below(scan);
            let name = called(scan);
            let title = format!(
                "the LIMIT walks {} rows of {name} in order to find {}",
                grouped(read),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.relation = scan.relation.clone();
            draft.place.index = scan.index.clone();
            draft.place.expression =
                scan.native.get("Filter").and_then(|f| f.as_str()).map(Into::into);
            draft.evidence.extend([number("rows read", read), number("rows kept", kept)]);
            draft.explanation = format!(
                "The index is read for its order alone; the condition is checked on each row until \
                 the LIMIT is full, which took {} rows. An index with the compared columns first \
                 and the ordered ones after them goes straight to the rows, in order.",
                grouped(read)
            );
            draft.proposals = context.indexes(scan, &[Purpose::Order, Purpose::Filter]);
            Some(draft)
        })
        .collect()
}

/// The index scan a Limit reads through nodes that keep the order.
fn ordered_scan(limit: &PlanNode) -> Option<&PlanNode> {
    let mut node = limit.children.first()?;
    for _ in 0..8 {
        let op = cost::operation(node);
        if op == "Index Scan" || op == "Index Only Scan" {
            return Some(node);
        }
        match op {
            "Result" | "Gather Merge" | "ProjectSet" | "LockRows" | "Subquery Scan"
            | "Nested Loop" | "Memoize" => node = node.children.first()?,
            _ => return None,
        }
    }
    None
}
