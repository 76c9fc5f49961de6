use marula_core::Load;
use marula_postgres::counters::Counters;

/// Runs of one statement that were counted; what is not known stays open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted<'a> {
    /// Whose runs.
    pub of: &'a Counters,
    pub calls: u64,
    pub total_ms: f64,
    pub min_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// The sum of the squared distances from the mean.
    pub squares: f64,
    pub rows: u64,
    pub buffers: u64,
    pub temp_blocks: u64,
}

/// The sum of the squared distances from the mean.
fn squares(one: &Counters) -> f64 {
    one.stddev_ms * one.stddev_ms * one.calls as f64
}

fn mean(total: f64, calls: u64) -> f64 {
    if calls == 0 { 0.0 } else { total / calls as f64 }
}

impl<'a> Counted<'a> {
    /// All runs.
    pub fn whole(of: &'a Counters) -> Self {
        Counted {
            of,
            calls: of.calls,
            total_ms: of.total_ms,
            min_ms: Some(of.min_ms),
            max_ms: Some(of.max_ms),
            squares: squares(of),
            rows: of.rows,
            buffers: of.buffers,
            temp_blocks: of.temp_blocks,
        }
    }

    /// The runs from `before` to `after`.
    pub fn since(before: &Counters, after: &'a Counters) -> Self {
        let calls = after.calls - before.calls;
        let total_ms = (after.total_ms - before.total_ms).max(0.0);
        let apart = mean(total_ms, calls) - mean(before.total_ms, before.calls);
        let shared = before.calls as f64 * calls as f64 / after.calls.max(1) as f64;
        let squares = squares(after) - squares(before) - apart * apart * shared;
        Counted {
            of: after,
            calls,
            total_ms,
            // A new extreme was met in between; otherwise nobody knows what was.
            min_ms: (after.min_ms < before.min_ms).then_some(after.min_ms),
            max_ms: (after.max_ms > before.max_ms).then_some(after.max_ms),
            squares: squares.max(0.0),
            rows: after.rows.saturating_sub(before.rows),
            buffers: after.buffers.saturating_sub(before.buffers),
            temp_blocks: after.temp_blocks.saturating_sub(before.temp_blocks),
        }
    }
}

/// Sums of several.
#[derive(Debug, Clone, Default)]
pub(super) struct Summed {
    pub calls: u64,
    pub total_ms: f64,
    min_ms: Option<Option<f64>>,
    max_ms: Option<Option<f64>>,
    squares: f64,
    rows: u64,
    buffers: u64,
    temp_blocks: u64,
}

impl Summed {
    /// Adds one.
    pub fn add(&mut self, one: &Counted<'_>) {
        let calls = self.calls + one.calls;
        let apart = mean(one.total_ms, one.calls) - mean(self.total_ms, self.calls);
        let shared = self.calls as f64 * one.calls as f64 / calls.max(1) as f64;
        self.squares += one.squares + apart * apart * shared;
        self.calls = calls;
        self.total_ms += one.total_ms;
        // Known only where it is known of all.
        let both =
            |mine: Option<Option<f64>>, new: Option<f64>, pick: fn(f64, f64) -> f64| match mine {
                None => Some(new),
                Some(mine) => Some(mine.zip(new).map(|(mine, new)| pick(mine, new))),
            };
        self.min_ms = both(self.min_ms, one.min_ms, f64::min);
        self.max_ms = both(self.max_ms, one.max_ms, f64::max);
        self.rows += one.rows;
        self.buffers += one.buffers;
        self.temp_blocks += one.temp_blocks;
    }

    /// As it is told. `block` is the server's block size in bytes.
    pub fn load(&self, block: u64) -> Load {
        Load {
            calls: self.calls,
            total_ms: self.total_ms,
            mean_ms: mean(self.total_ms, self.calls),
            min_ms: self.min_ms.flatten(),
            max_ms: self.max_ms.flatten(),
            stddev_ms: (self.calls > 0).then(|| (self.squares / self.calls as f64).sqrt()),
            returned: Some(self.rows),
            reads: Some(self.buffers),
            temp_bytes: Some(self.temp_blocks.saturating_mul(block)),
            ..Load::default()
        }
    }
}
