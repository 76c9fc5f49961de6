use marula_core::{Engine, Example, PlanNode, RuleInfo, Severity};

use super::super::{At, Context, Purpose, cost};
use super::support::{SMALL, called, draft, grouped, number};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE orders (id int PRIMARY KEY, customer_id int, body text);
INSERT INTO orders SELECT i, i % 2000, repeat('x', 60) FROM generate_series(1, 40000) i;
CREATE TABLE customers (id int PRIMARY KEY, country text);
INSERT INTO customers SELECT i, CASE WHEN i % 500 = 0 THEN 'IS' ELSE 'DE' END FROM generate_series(0, 1999) i;
ANALYZE orders; ANALYZE customers;";

/// A join whose inner side is read whole.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "unindexed-inner",
        engine: Engine::Postgres,
        title: "A join reads a whole table for the few rows that match",
        severity: Severity::High,
        since: None,
        page: "For each row of one side, or once into a hash table, the other table is read from \
               end to end, because no index begins with the column it is joined by.\n\n\
               In a nested loop the cost is rows × rows. A hash join reads the table once, but all \
               of it, even when a handful of rows match.\n\n\
               PostgreSQL indexes primary keys, not foreign keys. Make an index that begins with \
               the joined column, with the columns compared by `=` after it.",
        source: "pgMustard and pganalyze: a nested loop over a Seq Scan or Materialize with over \
                 1,000 loops; a hash join that keeps less than a tenth of the table it reads",
        examples: &[
            Example {
                name: "a foreign key without an index",
                setup: SETUP,
                statement: "SELECT c.id, o.body FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.country = 'IS'",
                fires: true,
            },
            Example {
                name: "a nested loop over a whole table",
                setup: "CREATE TABLE a (id int, x int); CREATE TABLE b (id int, y int);
INSERT INTO a SELECT i, i FROM generate_series(1, 2000) i;
INSERT INTO b SELECT i, i FROM generate_series(1, 2000) i;
ANALYZE a; ANALYZE b;
SET enable_hashjoin = off; SET enable_mergejoin = off;",
                statement: "SELECT count(*) FROM a JOIN b ON a.x = b.y",
                fires: true,
            },
            Example {
                name: "few rows are kept, but all of the other side must be looked up",
                setup: SETUP,
                statement: "SELECT c.id FROM orders c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
                fires: false,
            },
            Example {
                name: "all rows of both sides match",
                setup: SETUP,
                statement: "SELECT count(*), max(o.body) FROM customers c JOIN orders o ON o.customer_id = c.id",
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
    let joins = context.operations(&["Nested Loop", "Hash Join", "Merge Join"]);
    joins
        .filter_map(|at| {
            if cost::operation(at.node) == "Nested Loop" {
                nested(context, &at)
            } else {
                hashed(context, &at)
            }
        })
        .collect()
}

/// A nested loop that reads its inner table, or the stored rows of it, again and again.
fn nested(context: &Context, at: &At<'_>) -> Option<Draft> {
    let inner = at.node.children.get(1)?;
    let scan = match inner.op.as_str() {
        "Materialize" => inner.children.first()?,
        _ => inner,
    };
    if !scan.op.ends_with("Seq Scan") {
        return None;
    }
    let loops =
        inner.loops.map_or_else(|| at.node.children[0].estimated_rows, |n| Some(n as f64))?;
    let share = context.share_below(inner).max(context.share(at.node));
    let rows = cost::rows(scan) / scan.loops.unwrap_or(1).max(1) as f64
        + cost::removed(scan) / scan.loops.unwrap_or(1).max(1) as f64;
    // Few times matter, too, when they are where the time goes.
    let often = loops >= 1000.0 || (share >= 0.3 && loops * rows >= 5000.0);
    if !often || share < SMALL || rows < 2.0 {
        return None;
    }
    let name = called(scan);
    let title = match loops {
        n if n < 2.0 => format!("{name} is read whole inside a join"),
        _ => format!("{name} is read whole {} times inside a join", grouped(loops)),
    };
    let mut draft = draft(context, at, share, title);
    draft.place.relation = scan.relation.clone();
    draft.evidence.extend([number("times", loops), number("rows each time", rows)]);
    draft.explanation = format!(
        "Every row of the outer side walks through {} rows of {name}. With an index that begins \
         with the joined column each walk becomes a look-up.",
        grouped(rows)
    );
    draft.proposals = context.indexes(scan, &[Purpose::Join]);
    Some(draft)
}

/// A hash or merge join that reads a table whole and keeps little of it.
fn hashed(context: &Context, at: &At<'_>) -> Option<Draft> {
    let joined = cost::rows(at.node);
    // The rows of an IN or EXISTS may be made distinct first, to be joined as they are.
    let semi = context.shape.blocks.iter().any(|block| block.semi);
    let [left, right] = at.node.children.as_slice() else { return None };
    let scans = [(left, right), (right, left)]
        .into_iter()
        .filter_map(|(input, other)| Some((whole_scan(input, semi)?, other)));
    let (scan, other) = scans.max_by(|(a, _), (b, _)| read(a).total_cmp(&read(b)))?;
    // An index would be asked once for each row of the other side, whatever comes of it: an
    // anti join keeps few and still asks for all.
    if cost::rows(other) > read(scan) * 0.1 {
        return None;
    }
    let share = context.share(scan);
    if read(scan) < 5000.0 || joined > read(scan) * 0.1 || share < SMALL {
        return None;
    }
    // A filter on the scan itself is the selective scan's case.
    if cost::rows(scan) < read(scan) * 0.1 {
        return None;
    }
    let name = called(scan);
    let title = format!(
        "a join reads all {} rows of {name} to keep {}",
        grouped(read(scan)),
        grouped(joined)
    );
    let mut draft = draft(context, at, (share + context.share(at.node)).min(1.0), title);
    draft.place.relation = scan.relation.clone();
    draft.evidence.extend([number("rows read", read(scan)), number("rows joined", joined)]);
    draft.explanation = format!(
        "The other side of the join is small, but nothing leads from it to its rows in {name}, so \
         the whole table is read and hashed. With an index that begins with the joined column only \
         the matching rows are read."
    );
    draft.proposals = context.indexes(scan, &[Purpose::Join]);
    Some(draft)
}

fn read(scan: &PlanNode) -> f64 {
    cost::rows(scan) + cost::removed(scan)
}

/// The sequential scan an input is, through nodes that only gather or store.
fn whole_scan(input: &PlanNode, semi: bool) -> Option<&PlanNode> {
    let mut node = input;
    for _ in 0..5 {
        if node.op.ends_with("Seq Scan") {
            return Some(node);
        }
        match node.op.as_str() {
            "Hash" | "Parallel Hash" | "Sort" | "Gather" | "Gather Merge" | "Materialize" => {
                node = node.children.first()?;
            }
            op if semi && (op == "Unique" || op.ends_with("Aggregate")) => {
                node = node.children.first()?;
            }
            _ => return None,
        }
    }
    None
}
