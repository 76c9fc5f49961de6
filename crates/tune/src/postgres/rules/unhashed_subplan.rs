use marula_core::{Engine, Example, PlanNode, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{draft, grouped, number, scan_below};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE people (id int PRIMARY KEY, name text);
INSERT INTO people SELECT i, 'p' || i FROM generate_series(1, 1500) i;
CREATE TABLE payments (id int PRIMARY KEY, person_id int NOT NULL, amount int);
INSERT INTO payments SELECT i, i % 1400, i FROM generate_series(1, 3000) i;
ANALYZE people; ANALYZE payments;";

/// A subquery that runs once per row.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "unhashed-subplan",
        engine: Engine::Postgres,
        title: "A subquery runs once per row",
        severity: Severity::High,
        since: None,
        page: "A subquery in the select list or in a condition that refers to the outer row is run \
               for each outer row. PostgreSQL turns EXISTS and IN into joins, but not subqueries \
               that compute something.\n\n\
               The time is rows × the subquery's time.\n\n\
               Compute the aggregate once for all groups and join it, or give the subquery an \
               index on the column it is correlated by.",
        source: "EXPLAIN: SubPlan without `hashed` in over 1,000 loops, or in ten that take a third of the time; measured: over 60 s → 2.3 s \
                 without an index, 1.3 times with one",
        examples: &[
            Example {
                name: "a sum per person",
                setup: SETUP,
                statement: "SELECT p.id, (SELECT sum(amount) FROM payments y WHERE y.person_id = p.id) AS paid FROM people p",
                fires: true,
            },
            Example {
                name: "one sum for all",
                setup: SETUP,
                statement: "SELECT p.id, (SELECT sum(amount) FROM payments y) AS paid FROM people p",
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
            let name = subplan(at.node)?;
            let loops = match (at.node.loops, at.parent) {
                (Some(loops), _) => loops as f64,
                (None, Some(parent)) if !context.plan.executed => cost::rows(parent),
                _ => return None,
            };
            let share = match context.plan.executed {
                true => context.share_below(at.node),
                false => (context.share_below(at.node) * loops).min(1.0),
            };
            // Few runs matter, too, when they are where the time goes.
            let matters = if loops < 1000.0 { loops >= 10.0 && share >= 0.3 } else { share >= 0.1 };
            if !matters {
                return None;
            }
            let title = format!("{name} runs {} times, once per row", grouped(loops));
            let mut draft = draft(context, &at, share, title);
            draft.evidence.push(number("times", loops));
            if let Some(ms) = at.node.total_ms {
                draft.evidence.push(marula_core::Evidence::number(
                    "each run",
                    ms / loops,
                    Some("ms"),
                ));
            }
            draft.explanation = "The subquery depends on the outer row and is run for each. \
                 Computed once for all groups and joined, it runs once; with an index on the \
                 column it is correlated by, each run is short."
                .into();
            draft.proposals = context.rewrites("unhashed-subplan");
            if let Some(scan) = scan_below(at.node) {
                draft.proposals.extend(
                    context.indexes(scan, &[Purpose::Join, Purpose::Filter, Purpose::Order]),
                );
            }
            Some(draft)
        })
        .collect()
}

/// The name of the subplan a node is the top of; `None` for other nodes and for hashed ones,
/// which run once.
fn subplan(node: &PlanNode) -> Option<&str> {
    let under = cost::text(node, "Parent Relationship")?;
    let name = cost::text(node, "Subplan Name")?;
    (under == "SubPlan" && !name.starts_with("CTE")).then_some(name)
}
