use std::collections::BTreeMap;

use marula_core::{Bucket, EventCount, Timeline, Timestamp};

use crate::tally::{BucketTally, TimelineTally, ms};

/// Widths a bucket may have, in seconds; each divides the next, so that narrow buckets add up to
/// wide ones exactly.
const WIDTHS: [i64; 16] = [
    1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800, 2_419_200,
    29_030_400,
];
/// The most buckets with something in them.
const BUCKETS: usize = 720;

/// The load over time, in as many buckets as fit.
#[derive(Default)]
pub struct Timelines {
    level: usize,
    buckets: BTreeMap<i64, BucketTally>,
}

impl Timelines {
    /// The width now, in seconds. It only grows.
    pub fn width(&self) -> i64 {
        WIDTHS[self.level.min(WIDTHS.len() - 1)]
    }

    /// Adds a chunk's seconds.
    pub fn add(&mut self, tally: TimelineTally) {
        let mut seconds: Vec<_> = tally.seconds.into_iter().collect();
        seconds.sort_unstable_by_key(|(second, _)| *second);
        for (second, bucket) in seconds {
            self.buckets.entry(second.div_euclid(self.width())).or_default().merge(&bucket);
            while self.buckets.len() > BUCKETS && self.level + 1 < WIDTHS.len() {
                self.widen();
            }
        }
    }

    fn widen(&mut self) {
        let narrow = self.width();
        self.level += 1;
        let times = self.width() / narrow;
        for (at, bucket) in std::mem::take(&mut self.buckets) {
            self.buckets.entry(at.div_euclid(times)).or_default().merge(&bucket);
        }
    }

    /// As it is told.
    pub fn tell(&self) -> Timeline {
        let width = self.width() * 1000;
        let quantile = |bucket: &BucketTally, share: f64| {
            ms(bucket.sketch.quantile(share).min(bucket.max).into())
        };
        let buckets: Vec<_> = self
            .buckets
            .iter()
            .map(|(at, bucket)| {
                let mut events: Vec<_> = bucket
                    .events
                    .iter()
                    .map(|(kind, count)| EventCount { kind: *kind, count: *count })
                    .collect();
                events.sort_unstable_by_key(|event| event.kind);
                Bucket {
                    at: Timestamp(at.saturating_mul(width)),
                    calls: bucket.calls,
                    total_ms: ms(bucket.micros),
                    p50_ms: quantile(bucket, 0.5),
                    p95_ms: quantile(bucket, 0.95),
                    p99_ms: quantile(bucket, 0.99),
                    max_ms: ms(bucket.max.into()),
                    errors: bucket.errors,
                    events,
                }
            })
            .collect();
        let width_ms = if buckets.is_empty() { 0 } else { width.unsigned_abs() };
        Timeline { width_ms, buckets }
    }
}
