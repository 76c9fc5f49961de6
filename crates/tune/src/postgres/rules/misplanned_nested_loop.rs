use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::misestimate;
use super::support::{draft, grouped, number, part, scan_below};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE parts (id int PRIMARY KEY, colour int NOT NULL, shade int NOT NULL, tone int NOT NULL, hue int NOT NULL);
INSERT INTO parts SELECT i, i % 20, i % 20, i % 20, i % 20 FROM generate_series(1, 20000) i;
CREATE TABLE uses (id int PRIMARY KEY, part_id int NOT NULL, n int);
INSERT INTO uses SELECT i, i % 20000 + 1, i FROM generate_series(1, 60000) i;
CREATE INDEX uses_part_id_idx ON uses (part_id);
ANALYZE parts; ANALYZE uses;";

/// A nested loop chosen for one row that got many.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "misplanned-nested-loop",
        engine: Engine::Postgres,
        title: "A nested loop planned for one row runs for many",
        severity: Severity::High,
        since: None,
        page: "A nested loop reads its inner side once for each outer row. For one row nothing is \
               quicker. The planner expected one; many came, and the inner side was read for each.\n\n\
               A hash join would have read it once.\n\n\
               Mend the estimate of the outer side: ANALYZE, CREATE STATISTICS for columns that go \
               together, statistics of an expression. Where no statistics help, compute the outer \
               side first with AS MATERIALIZED, or give the inner side an index on the join column.",
        source: "pganalyze: outer estimate of one row, ten or more came, and the inner side takes \
                 over 10 % of the time",
        examples: &[
            Example {
                name: "four columns that say the same",
                setup: SETUP,
                statement: "SELECT count(u.n) FROM parts p JOIN uses u ON u.part_id = p.id WHERE p.colour = 7 AND p.shade = 7 AND p.tone = 7 AND p.hue = 7",
                fires: true,
            },
            Example {
                name: "one column",
                setup: SETUP,
                statement: "SELECT count(u.n) FROM parts p JOIN uses u ON u.part_id = p.id WHERE p.colour = 7",
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
        .operations(&["Nested Loop"])
        .filter_map(|at| {
            let [outer, inner] = at.node.children.as_slice() else { return None };
            let loops = outer.loops.filter(|loops| *loops > 0)? as f64;
            let expected = cost::number(outer, "Plan Rows")?;
            let came = outer.actual_rows? / loops;
            let share = context.share_below(inner);
            if expected > 1.5 || came < 10.0 || share < 0.1 {
                return None;
            }
            let title = format!(
                "a nested loop for {} expected rows ran for {}",
                grouped(expected),
                grouped(came * loops)
            );
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("outer rows expected", expected),
                number("outer rows found", came),
                part("share of the inner side", share),
            ]);
            draft.explanation = "For one row a nested loop is the best join; for many the inner \
                 side is read again and again. A right estimate of the outer side leads to another \
                 join; AS MATERIALIZED around the outer side forces it."
                .into();
            draft.proposals = scan_below(outer)
                .map(|scan| misestimate::proposals(context, scan, share * 0.6))
                .unwrap_or_default();
            draft.proposals.extend(context.indexes_below(inner, &[Purpose::Join]));
            Some(draft)
        })
        .collect()
}
