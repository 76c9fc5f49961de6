use marula_core::{ChangeKind, Engine, Evidence, Example, Json, RuleInfo, Severity};
use marula_postgres::sql::quote_ident;

use super::super::{Context, cost};
use super::support::{draft, number, part, quoted};
use crate::{Draft, Proposal, Rule};

/// A write that spends its time in triggers.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "trigger-time",
        engine: Engine::Postgres,
        title: "A write spends its time in triggers",
        severity: Severity::High,
        since: None,
        page: "A foreign key is kept by triggers. When a row is deleted, or its key changes, the \
               trigger looks for rows that refer to it. PostgreSQL makes no index on the referring \
               column by itself: without one, each deleted row costs a scan of the other table.\n\n\
               Make an index on the columns of the foreign key, in the table that refers.\n\n\
               Triggers of your own run once per row: FOR EACH STATEMENT with transition tables does \
               the work for all rows at once.",
        source: "EXPLAIN ANALYZE: trigger time over 20 % of the execution",
        examples: &[
            Example {
                name: "a foreign key without an index",
                setup: "CREATE TABLE owners (id int PRIMARY KEY);
INSERT INTO owners SELECT i FROM generate_series(1, 2000) i;
CREATE TABLE pets (id int PRIMARY KEY, owner_id int REFERENCES owners);
INSERT INTO pets SELECT i, i % 1000 + 1 FROM generate_series(1, 20000) i;
ANALYZE owners; ANALYZE pets;",
                statement: "DELETE FROM owners WHERE id > 1990",
                fires: true,
            },
            Example {
                name: "with an index",
                setup: "CREATE TABLE owners (id int PRIMARY KEY, w text);
INSERT INTO owners SELECT i, repeat('x', 500) FROM generate_series(1, 40000) i;
CREATE TABLE pets (id int PRIMARY KEY, owner_id int REFERENCES owners);
INSERT INTO pets SELECT i, i % 1000 + 1 FROM generate_series(1, 20000) i;
CREATE INDEX pets_owner_id_idx ON pets (owner_id);
ANALYZE owners; ANALYZE pets;",
                statement: "DELETE FROM owners WHERE w LIKE '%y%' OR id = 39999",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let total = context.plan.execution_ms.or(cost::total_ms(&context.plan)).unwrap_or(0.0);
    let Some(at) = context.nodes().next().filter(|_| total >= 1.0) else { return Vec::new() };
    let triggers = at.node.native.get("Triggers").and_then(Json::as_array);
    triggers
        .into_iter()
        .flatten()
        .filter_map(|trigger| {
            let ms = trigger.get("Time").and_then(Json::as_f64)?;
            let calls = trigger.get("Calls").and_then(Json::as_f64)?;
            let share = (ms / total).min(1.0);
            if share <= 0.2 {
                return None;
            }
            let text = |key: &str| trigger.get(key).and_then(Json::as_str);
            let constraint = text("Constraint Name");
            let name = constraint.or(text("Trigger Name")).unwrap_or("a trigger");
            let title = format!("{ms:.0} of {total:.0} ms go to {name}, called {calls:.0} times");
            let mut draft = draft(context, &at, share, title);
            draft.place.relation = text("Relation").map(str::to_owned);
            draft.evidence = vec![
                Evidence::number("time in the trigger", (ms * 10.0).round() / 10.0, Some("ms")),
                part("share of the time", share),
                number("calls", calls),
                Evidence::number(
                    "each call",
                    (ms / calls.max(1.0) * 1e3).round() / 1e3,
                    Some("ms"),
                ),
            ];
            draft.explanation = match constraint {
                Some(name) => format!(
                    "The constraint {name} looks for rows that refer to each row that goes. \
                     Without an index on its columns, each look reads the whole referring table."
                ),
                None => "The trigger runs once per row. FOR EACH STATEMENT with transition tables \
                         does the work for all rows at once."
                    .into(),
            };
            draft.proposals =
                constraint.and_then(|name| index(context, name, share)).into_iter().collect();
            Some(draft)
        })
        .collect()
}

/// An index on the foreign key's own columns, where the catalogue knows it.
fn index(context: &Context, constraint: &str, share: f64) -> Option<Proposal> {
    let catalog = context.catalog.as_ref()?;
    let (relation, constraint) = catalog.relations.iter().find_map(|relation| {
        Some((relation, relation.constraints.iter().find(|known| known.name == constraint)?))
    })?;
    let columns: Vec<String> = constraint.columns.iter().map(|c| quote_ident(c)).collect();
    let name = quote_ident(&format!("{}_{}_idx", relation.name, constraint.columns.join("_")));
    Some(Proposal {
        kind: ChangeKind::Index,
        title: format!("index on {} ({})", relation.name, columns.join(", ")),
        relation: Some(relation.qualified()),
        up: vec![format!(
            "CREATE INDEX CONCURRENTLY {name} ON {} ({})",
            quoted(relation),
            columns.join(", ")
        )],
        down: vec![format!("DROP INDEX CONCURRENTLY {}.{name}", quote_ident(&relation.schema))],
        hazards: Vec::new(),
        conditions: Vec::new(),
        gain: share * 0.9,
    })
}
