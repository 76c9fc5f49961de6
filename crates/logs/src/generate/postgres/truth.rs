use std::collections::BTreeMap;

use marula_core::EventKind;

/// What a generated log holds. Durations are in microseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Log entries.
    pub entries: u64,
    /// Statements by their shape's text.
    pub statements: BTreeMap<String, StatementTruth>,
    /// Calls and time by user.
    pub users: BTreeMap<String, (u64, u128)>,
    /// Errors by severity and code.
    pub errors: BTreeMap<(String, String), u64>,
    /// Events: how many, and the sum of their amounts in thousandths.
    pub events: BTreeMap<EventKind, (u64, u64)>,
    /// The first and last moment of a run, in milliseconds since 1970.
    pub runs_span: Option<(i64, i64)>,
}

/// The runs of one shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatementTruth {
    /// Every run's duration.
    pub durations: Vec<u64>,
    /// Bytes in temporary files.
    pub temp_bytes: u64,
    /// Rows or documents returned, where the log tells.
    pub returned: u64,
    /// Index entries examined, where the log tells.
    pub keys: u64,
    /// Documents examined or buffers read, where the log tells.
    pub reads: u64,
}

impl StatementTruth {
    /// The value that `share` of the durations do not exceed.
    pub fn quantile(&self, share: f64) -> u64 {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        let rank = ((share * sorted.len() as f64).ceil() as usize).max(1);
        sorted.get(rank - 1).copied().unwrap_or(0)
    }
}

impl Truth {
    /// All runs.
    pub fn calls(&self) -> u64 {
        self.statements.values().map(|one| one.durations.len() as u64).sum()
    }

    /// The time of all runs.
    pub fn micros(&self) -> u128 {
        self.statements.values().flat_map(|one| &one.durations).map(|m| u128::from(*m)).sum()
    }
}
