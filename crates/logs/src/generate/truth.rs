use std::collections::BTreeMap;

/// What is in a made-up log.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Bytes written.
    pub bytes: u64,
    /// Entries written.
    pub entries: u64,
    /// Statements by the shape that is expected of them.
    pub statements: BTreeMap<String, StatementTruth>,
    /// Errors by code.
    pub errors: BTreeMap<String, u64>,
    /// Entries the server would have cut short.
    pub truncated: u64,
    /// Connections made.
    pub connected: u64,
    /// Index builds and their milliseconds.
    pub index_builds: (u64, u64),
    /// Waits for locks and their microseconds.
    pub lock_waits: (u64, u64),
    /// Operations that wrote to disk what did not fit, and the bytes that are told.
    pub spills: (u64, u64),
}

/// What is known of one statement.
#[derive(Debug, Clone, Default)]
pub struct StatementTruth {
    /// The time of each run, in microseconds.
    pub micros: Vec<u64>,
    /// Rows or documents returned or changed.
    pub returned: u64,
    /// Index entries examined.
    pub keys: u64,
    /// Documents examined.
    pub reads: u64,
    /// Microseconds of waiting for locks.
    pub waited: u64,
    /// Bytes written to disk, where they are told.
    pub spilled: u64,
}

impl Truth {
    /// All runs.
    pub fn calls(&self) -> u64 {
        self.statements.values().map(|one| one.micros.len() as u64).sum()
    }
}

impl StatementTruth {
    /// All runs together, in microseconds.
    pub fn total(&self) -> u64 {
        self.micros.iter().sum()
    }

    /// The duration that `share` (0 to 1) of the runs do not exceed, in microseconds.
    pub fn percentile(&self, share: f64) -> u64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or(0)
    }
}
