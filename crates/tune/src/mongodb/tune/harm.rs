//! What a set does to statements it was not made for: found by measuring every one, blamed on the
//! indexes their plans use, and guarded against where another index can.

use std::collections::BTreeSet;

use marula_core::Result;

use super::choose::{Search, indexes};
use super::table::{Cell, Table, WORTH, best, is_worse};
use super::trial::Trial;

/// A statement that a set makes worse.
pub(super) struct Harm {
    pub query: usize,
    /// The ideas whose indexes its plan uses, and what to say of each.
    pub culprits: Vec<(usize, String)>,
}

impl Search<'_> {
    /// Measures every statement with the whole set in place; gives what each costs, and the
    /// ideas that made one worse, with the reason.
    pub(super) async fn verify(
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
            // What can go on as it does is not made worse.
            if !is_worse(own.value, base.value) || query.natural.is_some() {
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
    pub(super) fn guard(
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
            trial.budget().is_none_or(|budget| bytes <= budget)
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
}
