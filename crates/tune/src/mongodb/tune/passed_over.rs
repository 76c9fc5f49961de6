//! What was tried, is of use by itself, and is not in the set: why.

use marula_core::TurnedDown;

use super::choose::{Chosen, FEW, Search};
use super::idea::Idea;
use super::table::{Table, WORTH, turned};
use super::trial::Trial;

/// More of them nobody reads.
const MOST: usize = 20;

impl Search<'_> {
    /// Each useful idea that is not in the set with the reason, what gains most by itself first.
    pub(super) fn passed_over(
        &self,
        trial: &Trial<'_>,
        table: &Table,
        chosen: &Chosen,
    ) -> Vec<TurnedDown> {
        let said = |one: &TurnedDown| table.turned_down.iter().any(|known| known.up == one.up);
        let mut found: Vec<(f64, TurnedDown)> = Vec::new();
        for &number in table.useful.difference(&chosen.ideas) {
            let idea = &self.ideas.ideas[number];
            let bytes = trial.bytes(idea.indexes.iter().copied());
            let Some(reason) = self.why_not(trial, table, chosen, number, bytes) else { continue };
            let one = turned(self.ideas, idea, reason, Some(bytes));
            if !said(&one) {
                let alone = idea.queries.iter().filter_map(|at| {
                    let plain = table.plain.get(*at)?.value;
                    let value = table.cells.get(&(*at, number))?.value;
                    let weight = table.weight(self.queries, *at);
                    Some(weight * (1.0 - value / plain).max(0.0))
                });
                found.push((alone.sum(), one));
            }
        }
        // Of equal ones the order stays that of the ideas.
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.truncate(MOST);
        found.into_iter().map(|(_, one)| one).collect()
    }

    fn why_not(
        &self,
        trial: &Trial<'_>,
        table: &Table,
        chosen: &Chosen,
        number: usize,
        bytes: u64,
    ) -> Option<String> {
        let idea: &Idea = &self.ideas.ideas[number];
        let (mut gain, mut better, mut served) = (0.0, 0, 0);
        for &at in &idea.queries {
            let (Some(cell), Some(base)) = (table.cells.get(&(at, number)), table.base.get(at))
            else {
                continue;
            };
            let (now, plain) = (chosen.after.get(at)?.value, table.plain.get(at)?.value);
            served += usize::from(cell.value * WORTH < plain);
            if cell.value * WORTH < now && now - cell.value >= FEW {
                better += 1;
                gain += self.share(table, at, now, base.value)
                    - self.share(table, at, cell.value, base.value);
            }
        }
        let statements = |count: usize| match count {
            1 => "the one statement that gains by it".to_string(),
            many => format!("all {many} statements that gain by it"),
        };
        if better == 0 {
            return Some(format!("what is picked serves {} as well", statements(served)));
        }
        let taken = trial.bytes(chosen.indexes(self.ideas));
        if let Some(budget) = trial.budget().filter(|budget| taken + bytes > *budget) {
            return Some(format!(
                "of the budget {:.1} MB are left, and it takes {:.1} MB",
                budget.saturating_sub(taken) as f64 / 1e6,
                bytes as f64 / 1e6
            ));
        }
        let keeping = self.keeping(trial, table, idea);
        if keeping >= gain {
            let name = self.ideas.indexes.get(*idea.indexes.first()?)?.index.collection.clone();
            let calls: u64 = self
                .writes
                .iter()
                .filter(|write| write.command.collection == name)
                .map(|write| write.calls)
                .sum();
            return Some(format!(
                "{calls} writes to {name} would keep it up to date, which costs more (about \
                 {keeping:.0} ms) than it gains beside what is picked ({gain:.0} ms)"
            ));
        }
        Some("beside what is picked it makes another statement examine more".into())
    }
}
