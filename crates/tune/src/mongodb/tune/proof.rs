//! The proof of the whole set: every statement timed without and with it, in turn, and its
//! results compared.

use std::collections::BTreeSet;
use std::time::Duration;

use marula_core::{DocumentCatalog, Measurement, Plan, Result, Statement};
use marula_lab::bench::{Bench, Run};
use marula_lab::compare::{Comparison, Digest, Outcome};

use super::query::Query;
use super::table::{Table, WORTH};
use super::trial::{Trial, fatal};
use crate::mongodb::order;

/// Slower than this, a statement runs only once on each side.
const SLOW_MS: f64 = 2000.0;
/// Differences below this are the clock's.
const NOISE_MS: f64 = 1.0;
/// Each statement runs so often on each side, unless it is slow.
const PAIRS: usize = 5;

/// One statement, without and with the set.
#[derive(Debug, Clone)]
pub(super) struct Proved {
    pub before: Measurement,
    pub after: Measurement,
    /// What its own wording takes with the set, where another one is run.
    pub own_ms: Option<f64>,
    /// The plan of its own wording with the set.
    pub own_plan: Option<Box<Plan>>,
    /// The wording that was run with the set.
    pub wording: usize,
    /// Whether the results are equal; `None` where that cannot be told.
    pub equal: Option<bool>,
    /// What told them apart.
    pub difference: Option<String>,
    /// Whether every run with the set was slower than every run without, by more than a tenth.
    pub slower: bool,
}

impl Proved {
    /// A statement that nothing was proved of.
    pub fn as_it_stands(table: &Table, at: usize) -> Proved {
        let base = table.base.get(at);
        let plan = base.map(|base| base.plan.clone());
        let executed = base.is_none_or(|base| base.value.is_finite());
        let measured = Measurement {
            ms: table.ms.get(at).copied(),
            runs: 1,
            reads: plan.as_ref().filter(|plan| plan.executed).and_then(|plan| plan.summary.reads),
            cost: None,
            timed_out: !executed,
            plan: plan.map(Box::new),
        };
        Proved {
            before: measured.clone(),
            after: measured,
            own_ms: None,
            own_plan: None,
            wording: 0,
            equal: None,
            difference: None,
            slower: false,
        }
    }
}

/// One side's runs.
#[derive(Default)]
struct Side {
    ms: Vec<f64>,
    digest: Option<Digest>,
    timed_out: bool,
    plan: Option<Plan>,
}

impl Side {
    fn take(&mut self, run: Run) {
        self.ms.push(run.ms);
        self.timed_out |= run.timed_out;
        self.digest = run.digest;
    }

    fn measurement(&self) -> Measurement {
        let plan = self.plan.clone();
        Measurement {
            ms: Some(median(&self.ms)),
            runs: u32::try_from(self.ms.len()).unwrap_or(u32::MAX),
            reads: plan.as_ref().filter(|plan| plan.executed).and_then(|plan| plan.summary.reads),
            cost: None,
            timed_out: self.timed_out,
            plan: plan.map(Box::new),
        }
    }
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Runs a statement as it stands until its time is known.
pub(super) async fn baseline(trial: &mut Trial<'_>, statement: &Statement) -> Result<(f64, bool)> {
    let limit = trial.options.timeout;
    let first = run(trial, statement, limit).await?;
    if first.timed_out || first.ms > SLOW_MS {
        return Ok((first.ms, first.timed_out));
    }
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(run(trial, statement, limit).await?.ms);
    }
    Ok((median(&times), false))
}

async fn run(trial: &mut Trial<'_>, statement: &Statement, limit: Duration) -> Result<Run> {
    let run = trial.bench.run(statement, limit).await?;
    trial.effort.runs += 1;
    trial.effort.run_ms += run.ms;
    Ok(run)
}

/// Proves one statement with `shown` in place, in the given wording.
pub(super) async fn prove(
    trial: &mut Trial<'_>,
    query: &Query,
    wording: usize,
    shown: &BTreeSet<usize>,
    catalog: &DocumentCatalog,
) -> Result<Proved> {
    let own = query.wordings[0].statement.clone();
    let new = query.wordings[wording].statement.clone();
    let limit = trial.options.timeout;
    let none = BTreeSet::new();
    let (mut before, mut after) = (Side::default(), Side::default());
    // The first run of each side warms the cache, and counts when it is slow.
    trial.show(&none).await?;
    let cold = run(trial, &own, limit).await?;
    let slow = cold.timed_out || cold.ms > SLOW_MS;
    if slow {
        before.take(cold);
    }
    before.plan = plan(trial, &own, if before.timed_out { Duration::ZERO } else { limit }).await?;
    trial.show(shown).await?;
    let cold = run(trial, &new, limit).await?;
    if cold.timed_out || cold.ms > SLOW_MS {
        after.take(cold);
    }
    after.plan = plan(trial, &new, if after.timed_out { Duration::ZERO } else { limit }).await?;
    // What uses nothing of the set is run by the same plan as before.
    let same = after
        .plan
        .as_ref()
        .is_some_and(|plan| wording == 0 && shown.iter().all(|at| trial.is_unused(plan, *at)));
    let pairs = if same || trial.options.stop.is_stopped() { 1 } else { PAIRS };
    for pair in 0..pairs {
        // Each side first in turn: whatever the machine gets into shows on both, and the indexes
        // are switched only once a pair.
        for with in [pair % 2 == 0, pair % 2 != 0] {
            if with && after.ms.first().is_none_or(|ms| *ms <= SLOW_MS) {
                trial.show(shown).await?;
                after.take(run(trial, &new, limit).await?);
            } else if !with && !slow {
                trial.show(&none).await?;
                before.take(run(trial, &own, limit).await?);
            }
        }
    }
    let how = order::comparison(&query.command.to_command(), Some(catalog));
    let outcome = match (&before.digest, &after.digest, &how) {
        (_, _, Comparison::Incomparable(why)) => {
            decided(trial, (&own, &new), shown, catalog, why).await?
        }
        (Some(a), Some(b), how) => a.compare(b, how),
        _ => Outcome::Unknown("it was cancelled, or only explained".into()),
    };
    trial.show(shown).await?;
    let slowest = before.ms.iter().copied().fold(0.0, f64::max);
    let fastest = after.ms.iter().copied().fold(f64::INFINITY, f64::min);
    let (middle, middle_after) = (median(&before.ms), median(&after.ms));
    Ok(Proved {
        slower: after.timed_out && !before.timed_out
            || !same
                && fastest > slowest
                && middle_after > middle * WORTH
                && middle_after - middle > NOISE_MS,
        before: before.measurement(),
        after: after.measurement(),
        own_ms: None,
        own_plan: None,
        wording,
        equal: match &outcome {
            Outcome::Equal => Some(true),
            Outcome::Different(_) => Some(false),
            Outcome::Unknown(_) => None,
        },
        difference: match outcome {
            Outcome::Equal => None,
            Outcome::Different(how) | Outcome::Unknown(how) => Some(how),
        },
    })
}

async fn plan(
    trial: &mut Trial<'_>,
    statement: &Statement,
    limit: Duration,
) -> Result<Option<Plan>> {
    trial.effort.plans += 1;
    match trial.bench.plan(statement, limit).await {
        Ok(plan) => Ok(Some(plan)),
        Err(error) if fatal(error.kind()) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Compares both wordings with nothing left open, where what comes may differ and be right.
async fn decided(
    trial: &mut Trial<'_>,
    (own, new): (&Statement, &Statement),
    shown: &BTreeSet<usize>,
    catalog: &DocumentCatalog,
    why: &str,
) -> Result<Outcome> {
    let decide =
        |statement: &Statement| order::decided(&statement.text, Some(catalog), trial.version);
    let (Some(ours), Some(theirs)) = (decide(own), decide(new)) else {
        return Ok(Outcome::Unknown(why.to_string()));
    };
    if ours.by != theirs.by || ours.comparison != theirs.comparison {
        return Ok(Outcome::Unknown(why.to_string()));
    }
    let text = |text: &str| Statement { text: text.to_string(), fingerprint: None, ..own.clone() };
    let limit = trial.options.timeout;
    trial.show(&BTreeSet::new()).await?;
    let before = run(trial, &text(&ours.text), limit).await;
    trial.show(shown).await?;
    let after = run(trial, &text(&theirs.text), limit).await;
    match (before, after) {
        (Err(error), _) | (_, Err(error)) if fatal(error.kind()) => Err(error),
        (Ok(before), Ok(after)) => Ok(match (before.digest, after.digest) {
            (Some(before), Some(after)) => before.compare(&after, &ours.comparison),
            _ => Outcome::Unknown(format!("{why}; and with {} it was cancelled", ours.by)),
        }),
        _ => Ok(Outcome::Unknown(why.to_string())),
    }
}
