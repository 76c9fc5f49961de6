//! What each idea does for each statement, measured.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use marula_core::{Result, TurnedDown};

use super::cost::Cost;
use super::idea::{Idea, Ideas};
use super::query::Query;
use super::trial::Trial;

/// The least gain that counts.
pub(super) const WORTH: f64 = 1.1;

/// About what any run takes, each document it reads in passing, and one that is cut, in
/// milliseconds.
const RUN_MS: f64 = 0.2;
const READ_MS: f64 = 0.0005;
const UNFINISHED_MS: f64 = 60_000.0;

/// So much more, at least, is worse.
const WORSE: f64 = 50.0;

/// Whether a statement that costs `value` costs clearly more than one that costs `base`.
pub(super) fn is_worse(value: f64, base: f64) -> bool {
    value > base * WORTH && value - base > WORSE
}

/// What a statement costs at best in some state, and in which wording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub value: f64,
    pub wording: usize,
}

/// What is measured of all statements and ideas.
#[derive(Default)]
pub(super) struct Table {
    /// Each statement as things stand, in its own wording.
    pub base: Vec<Cost>,
    /// The same in the best wording.
    pub plain: Vec<Cell>,
    /// What each run as things stand takes, in milliseconds.
    pub ms: Vec<f64>,
    /// By statement and idea.
    pub cells: BTreeMap<(usize, usize), Cell>,
    /// Ideas that gain for some statement.
    pub useful: BTreeSet<usize>,
    /// Ideas that were measured.
    pub measured: BTreeSet<usize>,
    /// What gains nothing.
    pub turned_down: Vec<TurnedDown>,
}

impl Table {
    /// The weight of a statement: the time all its runs take, as the workload tells it or as
    /// what it examines lets expect. Not as measured here: the same input is to give the same
    /// set, whatever else the machine does.
    pub fn weight(&self, queries: &[Query], at: usize) -> f64 {
        let Some(query) = queries.get(at) else { return 0.0 };
        if let Some(told) = query.weighted.total_ms.filter(|ms| *ms > 0.0) {
            return told;
        }
        let value = self.base.get(at).map_or(0.0, |base| base.value);
        let run = if value.is_finite() { RUN_MS + value * READ_MS } else { UNFINISHED_MS };
        query.calls() * run
    }

    /// The time all runs of a statement take here, in milliseconds.
    pub fn measured(&self, queries: &[Query], at: usize) -> f64 {
        queries.get(at).map_or(1.0, Query::calls) * self.ms.get(at).copied().unwrap_or(0.0)
    }

    /// The weight of the whole workload, in milliseconds.
    pub fn total(&self, queries: &[Query]) -> f64 {
        (0..queries.len()).map(|at| self.weight(queries, at)).sum()
    }

    /// A run with an idea may take as long as one without, and a little more.
    pub fn limit(&self, at: usize, timeout: Duration) -> Duration {
        let ms = self.ms.get(at).copied().unwrap_or(0.0);
        Duration::from_secs_f64((ms * 1.5 + 250.0) / 1000.0).min(timeout)
    }
}

/// The best wording of a statement as things are shown now. Another wording than its own has to
/// be clearly better.
pub(super) async fn best(
    trial: &mut Trial<'_>,
    query: &Query,
    limit: Duration,
) -> Result<Option<(Cell, Cost)>> {
    let mut best: Option<(Cell, Cost)> = None;
    for wording in (0..query.wordings.len()).filter(|wording| !query.is_natural(*wording)) {
        let Some(cost) = trial.cost(query, wording, limit).await? else { continue };
        let better = best.as_ref().is_none_or(|(known, _)| cost.value * WORTH < known.value);
        if better {
            best = Some((Cell { value: cost.value, wording }, cost));
        }
    }
    if let Some((wording, cost)) = &query.natural
        && best.as_ref().is_none_or(|(known, _)| is_worse(known.value, cost.value))
    {
        best = Some((Cell { value: cost.value, wording: *wording }, cost.clone()));
    }
    Ok(best)
}

/// Measures every idea by itself on the statements it might serve.
pub(super) async fn fill(
    trial: &mut Trial<'_>,
    queries: &[Query],
    ideas: &Ideas,
    table: &mut Table,
) -> Result<()> {
    let total = ideas.ideas.len();
    for (number, idea) in ideas.ideas.iter().enumerate() {
        if trial.is_over() {
            break;
        }
        trial.progress.advance(number as u64, total as u64);
        if !built(trial, ideas, idea, table).await? {
            continue;
        }
        trial.show(&idea.indexes.iter().copied().collect()).await?;
        let mut gains = false;
        for &at in &idea.queries {
            let Some(query) = queries.get(at) else { continue };
            let limit = table.limit(at, trial.options.timeout);
            let Some((cell, _)) = best(trial, query, limit).await? else { continue };
            gains |= table.plain.get(at).is_some_and(|plain| cell.value * WORTH < plain.value);
            table.cells.insert((at, number), cell);
        }
        table.measured.insert(number);
        if gains {
            table.useful.insert(number);
        } else {
            let reason = match idea.queries.len() {
                1 => "the one statement that might use it gains less than 1.1 times by it".into(),
                many => {
                    format!("none of the {many} statements that might use it gains 1.1 times by it")
                }
            };
            let bytes = Some(trial.bytes(idea.indexes.iter().copied()));
            table.turned_down.push(turned(ideas, idea, reason, bytes));
            release(trial, ideas, table, number).await?;
        }
    }
    trial.progress.advance(total as u64, total as u64);
    trial.show(&BTreeSet::new()).await
}

/// Builds the indexes of an idea; whether all could be.
async fn built(
    trial: &mut Trial<'_>,
    ideas: &Ideas,
    idea: &Idea,
    table: &mut Table,
) -> Result<bool> {
    for &at in &idea.indexes {
        if !trial.build(ideas, at).await? {
            let why = trial.failed.get(&at).cloned().unwrap_or_default();
            let reason = format!("it cannot be built: {why}");
            table.turned_down.push(turned(ideas, idea, reason, None));
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes away the indexes of an idea, but for those that a useful one is made of.
async fn release(trial: &mut Trial<'_>, ideas: &Ideas, table: &Table, number: usize) -> Result<()> {
    for at in ideas.ideas.get(number).map(|idea| idea.indexes.clone()).unwrap_or_default() {
        let wanted = |other: &usize| ideas.ideas[*other].indexes.contains(&at);
        if !table.useful.iter().any(wanted) {
            trial.remove(at).await?;
        }
    }
    Ok(())
}

/// An idea that is not proposed.
pub(super) fn turned(ideas: &Ideas, idea: &Idea, reason: String, bytes: Option<u64>) -> TurnedDown {
    let all = || idea.indexes.iter().filter_map(|at| ideas.indexes.get(*at));
    let titles: Vec<String> = all()
        .map(|found| format!("index {} on {}", found.index.keys_shell(), found.index.collection))
        .collect();
    TurnedDown {
        title: titles.join(" and "),
        up: all().map(|found| found.index.create()).collect(),
        reason,
        bytes,
    }
}
