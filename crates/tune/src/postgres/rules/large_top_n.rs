use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words};
use crate::{Draft, Rule};

/// A LIMIT above a sort of many rows.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "large-top-n",
        engine: Engine::Postgres,
        title: "Many rows are sorted for the first few",
        severity: Severity::High,
        since: None,
        page: "To find the first ten rows, all rows are read and passed through a sort that keeps \
               the best ten. Little memory is needed, but every row must be read.\n\n\
               An index with the compared columns first and the ordered columns after them, in the \
               same directions, gives the first rows at once.",
        source: "EXPLAIN ANALYZE: Sort Method top-N heapsort over 5,000 rows or more",
        examples: &[
            Example {
                name: "the newest ten of a customer's many",
                setup: "CREATE TABLE visits (id int PRIMARY KEY, customer int NOT NULL, at int NOT NULL, body text);
INSERT INTO visits SELECT i, i % 3, i * 7919 % 40000, repeat('x', 60) FROM generate_series(1, 40000) i;
ANALYZE visits;",
                statement: "SELECT * FROM visits WHERE customer = 2 ORDER BY at DESC LIMIT 10",
                fires: true,
            },
            Example {
                name: "an index in the order",
                setup: "CREATE TABLE visits (id int PRIMARY KEY, customer int NOT NULL, at int NOT NULL, body text);
INSERT INTO visits SELECT i, i % 3, i * 7919 % 40000, repeat('x', 60) FROM generate_series(1, 40000) i;
CREATE INDEX visits_customer_at_idx ON visits (customer, at);
ANALYZE visits;",
                statement: "SELECT * FROM visits WHERE customer = 2 ORDER BY at DESC LIMIT 10",
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
        .operations(&["Sort"])
        .filter_map(|at| {
            let method = cost::text(at.node, "Sort Method");
            let limited = at.parent.is_some_and(|parent| parent.op == "Limit");
            let top = match method {
                Some(method) => method.contains("top-N"),
                None => limited && !context.plan.executed,
            };
            let read = at.node.children.first().map(cost::rows)?;
            let share = context.share_below(at.node);
            if !top || read < 5000.0 || share < SMALL {
                return None;
            }
            let keys = words(at.node, "Sort Key").unwrap_or_default();
            let title = format!("{} rows are sorted by {keys} for the first few", grouped(read));
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(keys);
            draft.evidence.push(number("rows sorted", read));
            draft.evidence.push(number("rows kept", cost::rows(at.node)));
            draft.explanation = "All rows are read to find the first few. An index in this order, \
                 after the columns compared by `=`, is read only as far as the LIMIT goes."
                .into();
            draft.proposals = context.indexes_below(at.node, &[Purpose::Order]);
            Some(draft)
        })
        .collect()
}
