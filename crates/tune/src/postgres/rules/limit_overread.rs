use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::rewrites::keyset_advice;
use super::super::{Context, Purpose, cost};
use super::support::{draft, grouped, number};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE posts (id int PRIMARY KEY, body text);
INSERT INTO posts SELECT i, repeat('x', 60) FROM generate_series(1, 40000) i;
ANALYZE posts;";

/// A LIMIT that is handed far more rows than it passes on: OFFSET.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "limit-overread",
        engine: Engine::Postgres,
        title: "OFFSET reads and drops all rows before the page",
        severity: Severity::High,
        since: None,
        page: "`LIMIT 20 OFFSET 10000` produces 10,020 rows and throws 10,000 away. Page 500 costs \
               500 times page 1.\n\n\
               Ask for what comes after the last row seen (keyset pagination): `WHERE (at, id) < \
               ($1, $2) ORDER BY at DESC, id DESC LIMIT 20`, with an index over (at, id). Each \
               page then costs the same, and rows that are added meanwhile do not shift the pages.\n\n\
               It is a change of the interface: the caller keeps the last row's keys instead of a \
               page number, the order must be total, and the keys NOT NULL. So it is told, not \
               done.",
        source: "measured: keyset instead of OFFSET 12 to 15 times faster",
        examples: &[
            Example {
                name: "a page far back",
                setup: SETUP,
                statement: "SELECT * FROM posts ORDER BY id LIMIT 20 OFFSET 20000",
                fires: true,
            },
            Example {
                name: "the first page",
                setup: SETUP,
                statement: "SELECT * FROM posts ORDER BY id LIMIT 20",
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
            let given = at.node.actual_rows?;
            let child = at.node.children.first()?;
            let read = child.actual_rows?;
            let share = context.share_below(child);
            if read < 1000.0 || read < 10.0 * given.max(1.0) || share < 0.1 {
                return None;
            }
            // Workers each fill the LIMIT; that is not an OFFSET.
            if child.op.starts_with("Gather") && cost::rows(child) < 2.0 * given {
                return None;
            }
            let title = format!("{} rows are produced to return {}", grouped(read), grouped(given));
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([number("rows produced", read), number("rows returned", given)]);
            draft.explanation = "The rows before the page are produced and dropped, each time. \
                 Keyset pagination (the keys of the last row seen, in the WHERE) starts at the \
                 page; it needs a unique order and changes what the caller passes."
                .into();
            if let (Some(statement), Some(catalog)) = (&context.statement, &context.catalog)
                && let Some(advice) = keyset_advice(statement, catalog)
            {
                draft.explanation = format!("{} {advice}", draft.explanation);
            }
            draft.proposals = context.rewrites("limit-overread");
            draft.proposals.extend(context.indexes_below(at.node, &[Purpose::Order]));
            Some(draft)
        })
        .collect()
}
