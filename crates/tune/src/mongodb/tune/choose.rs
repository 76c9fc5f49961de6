//! The search: what adds most to the set goes in first, and what turns out to harm a statement,
//! or to add nothing to the others, goes out again.

use std::collections::BTreeSet;

use marula_core::Result;

use super::idea::Ideas;
use super::query::{Query, Write};
use super::table::{Cell, Table, WORTH, best, turned};
use super::trial::Trial;

/// A gain of fewer keys and documents a run counts for nothing.
pub(super) const FEW: f64 = 20.0;
/// How often the search begins anew without what did harm.
const ROUNDS: usize = 60;

/// What the search came to.
pub(super) struct Chosen {
    /// The ideas, by number.
    pub ideas: BTreeSet<usize>,
    /// Each statement with all of them in place: its cost and best wording.
    pub after: Vec<Cell>,
}

impl Chosen {
    /// The indexes of the ideas.
    pub fn indexes(&self, ideas: &Ideas) -> BTreeSet<usize> {
        indexes(&self.ideas, ideas)
    }
}

pub(super) fn indexes(chosen: &BTreeSet<usize>, ideas: &Ideas) -> BTreeSet<usize> {
    let all = chosen.iter().filter_map(|number| ideas.ideas.get(*number));
    all.flat_map(|idea| idea.indexes.iter().copied()).collect()
}

/// What each statement costs with the ideas taken so far.
pub(super) struct Now {
    pub values: Vec<f64>,
    /// Whether one of the ideas serves it: then it is not read as it was before, for better or
    /// worse.
    pub served: Vec<bool>,
    /// Whether it has to be told to go on reading its collection unless another idea serves it.
    pub told: Vec<bool>,
}

impl Now {
    pub fn new(table: &Table) -> Self {
        let values: Vec<f64> = table.plain.iter().map(|cell| cell.value).collect();
        let none = vec![false; values.len()];
        Now { values, served: none.clone(), told: none }
    }

    pub fn add(&mut self, queries: &[Query], table: &Table, at: usize, number: usize) {
        let plain = table.plain.get(at).map_or(f64::INFINITY, |cell| cell.value);
        let Some(cell) = table.cells.get(&(at, number)) else { return };
        if queries[at].is_natural(cell.wording) {
            self.told[at] = true;
            return;
        }
        // The same as before: the server does not use it.
        if (cell.value - plain).abs() <= plain * 0.001 {
            return;
        }
        if let (Some(value), Some(served)) = (self.values.get_mut(at), self.served.get_mut(at)) {
            *value = if *served { value.min(cell.value) } else { cell.value };
            *served = true;
        }
    }
}

/// Everything the search looks at.
pub(super) struct Search<'s> {
    pub queries: &'s [Query],
    pub writes: &'s [Write],
    pub ideas: &'s Ideas,
    /// Documents of each collection on the bench.
    pub documents: &'s dyn Fn(&str) -> u64,
}

impl Search<'_> {
    /// The best set that was found.
    pub async fn run(&self, trial: &mut Trial<'_>, table: &mut Table) -> Result<Chosen> {
        let mut banned: BTreeSet<usize> = BTreeSet::new();
        let mut guards: BTreeSet<usize> = BTreeSet::new();
        for _ in 0..ROUNDS {
            let mut chosen = self.greedy(trial, table, &banned).await?;
            self.thin(trial, table, &mut chosen);
            chosen.extend(guards.difference(&banned));
            let (after, harm) = self.verify(trial, table, &chosen).await?;
            if harm.is_empty() {
                let mut chosen = Chosen { ideas: chosen, after };
                self.leave_one_out(trial, table, &mut chosen).await?;
                return Ok(chosen);
            }
            // An index of its own may keep a statement from being led astray by another's.
            let more: Vec<usize> = harm
                .iter()
                .filter_map(|harm| self.guard(trial, table, harm.query, &chosen, &banned))
                .filter(|guard| !guards.contains(guard))
                .collect();
            if !more.is_empty() {
                guards.extend(more);
                continue;
            }
            for (number, reason) in harm.into_iter().flat_map(|harm| harm.culprits) {
                if banned.insert(number) {
                    let idea = &self.ideas.ideas[number];
                    let bytes = Some(trial.bytes(idea.indexes.iter().copied()));
                    table.turned_down.insert(0, turned(self.ideas, idea, reason, bytes));
                }
            }
        }
        // What still does harm is taken out of the last set, until nothing does.
        let mut chosen = self.greedy(trial, table, &banned).await?;
        loop {
            let (after, harm) = self.verify(trial, table, &chosen).await?;
            let before = chosen.len();
            for (number, _) in harm.into_iter().flat_map(|harm| harm.culprits) {
                chosen.remove(&number);
            }
            if chosen.len() == before {
                return Ok(Chosen { ideas: chosen, after });
            }
        }
    }

    /// Adds what gains most, until nothing gains enough or the budget is used up.
    async fn greedy(
        &self,
        trial: &mut Trial<'_>,
        table: &mut Table,
        banned: &BTreeSet<usize>,
    ) -> Result<BTreeSet<usize>> {
        let budget = trial.budget();
        let mut chosen: BTreeSet<usize> = BTreeSet::new();
        let mut now = Now::new(table);
        loop {
            let taken = indexes(&chosen, self.ideas);
            let used = trial.bytes(taken.iter().copied());
            let mut best: Option<(f64, u64, usize)> = None;
            for &number in table.useful.difference(banned) {
                let idea = &self.ideas.ideas[number];
                if chosen.contains(&number)
                    || idea.indexes.iter().any(|at| trial.made(*at).is_none())
                {
                    continue;
                }
                let bytes =
                    trial.bytes(idea.indexes.iter().copied().filter(|at| !taken.contains(at)));
                if budget.is_some_and(|budget| used + bytes > budget) {
                    continue;
                }
                if self.harms(table, number, &now) {
                    continue;
                }
                let gain = self.gain(table, number, &now) - self.keeping(trial, table, idea);
                // Where bytes are short, what gains most for each of them goes first.
                let worth = if budget.is_some() { gain / (bytes.max(4096) as f64) } else { gain };
                let better = match best {
                    // As good as equal: the smaller one.
                    Some((known, size, _)) if worth > known * 0.9999 && worth < known * 1.0001 => {
                        bytes < size
                    }
                    Some((known, _, _)) => worth > known,
                    None => true,
                };
                if gain > 0.0 && better {
                    best = Some((worth, bytes, number));
                }
            }
            let Some((_, _, number)) = best else { return Ok(chosen) };
            chosen.insert(number);
            for &at in &self.ideas.ideas[number].queries {
                now.add(self.queries, table, at, number);
            }
            self.again(trial, table, &chosen, number, &mut now.values).await?;
        }
    }

    /// Takes out, one after the other, what the workload does as well without.
    async fn leave_one_out(
        &self,
        trial: &mut Trial<'_>,
        table: &mut Table,
        chosen: &mut Chosen,
    ) -> Result<()> {
        let mut order: Vec<usize> = chosen.ideas.iter().copied().collect();
        let now = Now::new(table);
        order.sort_by(|a, b| self.gain(table, *a, &now).total_cmp(&self.gain(table, *b, &now)));
        for number in order {
            if trial.is_over() {
                return Ok(());
            }
            let mut without = chosen.ideas.clone();
            without.remove(&number);
            trial.show(&indexes(&without, self.ideas)).await?;
            let mut after = chosen.after.clone();
            let (mut lost, mut worse) = (0.0, false);
            for &at in &self.ideas.ideas[number].queries {
                let limit = table.limit(at, trial.options.timeout);
                let Some((cell, _)) = best(trial, &self.queries[at], limit).await? else {
                    continue;
                };
                let base = table.base[at].value;
                let with = chosen.after[at].value;
                lost += self.share(table, at, cell.value, base) - self.share(table, at, with, base);
                worse |= cell.value > with * WORTH && cell.value - with >= FEW;
                after[at] = cell;
            }
            let idea = &self.ideas.ideas[number];
            if !worse || lost <= self.keeping(trial, table, idea) {
                let reason = "the others in the set do as well without it".to_string();
                let bytes = Some(trial.bytes(idea.indexes.iter().copied()));
                table.turned_down.insert(0, turned(self.ideas, idea, reason, bytes));
                chosen.ideas = without;
                chosen.after = after;
            }
        }
        Ok(())
    }
}
