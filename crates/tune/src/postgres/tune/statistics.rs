//! Statistics on columns that go together, where a statement's plan was made for quite another
//! number of rows than came.

use std::time::Duration;

use marula_core::{Change, ChangeId, Engine, Proof, RelationalCatalog, Result};
use marula_lab::bench::Bench;

use super::super::{Context, rules};
use super::arena::PostgresArena;
use super::read::{Part, Read};
use crate::tuning::{Arena, Choice, Tuner, trial_fatal};

/// The most statements that are looked at, and the slowest of them.
const STATEMENTS: usize = 60;
const SLOW_MS: f64 = 10_000.0;
/// The most statistics that are tried.
const MOST: usize = 12;

/// What could be gathered, for the statements that take most of the time first.
pub(super) async fn statistics(
    tuner: &mut Tuner<'_, PostgresArena>,
    read: &Read,
) -> Result<Vec<Choice>> {
    let parts: Vec<Part> = read.still(tuner).into_iter().cloned().collect();
    let weight = |at: &usize| {
        tuner.book.base.get(*at).map_or(0.0, |base| base.ms * parts[*at].calls.max(1) as f64)
    };
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.cmp(b)));
    let mut found: Vec<Choice> = Vec::new();
    for at in order.into_iter().take(STATEMENTS) {
        let Some(base) = tuner.book.base.get(at) else { continue };
        if base.timed_out || base.ms > SLOW_MS || found.len() >= MOST {
            continue;
        }
        // Measuring every node takes longer than running.
        let limit = Duration::from_secs_f64(base.ms * 4.0 / 1000.0 + 2.0);
        let part = &parts[at];
        let plan = match tuner.arena.bench().plan(&part.statement, limit).await {
            Ok(plan) if plan.executed => plan,
            Err(error) if trial_fatal(&error) => return Err(error),
            _ => continue,
        };
        let catalog = only(&read.catalog, &part.relations);
        let context = Context::new(plan, Some(catalog), Some(part.root.clone()), &read.facts);
        for proposal in rules::misjudged(&context) {
            if found.iter().any(|known| known.change.up == proposal.up) {
                continue;
            }
            let relation = proposal.relation.clone().unwrap_or_default();
            let concerns: Vec<usize> =
                (0..parts.len()).filter(|n| parts[*n].relations.contains(&relation)).collect();
            let change = Change {
                id: ChangeId(format!("s{}", found.len())),
                kind: proposal.kind,
                engine: Engine::Postgres,
                title: proposal.title,
                relation: proposal.relation,
                up: proposal.up,
                down: proposal.down,
                hazards: proposal.hazards,
                conditions: proposal.conditions,
                proof: Proof::not_tried("not tried yet"),
            };
            let (bytes, writes_ms, replaces) = (0, 0.0, Vec::new());
            let helps = concerns.clone();
            found.push(Choice { change, concerns, helps, bytes, writes_ms, replaces });
        }
    }
    Ok(found)
}

/// The catalogue without what a statement does not touch.
fn only(catalog: &RelationalCatalog, names: &[String]) -> RelationalCatalog {
    let touched = catalog.relations.iter().filter(|one| names.contains(&one.qualified()));
    RelationalCatalog {
        version: catalog.version,
        database: catalog.database.clone(),
        search_path: catalog.search_path.clone(),
        relations: touched.cloned().collect(),
        extensions: catalog.extensions.clone(),
        settings: catalog.settings.clone(),
    }
}
