//! The search: in steps, each the one that gains most for the space it takes. A step adds a
//! change, puts a wider index in the place of a narrower one, or adds several that only help
//! together. The same knowledge always leads to the same set.

use marula_core::Result;

use super::Tuner;
use super::arena::{Arena, Estimate, Set};

/// A step must gain this share of the workload's time.
pub(super) const WORTH: f64 = 0.003;
/// An index takes at least this much, however few rows it holds.
const PAGE: f64 = 8192.0;
/// How much space weighs against gain, in the searches that are made: the best one's set is taken.
const WEIGHTS: [f64; 3] = [1.0, 0.5, 0.0];
/// Steps this near to the best one are as good: of them the first in the list is made, whichever
/// the clock preferred.
const NEAR: f64 = 0.95;
/// The most changes that are added together.
const TOGETHER: usize = 4;

/// One step that could be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub adds: Set,
    pub removes: Set,
}

/// A set and the workload's time with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The choices in it.
    pub set: Set,
    /// The workload's time in milliseconds, measured where it was and expected elsewhere.
    pub ms: f64,
}

impl<A: Arena> Tuner<'_, A> {
    /// The best set that is found under the budget.
    pub(super) async fn search(&mut self) -> Result<Found> {
        let bundles = self.bundles().await?;
        let mut best = Found { set: Set::new(), ms: self.total(&Set::new()).await? };
        for weight in WEIGHTS {
            let found = self.climb(weight, &bundles).await?;
            if found.ms + self.price(&found.set) < best.ms + self.price(&best.set) {
                best = found;
            }
        }
        Ok(best)
    }

    /// What each statement would use if everything were there: changes that may help only
    /// together.
    async fn bundles(&mut self) -> Result<Vec<Set>> {
        let all: Set = (0..self.choices.len()).filter(|n| !self.out.contains_key(n)).collect();
        let mut bundles: Vec<Set> = Vec::new();
        let add = |bundle: Set, bundles: &mut Vec<Set>| {
            if (2..=TOGETHER).contains(&bundle.len()) && !bundles.contains(&bundle) {
                bundles.push(bundle);
            }
        };
        for statement in 0..self.subjects.len() {
            let uses = self.estimate(statement, &all).await?.uses;
            let used: Vec<usize> = uses.iter().copied().collect();
            add(uses, &mut bundles);
            for (at, one) in used.iter().enumerate() {
                for other in &used[at + 1..] {
                    add(Set::from([*one, *other]), &mut bundles);
                }
            }
        }
        Ok(bundles)
    }

    async fn climb(&mut self, weight: f64, bundles: &[Set]) -> Result<Found> {
        let mut set = Set::new();
        let mut ms = self.total(&set).await?;
        let least = ms * WORTH;
        // What a move promised when it was last looked at. With more in place it mostly promises
        // less: a move is looked at again only while its old promise beats the best new one.
        let mut promises = vec![f64::INFINITY; self.choices.len() + bundles.len()];
        let mut last_look = false;
        while !self.over() {
            let mut order: Vec<usize> = (0..promises.len()).collect();
            order.sort_by(|a, b| promises[*b].total_cmp(&promises[*a]).then(a.cmp(b)));
            let mut good: Vec<(f64, usize, f64, Set)> = Vec::new();
            let mut known = 0.0;
            for number in order {
                if promises[number] <= known * NEAR && !(last_look && good.is_empty()) {
                    break;
                }
                promises[number] = 0.0;
                for step in self.steps(&set, number, bundles) {
                    let next: Set =
                        set.difference(&step.removes).chain(&step.adds).copied().collect();
                    if !self.fits(&next) {
                        continue;
                    }
                    let price = self.price(&next) - self.price(&set);
                    let gain = self.gain(&set, &next).await? - price;
                    let space = self.bytes(&next) as f64 - self.bytes(&set) as f64;
                    let density = gain / space.max(PAGE).powf(weight);
                    if gain < least {
                        continue;
                    }
                    promises[number] = promises[number].max(density);
                    known = f64::max(known, density);
                    good.push((density, number, gain, next));
                }
            }
            good.retain(|(density, ..)| *density >= known * NEAR);
            good.sort_by(|a, b| a.1.cmp(&b.1).then(b.0.total_cmp(&a.0)));
            match good.into_iter().next() {
                Some((_, _, gain, next)) => {
                    set = next;
                    ms -= gain;
                    last_look = false;
                }
                None if last_look || set.is_empty() => break,
                // What helps only beside what is in place now.
                None => last_look = true,
            }
        }
        let set = self.without_idle(set, least).await?;
        let ms = if set.is_empty() { ms } else { self.total(&set).await? };
        Ok(Found { set, ms })
    }

    /// Takes out what later steps made idle.
    async fn without_idle(&mut self, mut set: Set, least: f64) -> Result<Set> {
        for choice in set.clone().into_iter().rev() {
            let mut less = set.clone();
            less.remove(&choice);
            if self.gain(&less, &set).await? < least {
                set = less;
            }
        }
        Ok(set)
    }

    /// The steps of one move from `set`: a choice, or after all of them a bundle.
    pub(super) fn steps(&self, set: &Set, number: usize, bundles: &[Set]) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(choice) = self.choices.get(number) {
            if set.contains(&number) || self.out.contains_key(&number) {
                return steps;
            }
            let adds = Set::from([number]);
            let removes: Set =
                choice.replaces.iter().copied().filter(|n| set.contains(n)).collect();
            if !removes.is_empty() {
                steps.push(Step { adds: adds.clone(), removes });
            }
            steps.push(Step { adds, removes: Set::new() });
        } else if let Some(bundle) = bundles.get(number - self.choices.len()) {
            let adds: Set = bundle.difference(set).copied().collect();
            if adds.len() > 1 && !adds.iter().any(|n| self.out.contains_key(n)) {
                let replaced = adds.iter().flat_map(|n| &self.choices[*n].replaces);
                let removes = replaced.copied().filter(|n| set.contains(n)).collect();
                steps.push(Step { adds, removes });
            }
        }
        steps
    }

    /// What the workload gains by `next` in place of `set`, in milliseconds; minus infinity when
    /// a statement gets too slow.
    pub(super) async fn gain(&mut self, set: &Set, next: &Set) -> Result<f64> {
        let changed: Vec<usize> = set.symmetric_difference(next).copied().collect();
        let mut concerned = Set::new();
        for choice in changed {
            concerned.extend(self.choices[choice].concerns.iter().copied());
        }
        let mut gain = 0.0;
        for statement in concerned {
            let before = self.time(statement, set).await?;
            let after = self.time(statement, next).await?;
            if after.is_infinite() {
                return Ok(f64::NEG_INFINITY);
            }
            if before.is_infinite() {
                return Ok(f64::INFINITY);
            }
            gain += (before - after) * self.calls(statement);
        }
        Ok(gain)
    }

    /// The workload's time with `set`, in milliseconds.
    pub(super) async fn total(&mut self, set: &Set) -> Result<f64> {
        let mut total = 0.0;
        for statement in 0..self.subjects.len() {
            total += self.time(statement, set).await? * self.calls(statement);
        }
        Ok(total)
    }

    /// The time of one run with `set`, in milliseconds: measured where it was, else expected.
    pub(super) async fn time(&mut self, statement: usize, set: &Set) -> Result<f64> {
        let relevant = self.relevant(statement, set);
        if let Some(timed) = self.book.measured(statement, &relevant) {
            let ms = timed.ms;
            return Ok(if self.book.too_slow(statement, ms) { f64::INFINITY } else { ms });
        }
        let estimate = self.estimate(statement, &relevant).await?;
        let helping = self.helping(statement, set);
        Ok(self.book.time(statement, &helping, &estimate))
    }

    /// What the planner expects of a statement with `set`, and what it would use.
    pub(super) async fn estimate(&mut self, statement: usize, set: &Set) -> Result<Estimate> {
        let relevant = self.helping(statement, set);
        if relevant.is_empty() {
            let cost = self.book.base.get(statement).map_or(0.0, |base| base.cost);
            return Ok(Estimate { cost, uses: Set::new() });
        }
        if let Some(known) = self.book.estimate(statement, &relevant) {
            return Ok(known.clone());
        }
        let estimate = self.ask(statement, &relevant).await?;
        self.book.estimated(statement, relevant, estimate.clone());
        Ok(estimate)
    }

    /// Asks the arena: for each wording there is, the statement's own only when there is no other.
    async fn ask(&mut self, statement: usize, set: &Set) -> Result<Estimate> {
        let (mut wordings, mut others): (Vec<Option<usize>>, Vec<usize>) = (vec![None], Vec::new());
        for number in set {
            match self.choices[*number].is_rewrite() {
                true => wordings.push(Some(*number)),
                false => others.push(*number),
            }
        }
        if wordings.len() > 1 {
            wordings.remove(0);
        }
        let mut best: Option<Estimate> = None;
        for wording in wordings {
            let text = match wording {
                Some(number) => self.choices[number].wording(&self.subjects[statement].statement),
                None => self.subjects[statement].statement.clone(),
            };
            let set: Vec<_> = others.iter().map(|n| (*n, &self.choices[*n].change)).collect();
            self.effort.plans += 1;
            let mut estimate = self.arena.estimate(&text, &set).await?;
            estimate.uses.extend(wording);
            if best.as_ref().is_none_or(|best| estimate.cost < best.cost) {
                best = Some(estimate);
            }
        }
        Ok(best.unwrap_or(Estimate { cost: f64::INFINITY, uses: Set::new() }))
    }

    /// What of `set` concerns a statement.
    pub(super) fn relevant(&self, statement: usize, set: &Set) -> Set {
        let concerns = |n: &usize| self.choices[*n].concerns.binary_search(&statement).is_ok();
        set.iter().copied().filter(concerns).collect()
    }

    /// What of `set` may help a statement.
    pub(super) fn helping(&self, statement: usize, set: &Set) -> Set {
        let helps = |n: &usize| self.choices[*n].helps.binary_search(&statement).is_ok();
        set.iter().copied().filter(helps).collect()
    }

    /// What the choices of `set` take on disk.
    pub(super) fn bytes(&self, set: &Set) -> u64 {
        set.iter().map(|n| self.choices[*n].bytes).sum()
    }

    /// What `set` costs beside what it gains, in milliseconds: what keeping it up takes of the
    /// workload's writes, and its space, where indexes as big as all data must gain this share of
    /// the workload.
    pub(super) fn price(&self, set: &Set) -> f64 {
        const SHARE: f64 = 0.02;
        let calls = |n: usize| self.calls(n);
        let base =
            self.book.base.iter().enumerate().map(|(n, base)| base.ms * calls(n)).sum::<f64>();
        let writes: f64 = set.iter().map(|number| self.choices[*number].writes_ms).sum();
        writes
            + match self.data_bytes {
                0 => 0.0,
                data => base * SHARE * self.bytes(set) as f64 / data as f64,
            }
    }

    pub(super) fn fits(&self, set: &Set) -> bool {
        self.options.budget_bytes.is_none_or(|budget| self.bytes(set) <= budget)
    }

    pub(super) fn calls(&self, statement: usize) -> f64 {
        self.subjects.get(statement).map_or(0.0, |subject| subject.calls.max(1) as f64)
    }
}
