//! What an idea is worth to the workload beside others, and what keeping it costs.

use marula_core::Result;

use super::choose::{Chosen, FEW, Now, Search, indexes};
use super::idea::Idea;
use super::table::{Table, WORTH, is_worse};
use super::trial::Trial;

/// What an index must be worth of the workload's time, though nothing is written.
const LEAST: f64 = 1e-6;
/// What changing a statement so that it goes on reading its collection has to bring, of the
/// workload's time.
const TOLD: f64 = 1e-3;

impl Search<'_> {
    /// What keeping an idea's indexes costs the workload, in milliseconds.
    pub(super) fn keeping(&self, trial: &Trial<'_>, table: &Table, idea: &Idea) -> f64 {
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

    /// What an idea gains over what there is, in milliseconds of the workload. Gains below 1.1
    /// times count for nothing; what gets worse counts, and what has to be told to stay as it is.
    pub(super) fn gain(&self, table: &Table, number: usize, now: &Now) -> f64 {
        let of = |at: &usize| {
            let cell = table.cells.get(&(*at, number))?;
            let (told, served) = (*now.told.get(*at)?, *now.served.get(*at)?);
            let now = *now.values.get(*at)?;
            let base = table.base.get(*at)?.value;
            if self.queries[*at].is_natural(cell.wording) {
                return (!served && !told).then(|| -TOLD * table.total(self.queries));
            }
            let better = cell.value * WORTH < now && now - cell.value >= FEW;
            let worse = !served && cell.value > now;
            (better || worse).then(|| {
                self.share(table, *at, now, base) - self.share(table, *at, cell.value, base)
            })
        };
        self.ideas.ideas[number].queries.iter().filter_map(of).sum()
    }

    /// Whether an idea makes a statement worse for which nothing better is in the set: the server
    /// reads no collection from end to end where an index will do, though it may be the better
    /// way.
    pub(super) fn harms(&self, table: &Table, number: usize, now: &Now) -> bool {
        self.ideas.ideas[number].queries.iter().any(|at| {
            let Some(cell) = table.cells.get(&(*at, number)) else { return false };
            let Some(base) = table.base.get(*at).map(|base| base.value) else { return false };
            let served = now.served.get(*at).copied().unwrap_or(false);
            !served && is_worse(cell.value, base)
        })
    }

    pub(super) fn share(&self, table: &Table, at: usize, value: f64, base: f64) -> f64 {
        share(table.weight(self.queries, at), value, base)
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
            let ms = table.measured(self.queries, at);
            lost += share(ms, value, base) - share(ms, with, base);
            statements += u32::from(value > with * WORTH);
        }
        Ok((lost, statements))
    }
}

/// The time a statement's runs take when one of them costs `value`, where they take `weight` and
/// one of them costs `base` as things stand.
fn share(weight: f64, value: f64, base: f64) -> f64 {
    match (value.is_finite(), base.is_finite()) {
        (true, true) => weight * value / base,
        // Against what did not finish everything that does is a great gain.
        (true, false) => weight * 0.01,
        (false, _) => weight,
    }
}
