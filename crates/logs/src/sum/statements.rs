use marula_core::{Engine, Fingerprint};
use rustc_hash::FxHashMap;

use super::folded::Folded;
use super::statement::StatementSum;
use crate::tally::{Origins, StatementTally};

/// Statements kept in full, and the bytes they may take; beyond either the cheaper half is folded:
/// only its numbers are kept.
const KEPT: usize = 5000;
const BYTES: usize = 48 << 20;

/// All statements so far.
#[derive(Default)]
pub struct Statements {
    /// Those that are kept in full.
    pub kept: Vec<StatementSum>,
    by_key: FxHashMap<u64, u32>,
    by_fingerprint: FxHashMap<(Engine, Fingerprint), u32>,
    folded: Folded,
    since_weighed: usize,
}

impl Statements {
    /// Adds a chunk's statements.
    pub fn add(&mut self, tallies: Vec<StatementTally>, origins: &Origins, width: i64) {
        for tally in tallies {
            let slot = match self.by_key.get(&tally.key) {
                Some(slot) => *slot,
                None => self.slot(&tally, width),
            };
            if let Some(kept) = self.kept.get_mut(slot as usize) {
                kept.add(tally, &origins.seen, width);
            }
        }
        self.since_weighed += 1;
        if self.kept.len() > KEPT || self.since_weighed >= 64 {
            self.weigh();
        }
    }

    fn slot(&mut self, tally: &StatementTally, width: i64) -> u32 {
        let name = (tally.shape.engine, tally.shape.fingerprint.clone());
        let next = self.kept.len() as u32;
        let slot = *self.by_fingerprint.entry(name).or_insert(next);
        if slot == next {
            let mut new = StatementSum::new(tally.shape.clone(), width);
            self.folded.take(name_hash(&new), &mut new);
            self.kept.push(new);
        }
        if self.by_key.len() > 20 * KEPT {
            self.by_key.clear();
        }
        self.by_key.insert(tally.key, slot);
        slot
    }

    fn weigh(&mut self) {
        self.since_weighed = 0;
        let bytes: usize = self.kept.iter().map(StatementSum::size).sum();
        if self.kept.len() <= KEPT && bytes <= BYTES {
            return;
        }
        self.kept.sort_by(|a, b| {
            (b.cost.micros.cmp(&a.cost.micros))
                .then_with(|| b.cost.calls.cmp(&a.cost.calls))
                .then_with(|| a.shape.fingerprint.cmp(&b.shape.fingerprint))
        });
        for folded in self.kept.drain(self.kept.len() / 2..) {
            self.folded.put(name_hash(&folded), folded);
        }
        self.by_key.clear();
        self.by_fingerprint = (0u32..)
            .zip(&self.kept)
            .map(|(slot, kept)| ((kept.shape.engine, kept.shape.fingerprint.clone()), slot))
            .collect();
    }

    /// How many statements there are that are not kept in full.
    pub fn folded(&self) -> u64 {
        self.folded.count(self.kept.iter())
    }
}

/// A statement's name in 64 bits.
fn name_hash(statement: &StatementSum) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    (statement.shape.engine, &statement.shape.fingerprint.0).hash(&mut hasher);
    hasher.finish()
}
