use marula_core::Load;

use super::Sketch;
use crate::Run;

/// What runs cost together. Sums are of whole microseconds and so exact in any order.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    pub calls: u64,
    pub micros: u128,
    pub max: u64,
    pub sketch: Sketch,
    pub returned: Option<u64>,
    pub keys: Option<u64>,
    pub reads: Option<u64>,
    pub temp_bytes: Option<u64>,
    /// Microseconds of waiting for locks.
    pub waited: Option<u64>,
}

fn plus(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

impl Cost {
    /// Counts a run.
    pub fn add(&mut self, run: &Run<'_>) {
        self.calls += 1;
        self.micros += u128::from(run.micros);
        self.max = self.max.max(run.micros);
        self.sketch.add(run.micros);
        self.add_reads(run);
    }

    /// Adds what a run read and wrote, without counting it.
    pub fn add_reads(&mut self, run: &Run<'_>) {
        plus(&mut self.returned, run.returned);
        plus(&mut self.keys, run.keys);
        plus(&mut self.reads, run.reads);
        plus(&mut self.temp_bytes, run.temp_bytes);
        plus(&mut self.waited, run.waited);
    }

    /// Gives back memory that it does not use.
    pub fn shrink(&mut self) {
        self.sketch.shrink();
    }

    /// Adds another's sums.
    pub fn merge(&mut self, other: &Cost) {
        self.calls += other.calls;
        self.micros += other.micros;
        self.max = self.max.max(other.max);
        self.sketch.merge(&other.sketch);
        plus(&mut self.returned, other.returned);
        plus(&mut self.keys, other.keys);
        plus(&mut self.reads, other.reads);
        plus(&mut self.temp_bytes, other.temp_bytes);
        plus(&mut self.waited, other.waited);
    }

    /// A percentile in milliseconds, never above the maximum.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        ms(self.sketch.quantile(share).min(self.max).into())
    }

    /// The sums as they are told.
    pub fn load(&self) -> Load {
        let total_ms = ms(self.micros);
        Load {
            calls: self.calls,
            total_ms,
            mean_ms: if self.calls == 0 { 0.0 } else { total_ms / self.calls as f64 },
            min_ms: None,
            stddev_ms: None,
            p50_ms: Some(self.quantile_ms(0.5)),
            p95_ms: Some(self.quantile_ms(0.95)),
            p99_ms: Some(self.quantile_ms(0.99)),
            max_ms: Some(ms(self.max.into())),
            returned: self.returned,
            keys: self.keys,
            reads: self.reads,
            temp_bytes: self.temp_bytes,
            lock_ms: self.waited.map(|micros| ms(micros.into())),
        }
    }
}

/// Microseconds in milliseconds.
pub fn ms(micros: u128) -> f64 {
    micros as f64 / 1000.0
}
