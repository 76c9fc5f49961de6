//! Changes whose worth no estimate tells. Extended statistics make the planner expect other
//! numbers: what it says a plan costs with them and without cannot be compared. Each is gathered
//! and tried beside the best set; it is used where it leads to another plan.

use std::time::Duration;

use marula_core::{ChangeKind, Plan, PlanNode, Result, Statement};
use marula_lab::bench::Bench;

use super::arena::{Arena, Choice, Set};
use super::{Best, Tuner};

impl Choice {
    /// Whether it is used where it leads to another plan, and no plan names it.
    pub fn is_statistics(&self) -> bool {
        self.change.kind == ChangeKind::Statistics
    }
}

impl<A: Arena> Tuner<'_, A> {
    /// Tries what waits, one after the other; what clearly gains goes into the best set.
    pub(super) async fn try_late(&mut self) -> Result<()> {
        for choice in std::mem::take(&mut self.late) {
            if self.over() {
                return Ok(());
            }
            let number = self.choices.len();
            self.choices.push(choice);
            let best = self.best.set.clone();
            let mut set = best.clone();
            set.insert(number);
            self.measure(&set).await?;
            if self.out.contains_key(&number) {
                continue;
            }
            let total = self.total(&set).await?;
            if total.is_finite() && self.clearly_gains(&best, &set).await? {
                self.best = Best { set, ms: total, ..Best::default() };
                continue;
            }
            let why = match self.book.uses(number) {
                true => "the statements whose plans change with it do not clearly gain",
                false => "no plan of the workload changes with it",
            };
            self.turned.entry(number).or_insert((0.0, why.into()));
            self.activate(&best).await?;
        }
        Ok(())
    }

    /// The statistics among `relevant` without which a statement has another plan than `plan`,
    /// which it has with `set`.
    pub(super) async fn telling(
        &mut self,
        text: &Statement,
        plan: &Plan,
        relevant: &Set,
        set: &Set,
    ) -> Result<Set> {
        let mut found = Set::new();
        for number in relevant {
            if !self.choices[*number].is_statistics() {
                continue;
            }
            let mut less = set.clone();
            less.remove(number);
            self.activate(&less).await?;
            let without = self.arena.bench().plan(text, Duration::ZERO).await?;
            if !same(&plan.tree, &without.tree) {
                found.insert(*number);
            }
            self.activate(set).await?;
        }
        Ok(found)
    }
}

/// Whether two plans do the same in the same way, whatever numbers they expect.
fn same(a: &PlanNode, b: &PlanNode) -> bool {
    const DECIDED: [&str; 5] =
        ["Join Type", "Strategy", "Scan Direction", "Workers Planned", "Index Cond"];
    let (a, b) = (a.walk(), b.walk());
    a.len() == b.len()
        && a.iter().zip(&b).all(|((at, one), (other_at, other))| {
            at == other_at
                && one.op == other.op
                && one.relation == other.relation
                && one.index == other.index
                && DECIDED.iter().all(|key| one.native.get(*key) == other.native.get(*key))
        })
}
