use marula_core::{EventKind, Timestamp};
use rustc_hash::FxHashMap;

use super::Sketch;
use super::statement::FINEST;

/// What happened in one stretch of time.
#[derive(Debug, Clone, Default)]
pub struct BucketTally {
    pub calls: u64,
    pub micros: u128,
    pub max: u64,
    pub sketch: Sketch,
    pub errors: u64,
    pub events: Vec<(EventKind, u64)>,
}

impl BucketTally {
    /// Adds another stretch.
    pub fn merge(&mut self, other: &BucketTally) {
        self.calls += other.calls;
        self.micros += other.micros;
        self.max = self.max.max(other.max);
        self.sketch.merge(&other.sketch);
        self.errors += other.errors;
        for (kind, count) in &other.events {
            self.event(*kind, *count);
        }
    }

    fn event(&mut self, kind: EventKind, count: u64) {
        match self.events.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, sum)) => *sum += count,
            None => self.events.push((kind, count)),
        }
    }
}

/// A chunk's seconds.
#[derive(Debug, Default)]
pub struct TimelineTally {
    /// By second since 1970.
    pub seconds: FxHashMap<i64, BucketTally>,
}

impl TimelineTally {
    fn at(&mut self, at: Option<Timestamp>) -> Option<&mut BucketTally> {
        at.map(|at| self.seconds.entry(at.0.div_euclid(FINEST)).or_default())
    }

    pub(super) fn run(&mut self, at: Option<Timestamp>, micros: u64) {
        if let Some(bucket) = self.at(at) {
            bucket.calls += 1;
            bucket.micros += u128::from(micros);
            bucket.max = bucket.max.max(micros);
            bucket.sketch.add(micros);
        }
    }

    pub(super) fn failure(&mut self, at: Option<Timestamp>) {
        if let Some(bucket) = self.at(at) {
            bucket.errors += 1;
        }
    }

    pub(super) fn happening(&mut self, at: Option<Timestamp>, kind: EventKind) {
        if let Some(bucket) = self.at(at) {
            bucket.event(kind, 1);
        }
    }
}
