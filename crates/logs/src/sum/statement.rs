use std::sync::Arc;

use marula_core::Partial;
use rustc_hash::FxHashMap;

use crate::Shape;
use crate::tally::{Cost, Kept, OriginTally, StatementTally, join, keep};

/// Names kept of each kind of origin, and plan summaries.
const NAMES: usize = 100;

/// One statement's runs in all chunks so far.
pub struct StatementSum {
    /// The shape.
    pub shape: Arc<Shape>,
    pub cost: Cost,
    pub span: Option<(i64, i64)>,
    pub samples: Vec<Kept>,
    /// Databases, users, applications and hosts.
    pub origins: [FxHashMap<String, u64>; 4],
    pub plans: FxHashMap<String, u64>,
    /// Bucket (of `width` seconds), calls and microseconds; in order.
    pub slices: Vec<(i64, u64, u128)>,
    /// What is left out, because it was folded for a while.
    pub partial: Option<Partial>,
    width: i64,
}

impl StatementSum {
    /// A statement not seen before.
    pub fn new(shape: Arc<Shape>, width: i64) -> Self {
        StatementSum {
            shape,
            cost: Cost::default(),
            span: None,
            samples: Vec::new(),
            origins: Default::default(),
            plans: FxHashMap::default(),
            slices: Vec::new(),
            partial: None,
            width,
        }
    }

    /// Adds a chunk's runs.
    pub fn add(&mut self, tally: StatementTally, origins: &[OriginTally], width: i64) {
        if self.shape.incomplete && !tally.shape.incomplete {
            self.shape = tally.shape;
        }
        self.cost.merge(&tally.cost);
        self.span = join(self.span, tally.span);
        for sample in tally.samples {
            keep(&mut self.samples, sample);
        }
        for (origin, count) in tally.origins {
            let Some(origin) = origins.get(origin as usize) else { continue };
            for (names, name) in self.origins.iter_mut().zip(origin.names()) {
                if !name.is_empty() {
                    let name = String::from_utf8_lossy(name);
                    crate::tally::count(names, &name, count, NAMES);
                }
            }
        }
        for (plan, count) in tally.plans {
            crate::tally::count(&mut self.plans, &String::from_utf8_lossy(&plan), count, NAMES);
        }
        self.widen(width);
        for (second, calls, micros) in tally.slices {
            let bucket = second.div_euclid(width);
            let at = self.slices.partition_point(|slice| slice.0 < bucket);
            match self.slices.get_mut(at) {
                Some(slice) if slice.0 == bucket => {
                    slice.1 += calls;
                    slice.2 += micros;
                }
                _ => self.slices.insert(at, (bucket, calls, micros)),
            }
        }
    }

    /// Takes wider buckets.
    pub fn widen(&mut self, width: i64) {
        let times = width / self.width;
        self.width = width;
        if times > 1 {
            for slice in &mut self.slices {
                slice.0 = slice.0.div_euclid(times);
            }
            self.slices.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1 += later.1;
                    first.2 += later.2;
                }
                same
            });
        }
    }

    /// Bytes its texts and slices take in memory, roughly.
    pub fn size(&self) -> usize {
        let names: usize = self.origins.iter().map(|names| names.len() * 64).sum();
        self.samples.iter().map(Kept::size).sum::<usize>()
            + self.shape.text.len()
            + self.slices.len() * 48
            + names
            + 1000
    }
}
