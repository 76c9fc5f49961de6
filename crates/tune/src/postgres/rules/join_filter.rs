use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE rates (id int PRIMARY KEY, since int, till int, rate int);
INSERT INTO rates SELECT i, i * 10, i * 10 + 9, i FROM generate_series(1, 1500) i;
CREATE TABLE sales (id int PRIMARY KEY, day int, rate_id int);
INSERT INTO sales SELECT i, i * 7 % 15000, i % 1500 FROM generate_series(1, 1500) i;
ANALYZE rates; ANALYZE sales;";

/// A join that pairs many rows to keep few.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "join-filter",
        engine: Engine::Postgres,
        title: "A join pairs many rows and throws nearly all pairs away",
        severity: Severity::High,
        since: None,
        page: "The rows of both sides are paired one with one, and a condition is checked on each \
               pair. The server can hash, merge and look up by equality only; a condition such as \
               BETWEEN, OR or a function call leaves pairing everything.\n\n\
               The work is rows × rows.\n\n\
               Give the join an equality as well (a day, a tenant, a key the two sides share), or \
               an index on the compared columns so that each outer row finds its range.",
        source: "pgMustard: Rows Removed by Join Filter far above the rows kept",
        examples: &[
            Example {
                name: "a join by BETWEEN",
                setup: SETUP,
                statement: "SELECT count(*) FROM sales s JOIN rates r ON s.day BETWEEN r.since AND r.till",
                fires: true,
            },
            Example {
                name: "a join by equality",
                setup: SETUP,
                statement: "SELECT count(*) FROM sales s JOIN rates r ON s.rate_id = r.id",
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
            let each = cost::number(at.node, "Rows Removed by Join Filter")?;
            let removed = each * at.node.loops.unwrap_or(1) as f64;
            let kept = at.node.actual_rows?;
            let share = context.share(at.node);
            if removed < 10_000.0 || removed < 10.0 * kept || share < SMALL {
                return None;
            }
            let condition = words(at.node, "Join Filter").unwrap_or_default();
            let title =
                format!("{} pairs are made to keep {}", grouped(removed + kept), grouped(kept));
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(condition.clone());
            draft.evidence.extend([
                number("pairs thrown away", removed),
                number("pairs kept", kept),
                Evidence::text("join filter", condition),
            ]);
            draft.explanation =
                "The condition cannot be hashed, merged or looked up, so every row \
                 of one side meets every row of the other. An equality that both sides share, or \
                 an index on the compared columns, narrows the pairs before they are made."
                    .into();
            draft.proposals = context.indexes_below(at.node, &[Purpose::Join]);
            Some(draft)
        })
        .collect()
}
