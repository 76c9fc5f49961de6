//! The search: what adds most to the set goes in first, and what turns out to harm a statement,
//! or to add nothing to the others, goes out again.

use std::collections::BTreeSet;

use marula_core::Result;

use super::idea::{Idea, Ideas};
use super::query::{Query, Write};
use super::table::{Cell, Table, WORTH, best, turned};
use super::trial::Trial;

/// What an index must be worth of the workload's time, though nothing is written.
const LEAST: f64 = 1e-6;
/// A gain of fewer keys and documents a run counts for nothing.
const FEW: f64 = 20.0;
/// A statement that examines so much more than before, at least, got worse.
const WORSE: f64 = 50.0;
/// How often the search begins anew without what did harm.
const ROUNDS: usize = 12;

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

/// A statement that a set makes worse.
struct Harm {
    query: usize,
    /// The ideas whose indexes its plan uses, and what to say of each.
    culprits: Vec<(usize, String)>,
}

/// Everything the search looks at.
pub(super) struct Search<'s> {
    pub queries: &'s [Query],
    pub writes: &'s [Write],
    pub ideas: &'s Ideas,
    /// The version of the bench's server.
    pub version: marula_core::Version,
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
        let none = BTreeSet::new();
        let (after, _) = self.verify(trial, table, &none).await?;
        Ok(Chosen { ideas: none, after })
    }

    /// What keeping an idea's indexes costs the workload, in milliseconds.
    fn keeping(&self, trial: &Trial<'_>, table: &Table, idea: &Idea) -> f64 {
        let mut cost = LEAST * table.total(self.queries);
        for made in idea.indexes.iter().filter_map(|at| trial.made(*at)) {
            let Some(name) = made.change.relation.as_deref() else { continue };
            let writes = self.writes.iter().filter(|write| write.command.collection == name);
            let calls: u64 = writes.map(|write| write.calls).sum();
            // By size and not by the time of the build, which is another one each time. About
            // what 6.0 takes for one entry of a cached index.
            let bytes = made.build.bytes as f64 / ((self.documents)(name).max(1) as f64);
            let entry = 0.005 + 0.0001 * bytes;
            cost += calls as f64 * entry;
        }
        cost
    }

    /// Adds what gains most, until nothing gains enough or the budget is used up.
    async fn greedy(
        &self,
        trial: &mut Trial<'_>,
        table: &mut Table,
        banned: &BTreeSet<usize>,
    ) -> Result<BTreeSet<usize>> {
        let budget = trial.options.budget_bytes;
        let mut chosen: BTreeSet<usize> = BTreeSet::new();
        let mut now: Vec<f64> = table.plain.iter().map(|cell| cell.value).collect();
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
                if let Some(cell) = table.cells.get(&(at, number)) {
                    now[at] = now[at].min(cell.value);
                }
            }
            self.again(trial, table, &chosen, number, &mut now).await?;
        }
    }

    /// What an idea gains over what there is, in milliseconds of the workload. Gains below 1.1
    /// times count for nothing.
    fn gain(&self, table: &Table, number: usize, now: &[f64]) -> f64 {
        let of = |at: &usize| {
            let cell = table.cells.get(&(*at, number))?;
            let (now, base) = (now.get(*at)?, table.base.get(*at)?.value);
            let few = if self.queries[*at].counters_lie(self.version) { 1.0 } else { FEW };
            (cell.value * WORTH < *now && now - cell.value >= few).then(|| {
                self.share(table, *at, *now, base) - self.share(table, *at, cell.value, base)
            })
        };
        self.ideas.ideas[number].queries.iter().filter_map(of).sum()
    }

    /// The time a statement's runs take when one of them costs `value`, where one as things
    /// stand costs `base`.
    fn share(&self, table: &Table, at: usize, value: f64, base: f64) -> f64 {
        let weight = table.weight(self.queries, at);
        match (value.is_finite(), base.is_finite()) {
            (true, true) => weight * value / base,
            // Against what did not finish everything that does is a great gain.
            (true, false) => weight * 0.01,
            (false, _) => weight,
        }
    }

    /// Measures anew what statements over several collections gain with `chosen` in place: there
    /// what two ideas gain adds up.
    async fn again(
        &self,
        trial: &mut Trial<'_>,
        table: &mut Table,
        chosen: &BTreeSet<usize>,
        last: usize,
        now: &mut [f64],
    ) -> Result<()> {
        let several = |at: usize| {
            let shape =
                self.queries[at].wordings.iter().map(|wording| wording.shape.accesses.len());
            shape.max().unwrap_or(0) > 1
        };
        let touched: Vec<usize> =
            self.ideas.ideas[last].queries.iter().copied().filter(|at| several(*at)).collect();
        if touched.is_empty() || trial.is_over() {
            return Ok(());
        }
        let taken = indexes(chosen, self.ideas);
        for at in touched {
            let limit = table.limit(at, trial.options.timeout);
            trial.show(&taken).await?;
            if let Some((cell, _)) = best(trial, &self.queries[at], limit).await? {
                now[at] = cell.value;
            }
            let others: Vec<usize> = table
                .cells
                .keys()
                .filter(|(query, idea)| *query == at && !chosen.contains(idea))
                .map(|(_, idea)| *idea)
                .collect();
            for number in others {
                let own = &self.ideas.ideas[number].indexes;
                if own.iter().any(|at| trial.made(*at).is_none()) || trial.is_over() {
                    continue;
                }
                trial.show(&taken.iter().chain(own).copied().collect()).await?;
                if let Some((cell, _)) = best(trial, &self.queries[at], limit).await? {
                    table.cells.insert((at, number), cell);
                }
            }
        }
        Ok(())
    }

    /// Takes out what the others do as well.
    fn thin(&self, trial: &Trial<'_>, table: &Table, chosen: &mut BTreeSet<usize>) {
        let at_best = |set: &BTreeSet<usize>, at: usize| {
            let cells = set.iter().filter_map(|number| table.cells.get(&(at, *number)));
            let plain = table.plain.get(at).map_or(f64::INFINITY, |cell| cell.value);
            cells.map(|cell| cell.value).fold(plain, f64::min)
        };
        let mut numbers: Vec<usize> = chosen.iter().copied().collect();
        let size = |number: &usize| {
            let idea = &self.ideas.ideas[*number];
            (idea.queries.len(), u64::MAX - trial.bytes(idea.indexes.iter().copied()))
        };
        numbers.sort_by_key(size);
        for number in numbers {
            let mut without = chosen.clone();
            without.remove(&number);
            let several = |at: &usize| self.queries[*at].wordings[0].shape.accesses.len() > 1;
            let idea = &self.ideas.ideas[number];
            // What adds up over collections cannot be told from single measurements.
            if idea.queries.iter().any(several) {
                continue;
            }
            let same = |at: &usize| {
                let (less, all) = (at_best(&without, *at), at_best(chosen, *at));
                less <= all * 1.02
                    || less - all < FEW && !self.queries[*at].counters_lie(self.version)
            };
            if idea.queries.iter().all(same) {
                *chosen = without;
            }
        }
    }

    /// Measures every statement with the whole set in place; gives what each costs, and the
    /// ideas that made one worse, with the reason.
    async fn verify(
        &self,
        trial: &mut Trial<'_>,
        table: &Table,
        chosen: &BTreeSet<usize>,
    ) -> Result<(Vec<Cell>, Vec<Harm>)> {
        trial.progress.step("measuring every statement with the whole set");
        let shown = indexes(chosen, self.ideas);
        trial.show(&shown).await?;
        let mut after = table.plain.clone();
        let mut harm = Vec::new();
        for (at, query) in self.queries.iter().enumerate() {
            let base = &table.base[at];
            let limit = table.limit(at, trial.options.timeout) * 2;
            // Its own wording must not get worse, whatever another gains.
            let own = trial.cost(query, 0, limit).await?;
            if let Some((cell, _)) = best(trial, query, limit).await? {
                after[at] = cell;
            }
            let Some(own) = own else { continue };
            let worse = own.value > base.value * WORTH
                && own.value - base.value
                    > if query.counters_lie(trial.version) { 5.0 } else { WORSE };
            if !worse {
                continue;
            }
            let used = |number: &&usize| {
                self.ideas.ideas[**number].indexes.iter().any(|at| trial.uses(&own.plan, *at))
            };
            let culprits: Vec<usize> = chosen.iter().filter(used).copied().collect();
            let last = chosen.iter().next_back().copied();
            let culprits = if culprits.is_empty() { last.into_iter().collect() } else { culprits };
            let text: String = query.wordings[0].statement.text.chars().take(120).collect();
            let mut blamed = Vec::new();
            for number in culprits {
                let reason = match own.value.is_finite() {
                    true => format!(
                        "the planner takes it for another statement, which then examines {} keys and \
                         documents instead of {}: {text}",
                        own.examined, base.examined
                    ),
                    false => format!(
                        "the planner takes it for another statement, which then does not finish in \
                         the time it took before: {text}"
                    ),
                };
                blamed.push((number, reason));
            }
            harm.push(Harm { query: at, culprits: blamed });
        }
        Ok((after, harm))
    }

    /// The idea that serves a statement best, where it is not in the set and fits the budget.
    fn guard(
        &self,
        trial: &Trial<'_>,
        table: &Table,
        query: usize,
        chosen: &BTreeSet<usize>,
        banned: &BTreeSet<usize>,
    ) -> Option<usize> {
        let base = table.base.get(query)?.value;
        let built = |number: &usize| {
            self.ideas.ideas[*number].indexes.iter().all(|at| trial.made(*at).is_some())
        };
        let fits = |number: &usize| {
            let with: BTreeSet<usize> = chosen.iter().copied().chain([*number]).collect();
            let bytes = trial.bytes(indexes(&with, self.ideas));
            trial.options.budget_bytes.is_none_or(|budget| bytes <= budget)
        };
        table
            .useful
            .iter()
            .filter(|number| !chosen.contains(number) && !banned.contains(number))
            .filter(|number| built(number) && fits(number))
            .filter_map(|number| Some((*number, table.cells.get(&(query, *number))?.value)))
            .filter(|(_, value)| *value <= base * WORTH)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(number, _)| number)
    }

    /// What the workload loses without an idea of the set, in milliseconds, and how many
    /// statements lose by it.
    pub async fn loss(
        &self,
        trial: &mut Trial<'_>,
        table: &Table,
        chosen: &Chosen,
        number: usize,
    ) -> Result<(f64, u32)> {
        let mut without = chosen.ideas.clone();
        without.remove(&number);
        trial.show(&indexes(&without, self.ideas)).await?;
        let (mut lost, mut statements) = (0.0, 0);
        for &at in &self.ideas.ideas[number].queries {
            let limit = table.limit(at, trial.options.timeout);
            let wording = chosen.after[at].wording;
            let cost = trial.cost(&self.queries[at], wording, limit).await?;
            let Some(value) = cost.map(|cost| cost.value) else { continue };
            let (base, with) = (table.base[at].value, chosen.after[at].value);
            lost += self.share(table, at, value, base) - self.share(table, at, with, base);
            statements += u32::from(value > with * WORTH);
        }
        Ok((lost, statements))
    }

    /// Takes out, one after the other, what the workload does as well without.
    async fn leave_one_out(
        &self,
        trial: &mut Trial<'_>,
        table: &mut Table,
        chosen: &mut Chosen,
    ) -> Result<()> {
        let mut order: Vec<usize> = chosen.ideas.iter().copied().collect();
        let now: Vec<f64> = table.plain.iter().map(|cell| cell.value).collect();
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
                let few = if self.queries[at].counters_lie(self.version) { 1.0 } else { FEW };
                worse |= cell.value > with * WORTH && cell.value - with >= few;
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
