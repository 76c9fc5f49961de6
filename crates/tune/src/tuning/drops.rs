//! Indexes that are there already and that the workload, with the best set in place, does without.

use std::time::Duration;

use marula_core::{Plan, Result};
use marula_lab::bench::Bench;

use super::Tuner;
use super::arena::{Arena, Choice, Set};
use super::book::SLOWER;
use super::words::{fatal, seconds, short};

/// An existing index that may go.
#[derive(Debug, Clone)]
pub struct Drop {
    /// The change that drops it, and what it concerns.
    pub choice: Choice,
    /// What it takes on disk, in bytes.
    pub frees: u64,
}

impl<A: Arena> Tuner<'_, A> {
    /// Drops, one after the other, what may go and without which no statement gets too slow.
    ///
    /// # Errors
    /// What ends all measuring: the lab server went away.
    pub async fn drop_idle(&mut self, drops: Vec<Drop>) -> Result<()> {
        for drop in drops {
            let number = self.choices.len();
            self.progress.step(&format!("doing without: {}", drop.choice.change.title));
            self.choices.push(Choice { bytes: 0, ..drop.choice });
            let mut set = self.best.set.clone();
            let before = self.plans(number, &set).await?;
            let change = self.choices[number].change.clone();
            if let Err(error) = self.arena.bench().apply(&change).await {
                if fatal(&error) {
                    return Err(error);
                }
                self.out.insert(number, format!("it cannot be tried: {error}"));
                continue;
            }
            self.built.insert(number, marula_core::Build { ms: 0.0, bytes: 0 });
            set.insert(number);
            if self.needed(number, &before, &set).await? {
                continue;
            }
            self.best.set = set;
            self.freed.insert(number, drop.frees);
        }
        let set = self.best.set.clone();
        self.activate(&set).await
    }

    /// The plans of the statements a change concerns, with `set` in place.
    async fn plans(&mut self, number: usize, set: &Set) -> Result<Vec<(usize, Plan)>> {
        self.activate(set).await?;
        let mut plans = Vec::new();
        for statement in self.choices[number].concerns.clone() {
            let text = self.text(statement, self.worded(statement, set));
            plans.push((statement, self.arena.bench().plan(&text, Duration::ZERO).await?));
        }
        Ok(plans)
    }

    /// Whether a statement gets too slow without the index; the reason is noted.
    async fn needed(&mut self, number: usize, before: &[(usize, Plan)], set: &Set) -> Result<bool> {
        let mut with = set.clone();
        with.remove(&number);
        for (statement, old) in before {
            self.activate(set).await?;
            let text = self.text(*statement, self.worded(*statement, set));
            let new = self.arena.bench().plan(&text, Duration::ZERO).await?;
            if new.summary.indexes == old.summary.indexes && new.summary.scans == old.summary.scans
            {
                continue;
            }
            let limit = self.options.timeout;
            let (mut there, mut gone) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..3 {
                self.activate(&with).await?;
                let before = self.run(&text, limit).await?;
                there = there.min(before.ms);
                self.activate(set).await?;
                let cut = before.clock_ms * 4.0 / 1000.0;
                let cut = Duration::from_secs_f64(cut.clamp(1.0, 3600.0));
                let run = self.run(&text, cut).await?;
                gone = gone.min(run.ms);
                if run.timed_out {
                    break;
                }
            }
            if gone > there * SLOWER && gone - there > 0.2 {
                let why = format!(
                    "{} needs it: {} without it instead of {}",
                    short(&text),
                    seconds(gone),
                    seconds(there)
                );
                self.turned.insert(number, (gone / there.max(0.001), why));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The wording that was picked for a statement.
    fn worded(&self, statement: usize, set: &Set) -> Option<usize> {
        let relevant = self.relevant(statement, set);
        relevant.into_iter().find(|number| self.choices[*number].is_rewrite())
    }
}
