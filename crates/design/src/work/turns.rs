//! Numbers for what is added, so that no two writes add the same.

use marula_core::model::{Deed, Model, Write};

use super::effects::Time;
use crate::synth::Turn;

/// So many members at most come along with one that is added.
pub(super) const MOST_ALONG: u64 = 1_000;

/// The turn of the member that a write adds by itself, or takes away.
pub(super) fn alone(model: &Model, write: &Write, time: Time) -> Turn {
    let ways = ways(model, |one| one.does == write.does && one.entity == write.entity);
    let own = ways.iter().position(|way| *way == way_of(model, write, time)).unwrap_or_default();
    let place = time.serial * ways.len().max(1) as u64 + own as u64;
    Turn::alone(place)
}

/// The numbers of those that come along with what a write adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Along {
    ways: u64,
    own: u64,
}

impl Along {
    pub(super) fn new(model: &Model, write: &Write, time: Time) -> Self {
        let ways = ways(model, |one| one.does == Deed::Insert && !one.with.is_empty());
        let own = ways.iter().position(|way| *way == way_of(model, write, time));
        Along { ways: ways.len().max(1) as u64, own: own.unwrap_or_default() as u64 }
    }

    /// A turn of its own for every `number` of every way.
    pub(super) fn turn(&self, number: u64, place: u64) -> Turn {
        let group = number / MOST_ALONG * self.ways + self.own;
        Turn::along(number * self.ways + self.own, group, place)
    }
}

/// A write by itself, or within a transaction: each by its index.
type Way = (usize, Option<usize>);

fn way_of(model: &Model, write: &Write, time: Time) -> Way {
    let at = model.writes.iter().position(|one| one.name == write.name).unwrap_or_default();
    (at, time.within)
}

/// All ways in which such writes happen.
fn ways(model: &Model, such: impl Fn(&Write) -> bool) -> Vec<Way> {
    let mut found = Vec::new();
    for (at, write) in model.writes.iter().enumerate().filter(|(_, write)| such(write)) {
        found.push((at, None));
        let together = model.transactions.iter().enumerate();
        let together = together.filter(|(_, one)| one.writes.contains(&write.name));
        found.extend(together.map(|(transaction, _)| (at, Some(transaction))));
    }
    found
}
