//! What a migration did when it was run on a copy while clients went on working.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Blocks, Dataset, Failure, LabServer, MigrationWork};

/// A rehearsal: migrations run on a copy in the lab, under load. All times are in milliseconds and
/// were measured on the lab's machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    /// The server it ran on.
    pub server: LabServer,
    /// The data it ran on.
    pub dataset: Dataset,
    /// Who worked on it meanwhile.
    pub load: RehearsedLoad,
    /// Each migration as written, and behind it its safe form where one was asked for.
    pub runs: Vec<RehearsalRun>,
}

/// The clients that worked while a migration ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedLoad {
    /// Whether a workload was given; else reads by key, updates and inserts were made up from the
    /// catalogue.
    pub from_workload: bool,
    /// Clients, each with a connection of its own.
    pub clients: u32,
    /// Operations a second that were asked of all of them together.
    pub rate: f64,
    /// How long each long reader kept its snapshot, in milliseconds; a fresh one stood in the way
    /// of every statement. 0: there was none.
    pub reader_ms: f64,
    /// How long each writer lay idle in its transaction; 0: there was none.
    pub writer_ms: f64,
    /// What the clients ran.
    pub operations: Vec<LoadOperation>,
}

/// One thing the clients did over and over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadOperation {
    /// What it is called in the results: `read`, `update`, `insert`, or the statement's number.
    pub name: String,
    /// The table or collection.
    pub object: String,
    /// What was sent.
    pub statement: String,
}

/// Which form of a migration ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationForm {
    /// The file as it is.
    Written,
    /// What `migrate lint --fix` makes of it.
    Safe,
}

/// One migration that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsalRun {
    /// The file.
    pub file: String,
    /// Which form of it.
    pub form: MigrationForm,
    /// The text that ran, of a safe form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What clients measured before it began.
    pub usual: Vec<ClientLatency>,
    /// What each statement did.
    pub statements: Vec<RehearsedStatement>,
    /// From the first statement's begin to the last one's end.
    pub duration_ms: f64,
    /// The longest that a client waited for an operation.
    pub longest_stall_ms: f64,
    /// Operations that were stalled.
    pub stalled: u64,
    /// Operations that failed.
    pub failed: u64,
    /// WAL (without images of whole pages) or oplog that was written, in bytes, the load's own
    /// share left out.
    pub log_bytes: u64,
    /// The data on disk before it, in bytes.
    pub disk_before_bytes: u64,
    /// The most that data, indexes and temporary files took while it ran, in bytes.
    pub disk_peak_bytes: u64,
    /// How far a standby or secondary fell behind; absent where none was there to measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_lag_ms: Option<f64>,
    /// What going back came to; absent when there is no way back in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<WayBack>,
    /// What ended it before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// One statement or command that ran under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedStatement {
    /// Its index in the part that is applied, from 0.
    pub statement: usize,
    /// Its text.
    pub text: String,
    /// The line it begins in, from 1.
    pub line: usize,
    /// How long it took, with all tries and waits.
    pub duration_ms: f64,
    /// How long of that it waited for locks itself.
    pub waited_ms: f64,
    /// How often it was tried.
    pub tries: u32,
    /// The strongest lock it took on each object that was there before, strongest first.
    pub locks: Vec<TakenLock>,
    /// What it did to objects that were there before.
    pub work: Vec<DoneWork>,
    /// What clients measured while it ran, the longest stall first.
    pub clients: Vec<ClientImpact>,
    /// The longest that a client waited for an operation.
    pub longest_stall_ms: f64,
    /// WAL or oplog, in bytes, the load's own share left out.
    pub log_bytes: u64,
    /// What it comes to on the target, where it grows with its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_target: Option<Extrapolation>,
    /// The server's complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A lock that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TakenLock {
    /// The mode: `ACCESS EXCLUSIVE`, or `X`, `IX` …
    pub lock: String,
    /// The table, index or collection.
    pub object: String,
    /// Whom it stops.
    pub blocks: Blocks,
    /// How long it was seen held, to the sampling's 5 ms.
    pub held_ms: f64,
}

/// Work that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoneWork {
    /// The table or collection.
    pub object: String,
    /// What was done to it.
    pub work: MigrationWork,
    /// Its rows or documents in the copy.
    pub rows: u64,
}

/// What one sort of operation took, as its clients measured it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientLatency {
    /// The operation's name.
    pub operation: String,
    /// The table or collection.
    pub object: String,
    /// How many ran.
    pub operations: u64,
    /// Half were not slower.
    pub p50_ms: f64,
    /// 99 of 100 were not slower.
    pub p99_ms: f64,
    /// The slowest.
    pub longest_ms: f64,
}

/// What a statement meant to one sort of operation. An operation counts where it waited longest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientImpact {
    /// Its latencies while the statement ran.
    #[serde(flatten)]
    pub latency: ClientLatency,
    /// How many were stalled: slower than 10 ms, and than three times the usual 99 of 100.
    pub stalled: u64,
    /// How many failed.
    pub failed: u64,
    /// The first complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What they stood behind, when the server told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
}

/// The lock of the migration that clients waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Behind {
    /// Its mode.
    pub lock: String,
    /// What it is on.
    pub object: String,
    /// The statement that took or wanted it, from 0: an earlier one when a transaction held it.
    pub statement: usize,
    /// Whether the migration had it, or was itself waiting for it at the head of the queue.
    pub held: bool,
}

/// What a statement comes to on the target, worked out from what it did to the copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extrapolation {
    /// Rows or documents there.
    pub rows: u64,
    /// How long the work takes there, waits left out, on a machine like the lab's.
    pub duration_ms: f64,
    /// How long others are kept out there, at least.
    pub blocked_ms: f64,
    /// How it was worked out.
    pub how: String,
}

/// What the way back came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WayBack {
    /// How long it took.
    pub duration_ms: f64,
    /// Whether schema and data are as before.
    pub restored: bool,
    /// What is not as before, in a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// The server's complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}
