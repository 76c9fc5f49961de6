//! From the best set on: one step after the other, each measured before the next is thought of.

use marula_core::Result;

use super::arena::{Arena, Set};
use super::search::WORTH;
use super::{Best, Tuner};

/// The most steps that are tried.
const STEPS: usize = 12;

impl<A: Arena> Tuner<'_, A> {
    /// Adds to the best set, or changes something in it for something else, as long as that is
    /// worth it. Searches start from nothing and go by what is expected; this starts from what was
    /// measured.
    pub(super) async fn polish(&mut self) -> Result<()> {
        let mut tried: Vec<Set> = Vec::new();
        for _ in 0..STEPS {
            if self.over() {
                return Ok(());
            }
            self.progress.step("looking for what could be added");
            let Some(next) = self.next(&tried).await? else { return Ok(()) };
            tried.push(next.clone());
            self.prove(next).await?;
        }
        Ok(())
    }

    /// Puts narrower indexes in the place of wider ones that are not clearly better: they take less
    /// room, and less to keep up.
    pub(super) async fn narrow(&mut self) -> Result<()> {
        for number in self.best.set.clone().into_iter().rev() {
            let mut narrower = self.choices[number].replaces.clone();
            narrower
                .retain(|other| !self.out.contains_key(other) && !self.best.set.contains(other));
            narrower.sort_by_key(|other| (self.choices[*other].bytes, *other));
            for other in narrower {
                if self.over() || !self.best.set.contains(&number) {
                    break;
                }
                let mut less = self.best.set.clone();
                less.remove(&number);
                less.insert(other);
                self.measure(&less).await?;
                let total = self.total(&less).await?;
                let best = self.best.set.clone();
                if total.is_finite() && !self.clearly_gains(&less, &best).await? {
                    self.best = Best { set: less, ms: total, ..Best::default() };
                }
            }
        }
        Ok(())
    }

    /// The set one step away that promises most and was not tried.
    async fn next(&mut self, tried: &[Set]) -> Result<Option<Set>> {
        let set = self.best.set.clone();
        let least = self.total(&Set::new()).await? * WORTH;
        let mut best: Option<(f64, Set)> = None;
        for number in 0..self.choices.len() {
            for step in self.steps(&set, number, &[]) {
                let with: Set = set.difference(&step.removes).chain(&step.adds).copied().collect();
                for next in self.fitting(with, number) {
                    if tried.contains(&next) || next == set {
                        continue;
                    }
                    let price = self.price(&next) - self.price(&set);
                    let gain = self.gain(&set, &next).await? - price;
                    let known = best.as_ref().map_or(least, |(known, _)| *known);
                    if gain > known {
                        best = Some((gain, next));
                    }
                }
            }
        }
        Ok(best.map(|(_, next)| next))
    }

    /// The set, or where it takes too much room all sets with one other change less that do not.
    fn fitting(&self, set: Set, keep: usize) -> Vec<Set> {
        if self.fits(&set) {
            return vec![set];
        }
        let others = set.iter().filter(|number| **number != keep);
        let less = others.map(|number| {
            let mut less = set.clone();
            less.remove(number);
            less
        });
        less.filter(|less| self.fits(less)).collect()
    }
}
