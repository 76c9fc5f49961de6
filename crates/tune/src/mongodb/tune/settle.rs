//! The statements as things stand, and the set that is settled on: sought, proved statement by
//! statement, and sought anew without what made one of them slower.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use marula_core::{DocumentCatalog, LeftOut, Result, TurnedDown, WeightedStatement};
use marula_mongodb::Command;

use super::choose::{Chosen, Search};
use super::proof::{self, Proved};
use super::query::{self, Query};
use super::required;
use super::table::{self, Cell, Table};
use super::tell;
use super::trial::{self, Trial};

/// The set is sought anew without what made a statement slower at most so often.
const ROUNDS: usize = 4;

/// Every statement as things stand. What fails is left out.
pub(super) async fn measure(
    trial: &mut Trial<'_>,
    commands: Vec<(WeightedStatement, Command)>,
    catalog: &DocumentCatalog,
    (queries, table, left_out): (&mut Vec<Query>, &mut Table, &mut Vec<LeftOut>),
) -> Result<()> {
    let all = commands.len() as u64;
    trial.progress.step("measuring the statements as things stand");
    for (number, (weighted, command)) in commands.into_iter().enumerate() {
        trial.progress.advance(number as u64, all);
        let calls = weighted.calls;
        let mut query = query::query(weighted, command, catalog, trial.version);
        let statement = query.wordings[0].statement.clone();
        let mut leave = |reason: String| {
            left_out.push(LeftOut { statement: statement.text.clone(), calls, reason });
        };
        if trial.options.stop.is_stopped() {
            leave("it was interrupted before this statement was measured".into());
            continue;
        }
        let mut baseline = proof::baseline(trial, &statement).await;
        if let Err(error) = &baseline
            && let Some(need) = required::need(&query, error)
        {
            if let Some(why) = trial.provide(&need, catalog).await? {
                leave(why);
                continue;
            }
            baseline = proof::baseline(trial, &statement).await;
        }
        let (ms, timed_out) = match baseline {
            Ok(time) => time,
            Err(error) if trial::fatal(error.kind()) => return Err(error),
            Err(error) => {
                leave(format!("it fails on the copy: {}", error.message()));
                continue;
            }
        };
        let limit = if timed_out { Duration::ZERO } else { trial.options.timeout };
        let Some(base) = trial.cost(&query, 0, limit).await? else {
            leave("the server does not explain it".into());
            continue;
        };
        query.stay(&base, catalog);
        table.ms.push(ms);
        let own = Cell { value: base.value, wording: 0 };
        table.base.push(base);
        table.plain.push(own);
        let at = queries.len();
        queries.push(query);
        let limit = table.limit(at, trial.options.timeout);
        if let Some((cell, _)) = table::best(trial, &queries[at], limit).await? {
            table.plain[at] = cell;
        }
    }
    trial.progress.advance(all, all);
    Ok(())
}

/// Seeks the set and proves it; without what made a statement slower, until none is.
pub(super) async fn prove(
    trial: &mut Trial<'_>,
    search: &Search<'_>,
    table: &mut Table,
    catalog: &DocumentCatalog,
) -> Result<(Chosen, Vec<Proved>)> {
    let mut round = 0;
    loop {
        let mut chosen = search.run(trial, table).await?;
        let shown = chosen.indexes(search.ideas);
        let total = search.queries.len() as u64;
        trial.progress.step("proving the set, statement by statement");
        let mut proved = Vec::new();
        let mut slower: BTreeMap<usize, String> = BTreeMap::new();
        for (at, query) in search.queries.iter().enumerate() {
            trial.progress.advance(at as u64, total);
            let mut one =
                wording(trial, table, query, &mut chosen.after[at], at, &shown, catalog).await?;
            if one.slower && round < ROUNDS {
                for number in culprits(trial, search, &chosen, &one) {
                    slower.insert(number, tell::slower(query, &one));
                }
            }
            if one.wording == 0 && one.equal == Some(false) {
                // An index cannot change what a statement gives: what it leaves open did.
                one.equal = None;
            }
            proved.push(one);
        }
        trial.progress.advance(total, total);
        if slower.is_empty() {
            return Ok((chosen, proved));
        }
        for (number, reason) in slower {
            let idea = &search.ideas.ideas[number];
            let bytes = Some(trial.bytes(idea.indexes.iter().copied()));
            table.turned_down.insert(0, table::turned(search.ideas, idea, reason, bytes));
            table.useful.remove(&number);
        }
        round += 1;
    }
}

/// Proves a statement in the wording that was chosen; in its own, where another one gives
/// something else or gains too little.
async fn wording(
    trial: &mut Trial<'_>,
    table: &mut Table,
    query: &Query,
    cell: &mut Cell,
    at: usize,
    shown: &BTreeSet<usize>,
    catalog: &DocumentCatalog,
) -> Result<Proved> {
    let mut order: Vec<usize> = (0..query.wordings.len()).collect();
    // The chosen one first, then the others, which may gain in time what counters do not show.
    order.sort_by_key(|wording| (*wording != cell.wording, *wording));
    order.retain(|wording| *wording != 0);
    let own = proof::prove(trial, query, 0, shown, catalog).await?;
    // What the counters do not show the clock may: then it goes on as it does as well.
    order.retain(|wording| !query.is_natural(*wording) || *wording == cell.wording || own.slower);
    let mut best: Option<Proved> = None;
    for wording in order {
        if trial.options.stop.is_stopped() && wording != cell.wording {
            continue;
        }
        let one = proof::prove(trial, query, wording, shown, catalog).await?;
        let ms = |proved: &Proved| proved.after.ms.unwrap_or(f64::INFINITY);
        let title = query.wordings[wording].rewrite.as_ref().map(|rewrite| rewrite.title.clone());
        let refused = match one.equal {
            Some(false) => {
                Some(format!("its results differ: {}", one.difference.clone().unwrap_or_default()))
            }
            // The same statement, found another way.
            None if query.is_natural(wording) && !one.slower => None,
            None => Some(format!(
                "its results could not be compared: {}",
                one.difference.clone().unwrap_or_default()
            )),
            Some(true)
                if ms(&one) * table::WORTH > ms(&own)
                    && cell.wording != wording
                    && !query.is_natural(wording) =>
            {
                Some(format!(
                    "it gains less than 1.1 times ({:.1} ms instead of {:.1} ms)",
                    ms(&one),
                    ms(&own)
                ))
            }
            Some(true) if one.slower => Some("it is slower".to_string()),
            Some(true) => None,
        };
        if let Some(reason) = refused {
            table.turned_down.push(TurnedDown {
                title: title.unwrap_or_default(),
                up: vec![query.wordings[wording].statement.text.clone()],
                reason,
                bytes: None,
            });
            continue;
        }
        if best.as_ref().is_none_or(|known| ms(&one) * table::WORTH < ms(known)) {
            best = Some(one);
        }
    }
    let (own_ms, own_plan) = (own.after.ms, own.after.plan.clone());
    let one = Proved { own_ms, own_plan, ..best.unwrap_or(own) };
    if cell.wording != one.wording {
        let limit = table.limit(at, trial.options.timeout) * 2;
        let value = trial.cost(query, one.wording, limit).await?.map(|cost| cost.value);
        *cell = Cell { value: value.unwrap_or(cell.value), wording: one.wording };
    }
    Ok(one)
}

/// The ideas whose indexes the plan of a slower statement uses.
fn culprits(
    trial: &Trial<'_>,
    search: &Search<'_>,
    chosen: &Chosen,
    proved: &Proved,
) -> Vec<usize> {
    let Some(plan) = &proved.after.plan else { return Vec::new() };
    let used = |number: &&usize| {
        search.ideas.ideas[**number].indexes.iter().any(|at| trial.uses(plan, *at))
    };
    chosen.ideas.iter().filter(used).copied().collect()
}

/// What the workload loses without each idea of the set, in milliseconds, and how many
/// statements lose by it.
pub(super) async fn gains(
    trial: &mut Trial<'_>,
    search: &Search<'_>,
    table: &Table,
    chosen: &Chosen,
) -> Result<BTreeMap<usize, (f64, u32)>> {
    let mut found = BTreeMap::new();
    for &number in &chosen.ideas {
        let (lost, statements) = search.loss(trial, table, chosen, number).await?;
        found.insert(number, (lost, statements));
    }
    Ok(found)
}
