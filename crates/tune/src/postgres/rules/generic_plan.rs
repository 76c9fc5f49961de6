use marula_core::{ChangeKind, Engine, Evidence, Example, PlanNode, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{draft, grouped, number, words};
use crate::{Draft, Proposal, Rule};

const SETUP: &str = "CREATE TABLE tasks (id int PRIMARY KEY, state int NOT NULL, w text);
INSERT INTO tasks SELECT i, CASE WHEN i % 1000 = 0 THEN i / 1000 + 1 ELSE 0 END, repeat('x', 60) FROM generate_series(1, 60000) i;
CREATE INDEX tasks_state_idx ON tasks (state);
ANALYZE tasks;
SET plan_cache_mode = force_generic_plan;
PREPARE by_state(int) AS SELECT count(w) FROM tasks WHERE state = $1;";

/// A plan made for any value, and wrong for this one.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "generic-plan",
        engine: Engine::Postgres,
        title: "A plan made for any value is wrong for this one",
        severity: Severity::High,
        since: Some(marula_core::Version::new(12, 0, 0)),
        page: "After five executions a prepared statement may get a generic plan: made once, \
               without looking at the values. Where values are not alike (one state with most of \
               the rows, another with ten), it expects the average and is wrong for both.\n\n\
               A plan with `$1` in its conditions is a generic one.\n\n\
               `plan_cache_mode = force_custom_plan` for the role or the function plans each time \
               for the values at hand. It costs planning, every time.",
        source: "EXPLAIN EXECUTE and auto_explain: $n in a condition, and the rows wrong by ten or more",
        examples: &[
            Example {
                name: "the state most tasks have",
                setup: SETUP,
                statement: "EXECUTE by_state(0)",
                fires: true,
            },
            Example {
                name: "planned for the value",
                setup: "CREATE TABLE tasks (id int PRIMARY KEY, state int NOT NULL, w text);
INSERT INTO tasks SELECT i, CASE WHEN i % 1000 = 0 THEN i / 1000 + 1 ELSE 0 END, repeat('x', 60) FROM generate_series(1, 60000) i;
CREATE INDEX tasks_state_idx ON tasks (state);
ANALYZE tasks;
SET plan_cache_mode = force_custom_plan;
PREPARE by_state(int) AS SELECT count(w) FROM tasks WHERE state = $1;",
                statement: "EXECUTE by_state(0)",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() || !context.plan.executed {
        return Vec::new();
    }
    // Results of subqueries are printed as $n, too, before 17.
    let subqueries = context.nodes().any(|at| {
        matches!(cost::text(at.node, "Parent Relationship"), Some("InitPlan" | "SubPlan"))
    });
    if subqueries {
        return Vec::new();
    }
    context
        .nodes()
        .filter_map(|at| {
            let condition = ["Index Cond", "Filter", "Recheck Cond"]
                .iter()
                .filter_map(|key| words(at.node, key))
                .find(|text| has_parameter(text))?;
            let (expected, came) =
                (at.node.estimated_rows?.max(1.0), at.node.actual_rows?.max(1.0));
            let factor = (came / expected).max(expected / came);
            let share = context.share_below(at.node);
            if factor < 10.0 || expected.max(came) < 100.0 || share < 0.1 || covered(at.node) {
                return None;
            }
            let title = format!(
                "a generic plan expects {} rows for {condition}, {} came",
                grouped(expected),
                grouped(came)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(condition.clone());
            draft.evidence.extend([
                Evidence::text("condition", condition),
                number("rows expected", expected),
                number("rows found", came),
            ]);
            draft.explanation = "The plan was made without the values. Planned for this one, it \
                                 may be another."
                .into();
            draft.proposals = vec![Proposal {
                kind: ChangeKind::Setting,
                title: "a plan for each set of values".into(),
                relation: None,
                up: vec!["SET plan_cache_mode = 'force_custom_plan'".into()],
                down: vec!["RESET plan_cache_mode".into()],
                hazards: vec!["the statement is planned each time it runs".into()],
                conditions: Vec::new(),
                gain: share * 0.5,
            }];
            Some(draft)
        })
        .take(1)
        .collect()
}

/// A bitmap's index scan has its heap scan above it.
fn covered(node: &PlanNode) -> bool {
    node.op == "Bitmap Index Scan"
}

/// `$1` outside of a text.
fn has_parameter(condition: &str) -> bool {
    let outside = condition.split('\'').step_by(2);
    outside.into_iter().any(|part| {
        part.match_indices('$')
            .any(|(at, _)| part[at + 1..].starts_with(|c: char| c.is_ascii_digit() && c != '0'))
    })
}
