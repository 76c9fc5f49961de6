//! Second looks at a set: what ideas gain beside each other where statements read several
//! collections, and what the others do as well.

use std::collections::BTreeSet;

use marula_core::Result;

use super::choose::{FEW, Now, Search, indexes};
use super::table::{Table, best};
use super::trial::Trial;

impl Search<'_> {
    /// Measures anew what statements over several collections gain with `chosen` in place: there
    /// what two ideas gain adds up.
    pub(super) async fn again(
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
    pub(super) fn thin(&self, trial: &Trial<'_>, table: &Table, chosen: &mut BTreeSet<usize>) {
        let at_best = |set: &BTreeSet<usize>, at: usize| {
            let mut now = Now::new(table);
            for number in set {
                now.add(self.queries, table, at, *number);
            }
            now.values.get(at).copied().unwrap_or(f64::INFINITY)
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
                less <= all * 1.02 || less - all < FEW
            };
            if idea.queries.iter().all(same) {
                *chosen = without;
            }
        }
    }
}
