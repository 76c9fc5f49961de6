//! The last look at the best set: each statement it changes is run without and with it in turn,
//! and each change is left out once to see what it gains.

use std::time::Duration;

use marula_core::{Measurement, Result};
use marula_lab::bench::Bench;
use marula_lab::compare::Outcome;

use super::arena::{Arena, Set};
use super::book::Timed;
use super::search::WORTH;
use super::{After, Best, Tuner};

/// How often the best set may be mended after a last look.
const LOOKS: usize = 4;
/// How many pairs of runs are made beyond the first ones before a statement is held to be slower.
const FURTHER: usize = 4;

impl<A: Arena> Tuner<'_, A> {
    /// Confirms the best set, without what adds nothing to it.
    pub(super) async fn finish(&mut self) -> Result<()> {
        for _ in 0..LOOKS {
            self.weigh().await?;
            if self.confirm().await? {
                return Ok(());
            }
            let set = self.best.set.clone();
            let mended = self.mended(&set).await?.unwrap_or_default();
            let ms = self.total(&Set::new()).await?;
            self.best = Best { ms, ..Best::default() };
            if !mended.is_empty() {
                self.prove(mended).await?;
            }
        }
        // What could not be confirmed is not proposed.
        if !self.confirm().await? {
            let ms = self.total(&Set::new()).await?;
            self.best = Best { ms, ..Best::default() };
        }
        Ok(())
    }

    /// What each change of the best set gains; those that gain nothing are taken out.
    async fn weigh(&mut self) -> Result<()> {
        let least = self.total(&Set::new()).await? * WORTH;
        loop {
            let set = self.best.set.clone();
            let mut gains = std::collections::BTreeMap::new();
            for number in &set {
                self.progress.step(&format!("leaving out {}", self.choices[*number].change.title));
                let mut less = set.clone();
                less.remove(number);
                if !self.over() {
                    self.measure(&less).await?;
                }
                gains.insert(*number, self.paced(&less).await? - self.paced(&set).await?);
            }
            let idle = gains.iter().min_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, g)| **g < least);
            let Some((number, _)) = idle.map(|(n, g)| (*n, *g)) else {
                self.best.gains = gains;
                return Ok(());
            };
            self.turned.entry(number).or_insert_with(|| {
                (0.0, "beside the others it adds nothing that could be measured".into())
            });
            self.best.set.remove(&number);
            let set = self.best.set.clone();
            self.measure(&set).await?;
            self.best.ms = self.total(&set).await?;
        }
    }

    /// Whether no statement gets too slow when each that changes is run without and with the set.
    async fn confirm(&mut self) -> Result<bool> {
        let set = self.best.set.clone();
        self.best.after.clear();
        let mut fine = true;
        for statement in 0..self.subjects.len() {
            let relevant = self.relevant(statement, &set);
            let timed = self.book.measured(statement, &relevant).cloned();
            let Some(timed) = timed.filter(|timed| !timed.uses.is_empty()) else { continue };
            let rewrite = timed.uses.iter().copied().find(|n| self.choices[*n].is_rewrite());
            let mut after = self.pairs(statement, rewrite, &set).await?;
            after.uses = timed.uses.clone();
            let (old, new) = (after.before.ms.unwrap_or(0.0), after.after.ms.unwrap_or(0.0));
            let base = self.book.base[statement].ms;
            let ms = match after.after.timed_out {
                true if !self.book.base[statement].timed_out => f64::INFINITY,
                _ => base * new / old.max(0.001),
            };
            let ms = if self.book.base[statement].timed_out { new } else { ms };
            if self.book.too_slow(statement, ms) || after.equal == Some(false) {
                fine = false;
                let ms = if after.equal == Some(false) { f64::INFINITY } else { ms };
                self.book.note(statement, relevant, Timed { ms, uses: timed.uses }, None);
                continue;
            }
            self.best.after.insert(statement, after);
        }
        if fine {
            self.best.ms = 0.0;
            for statement in 0..self.subjects.len() {
                let base = self.book.base[statement].ms;
                let ms = match self.best.after.get(&statement) {
                    Some(a) if !a.before.timed_out => {
                        base * a.after.ms.unwrap_or(0.0) / a.before.ms.unwrap_or(0.0).max(0.001)
                    }
                    Some(a) => a.after.ms.unwrap_or(base),
                    None => base,
                };
                self.best.ms += ms * self.calls(statement);
            }
        }
        Ok(fine)
    }

    /// Runs a statement without and with the set, in turn; the fastest run of each side counts.
    async fn pairs(
        &mut self,
        statement: usize,
        rewrite: Option<usize>,
        set: &Set,
    ) -> Result<After> {
        let original = self.subjects[statement].statement.clone();
        let text = self.text(statement, rewrite);
        self.progress.step(&format!("confirming {}", super::words::short(&original)));
        let base = self.book.base[statement].clone();
        let count: usize = match base.ms {
            ms if ms < 200.0 => 5,
            ms if ms < 2000.0 => 3,
            _ => 1,
        };
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let (mut timed_out, mut outcome) = (false, None);
        for number in 0..count + FURTHER {
            let mut cut = self.cut(statement);
            if base.timed_out {
                before.push(base.ms);
            } else {
                self.activate(&Set::new()).await?;
                let run = self.run(&original, self.options.timeout).await?;
                before.push(run.ms);
                cut = cut.max(Duration::from_secs_f64(run.clock_ms * 2.5 / 1000.0));
            }
            self.activate(set).await?;
            let run = self.run(&text, cut).await?;
            timed_out |= run.timed_out;
            outcome = outcome.or(self.outcome(statement, &run));
            after.push(run.ms);
            let enough = number + 1 >= count && fastest(&after) < fastest(&before) * 1.05;
            if enough || timed_out || (base.timed_out && number + 1 >= count) {
                break;
            }
        }
        self.activate(set).await?;
        let (mut new, mut old) = (None, None);
        if !timed_out && base.ms < 5000.0 {
            let cut = self.cut(statement);
            new = Some(self.arena.bench().plan(&text, cut).await?);
            self.activate(&Set::new()).await?;
            old = Some(self.arena.bench().plan(&original, self.options.timeout).await?);
            self.activate(set).await?;
        }
        let new = match new {
            Some(plan) => plan,
            None => self.arena.bench().plan(&text, Duration::ZERO).await?,
        };
        let side = |times: &[f64], plan: Option<marula_core::Plan>, timed_out| Measurement {
            ms: Some(fastest(times)),
            runs: u32::try_from(times.len()).unwrap_or(u32::MAX),
            reads: plan.as_ref().filter(|plan| plan.executed).and_then(|plan| plan.summary.reads),
            cost: None,
            timed_out,
            plan: plan.map(Box::new),
        };
        let old = old.or(self.before[statement].plan.clone().map(|plan| *plan));
        let mut was = side(&before, old, base.timed_out);
        was.runs = if base.timed_out { 1 } else { was.runs };
        Ok(After {
            before: was,
            after: side(&after, Some(new), timed_out),
            uses: Set::new(),
            equal: outcome.and_then(|outcome| match outcome {
                Outcome::Equal => Some(true),
                Outcome::Different(_) => Some(false),
                Outcome::Unknown(_) => None,
            }),
        })
    }
}

fn fastest(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}
