use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{draft, number};
use crate::{Draft, Rule};

/// Finding the plan takes longer than carrying it out.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "planning-time",
        engine: Engine::Postgres,
        title: "Planning takes longer than running",
        severity: Severity::Medium,
        since: None,
        page: "The planner looks at every index of every table, every partition, and every order \
               of joins. For a statement that then runs a moment, this is most of the wait.\n\n\
               Many partitions that are not pruned, many joins and very large statistics targets \
               cost most.\n\n\
               Prepare the statement once and execute it often (a generic plan is planned once); \
               keep partitions to hundreds, not thousands, and give a condition on their key; drop \
               indexes nobody uses; write the joins in a good order and lower \
               join_collapse_limit.",
        source: "EXPLAIN (SUMMARY): planning over execution, and over 5 ms",
        examples: &[
            Example {
                name: "nine tables for a row",
                setup: "CREATE TABLE n (id int PRIMARY KEY, a int, b int);
INSERT INTO n SELECT i, i, i FROM generate_series(1, 100) i;
ANALYZE n;
SET join_collapse_limit = 12; SET from_collapse_limit = 12; SET geqo = off;",
                statement: "SELECT n1.id FROM n n1 JOIN n n2 USING (id) JOIN n n3 USING (id) JOIN n n4 USING (id) JOIN n n5 USING (id) JOIN n n6 USING (id) JOIN n n7 USING (id) JOIN n n8 USING (id) JOIN n n9 USING (id) WHERE n1.b = 5",
                fires: true,
            },
            Example {
                name: "two tables",
                setup: "CREATE TABLE n (id int PRIMARY KEY, a int, b int);
INSERT INTO n SELECT i, i, i FROM generate_series(1, 100) i;
ANALYZE n;",
                statement: "SELECT n1.id FROM n n1 JOIN n n2 ON n2.id = n1.a WHERE n1.b = 5",
                fires: false,
            },
        ],
    },
    check,
};

/// Below this nobody waits for a plan.
const LONG_MS: f64 = 5.0;

fn check(context: &Context) -> Vec<Draft> {
    let (Some(planning), Some(running)) =
        (context.plan.planning_ms, context.plan.execution_ms.or(cost::total_ms(&context.plan)))
    else {
        return Vec::new();
    };
    if planning < LONG_MS || planning < running {
        return Vec::new();
    }
    let Some(at) = context.nodes().next() else { return Vec::new() };
    let scans = context.nodes().filter(|at| at.node.relation.is_some()).count();
    let title = format!("planned for {planning:.1} ms, run for {running:.1} ms");
    let mut draft = draft(context, &at, planning / (planning + running), title);
    draft.evidence = vec![
        Evidence::number("planning", (planning * 10.0).round() / 10.0, Some("ms")),
        Evidence::number("execution", (running * 10.0).round() / 10.0, Some("ms")),
        number("relations in the plan", scans as f64),
    ];
    draft.explanation =
        "What is sent often is best prepared once. Partitions that are not pruned, \
                         long joins and many indexes make the search long."
            .into();
    vec![draft]
}
