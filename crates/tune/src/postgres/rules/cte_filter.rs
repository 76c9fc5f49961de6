use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose, cost};
use super::support::{SMALL, draft, grouped, number, words};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE readings (id int PRIMARY KEY, sensor int, v int);
INSERT INTO readings SELECT i, i % 1000, i FROM generate_series(1, 40000) i;
CREATE INDEX readings_sensor_idx ON readings (sensor);
ANALYZE readings;";

/// A filter that comes after a CTE instead of inside it.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "cte-filter",
        engine: Engine::Postgres,
        title: "A CTE is computed whole, then filtered",
        severity: Severity::High,
        since: Some(marula_core::Version::new(12, 0, 0)),
        page: "A WITH query that is MATERIALIZED, or used more than once, is computed in full and \
               kept. Conditions on its result cannot reach into it, and no index helps.\n\n\
               `AS NOT MATERIALIZED` lets the planner merge the query into its surroundings, where \
               the conditions reach the tables. It means the same unless the query has volatile \
               functions or changes data. A CTE that is dear and used often may be better kept: \
               measure.",
        source: "measured: an inlined CTE over 1,500 times faster",
        examples: &[
            Example {
                name: "a MATERIALIZED CTE",
                setup: SETUP,
                statement: "WITH r AS MATERIALIZED (SELECT * FROM readings) SELECT * FROM r WHERE sensor = 5",
                fires: true,
            },
            Example {
                name: "a CTE the planner inlines",
                setup: SETUP,
                statement: "WITH r AS (SELECT * FROM readings) SELECT * FROM r WHERE sensor = 5",
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
        .operations(&["CTE Scan"])
        .filter_map(|at| {
            let filter = words(at.node, "Filter")?;
            let removed = cost::removed(at.node);
            let kept = at.node.actual_rows?;
            let share = context.share_below(at.node);
            let share = if share < SMALL { context.share(at.node) } else { share };
            if removed < 1000.0 || removed < kept || share < SMALL {
                return None;
            }
            let name = cost::text(at.node, "CTE Name").unwrap_or("the CTE");
            let title = format!(
                "{name} is computed whole, {} rows, and {} are kept",
                grouped(removed + kept),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(filter.clone());
            draft.evidence.extend([
                number("rows computed", removed + kept),
                number("rows kept", kept),
                Evidence::text("filter", filter),
            ]);
            draft.explanation = format!(
                "The condition is checked on the stored result of {name}; it cannot reach the \
                 tables inside, nor their indexes. NOT MATERIALIZED lets it."
            );
            draft.proposals = context.rewrites("cte-filter");
            if !draft.proposals.is_empty() {
                // Once the condition gets there, an index can serve it.
                let stored = format!("CTE {name}");
                let inside = context
                    .nodes()
                    .filter(|at| cost::text(at.node, "Subplan Name") == Some(stored.as_str()));
                let purposes = [Purpose::Filter, Purpose::Order];
                draft
                    .proposals
                    .extend(inside.flat_map(|at| context.indexes_below(at.node, &purposes)));
            }
            Some(draft)
        })
        .collect()
}
