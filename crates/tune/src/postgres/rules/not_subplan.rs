use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::Context;
use super::support::{draft, number, words};
use crate::{Draft, Rule};

const TABLES: &str = "CREATE TABLE visitors (id int PRIMARY KEY, mail int NOT NULL);
INSERT INTO visitors SELECT i, i FROM generate_series(1, 20000) i;
CREATE TABLE blocked (id int PRIMARY KEY, mail int NOT NULL);
INSERT INTO blocked SELECT i, i * 3 FROM generate_series(1, 5000) i;
ANALYZE visitors; ANALYZE blocked;";

/// `NOT IN (SELECT …)`, which cannot become a join.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "not-subplan",
        engine: Engine::Postgres,
        title: "NOT IN (SELECT …) is checked row by row",
        severity: Severity::High,
        since: None,
        page: "`x NOT IN (SELECT y …)` is unknown as soon as one y is NULL, so the server may not \
               turn it into an anti-join. While the subquery's result fits in work_mem it is \
               hashed; one row more and the whole result is walked for every outer row.\n\n\
               The cliff is hidden: it is passed on the day the table outgrows work_mem.\n\n\
               Where neither side can be NULL, `NOT EXISTS (SELECT 1 … WHERE y = x)` means the \
               same and is planned as a join. Where a side can be NULL, decide what a NULL shall \
               mean, and write it so.",
        source: "measured: 1.1 times faster while hashed, over 60 s → 0.57 s when not",
        examples: &[
            Example {
                name: "NOT IN over a table",
                setup: TABLES,
                statement: "SELECT count(*) FROM visitors WHERE mail NOT IN (SELECT mail FROM blocked)",
                fires: true,
            },
            Example {
                name: "NOT EXISTS over the same",
                setup: TABLES,
                statement: "SELECT count(*) FROM visitors v WHERE NOT EXISTS (SELECT 1 FROM blocked b WHERE b.mail = v.mail)",
                fires: false,
            },
            Example {
                name: "NOT IN a list",
                setup: TABLES,
                statement: "SELECT count(*) FROM visitors WHERE mail NOT IN (1, 2, 3)",
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
        .filter_map(|at| {
            let filter = words(at.node, "Filter")?;
            // 15 prints `(NOT (hashed SubPlan 1))`; since 17 `(NOT (ANY (mail = (hashed SubPlan
            // 1).col1)))`; unhashed `<> ALL`.
            let negated = filter.contains("SubPlan")
                && (filter.contains("NOT (hashed SubPlan")
                    || filter.contains("NOT (SubPlan")
                    || filter.contains("NOT (ANY (")
                    || filter.contains("(ALL ("));
            if !negated {
                return None;
            }
            let hashed = filter.contains("hashed SubPlan");
            let share = context.share_below(at.node);
            if hashed && share < 0.05 {
                return None;
            }
            let how = if hashed { "against a hash table" } else { "by walking the whole subquery" };
            let title = format!("NOT IN (SELECT …) is checked row by row, {how}");
            let mut draft = draft(context, &at, share, title);
            if hashed {
                draft.severity = draft.severity.min(Severity::Medium);
            }
            draft.place.expression = Some(filter.clone());
            draft.evidence.extend([
                Evidence::text("filter", filter),
                number(
                    "rows checked",
                    super::super::cost::rows(at.node) + super::super::cost::removed(at.node),
                ),
            ]);
            draft.explanation = "NOT IN cannot become a join, because one NULL in the subquery \
                 changes its meaning. Where both sides are NOT NULL, NOT EXISTS means the same and \
                 is joined."
                .into();
            draft.proposals = context.rewrites("not-subplan");
            Some(draft)
        })
        .collect()
}
