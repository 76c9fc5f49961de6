use std::collections::BTreeSet;

use marula_core::{Engine, Evidence, Example, RelationKind, RuleInfo, Severity};

use super::super::Context;
use super::support::{SMALL, analyze, draft_of_relation, grouped, number};
use crate::{Draft, Rule};

/// Statistics that are older than the data.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "stale-statistics",
        engine: Engine::Postgres,
        title: "A table was never analysed, or much changed since",
        severity: Severity::Medium,
        since: None,
        page: "The planner knows the data by what ANALYZE last saw. A table that was never \
               analysed is planned by guesses; one of which more than a fifth changed since is \
               planned for data that is gone.\n\n\
               Autovacuum analyses after a tenth of the rows changed (by default), but not \
               temporary tables, not the parents of partitions, and not in the minute after a bulk \
               load.\n\n\
               Run ANALYZE on the table.",
        source: "pg_stat_all_tables.n_mod_since_analyze, last_analyze and last_autoanalyze",
        examples: &[
            Example {
                name: "never analysed",
                setup: "CREATE TABLE fresh (id int, kind int) WITH (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, i % 10 FROM generate_series(1, 30000) i;",
                statement: "SELECT count(*) FROM fresh WHERE kind = 3",
                fires: true,
            },
            Example {
                name: "analysed after the load",
                setup: "CREATE TABLE fresh (id int, kind int) WITH (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, i % 10 FROM generate_series(1, 30000) i;
ANALYZE fresh;",
                statement: "SELECT count(*) FROM fresh WHERE kind = 3",
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
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for at in context.nodes() {
        let Some(relation) = context.relation(at.node) else { continue };
        let share = context.share(at.node);
        let stored = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::Partition | RelationKind::MaterializedView
        );
        if !stored || share < SMALL || !seen.insert(relation.qualified()) {
            continue;
        }
        let live = (relation.activity.live_rows as f64).max(relation.rows.unwrap_or(0.0));
        let modified = relation.activity.modified_since_analyze as f64;
        let never = relation.activity.last_analyze.is_none()
            && relation.columns.iter().all(|column| column.statistics.is_none());
        if live.max(modified) < 1000.0 || !(never || modified > live * 0.2) {
            continue;
        }
        let title = match never {
            true => format!("{} was never analysed", relation.name),
            false => format!(
                "{} of {} rows of {} changed since the last ANALYZE",
                grouped(modified),
                grouped(live),
                relation.name
            ),
        };
        let mut draft = draft_of_relation(relation, Severity::Medium, title);
        draft.share = share;
        draft.place.node = Some(at.path.clone());
        draft.evidence =
            vec![number("rows", live), number("rows changed since the last ANALYZE", modified)];
        if let Some(last) = &relation.activity.last_analyze {
            draft.evidence.push(Evidence::text("last ANALYZE", last.clone()));
        }
        draft.explanation = "The planner chooses by statistics that do not describe the data; its \
             row counts, and with them the join methods, are guesses."
            .into();
        draft.proposals = vec![analyze(relation, share * 0.3)];
        found.push(draft);
    }
    found
}
