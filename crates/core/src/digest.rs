//! What a log says: which statements cost most, when, from where, and what else happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Fingerprint, Parameter, Timestamp};

/// Logs and profiles in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// What was read, in the order it was named.
    pub sources: Vec<SourceRead>,
    /// The moments of the first and last entry that passed the filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// All statements together.
    pub totals: Load,
    /// The statements, in the asked order, at most as many as were asked for.
    pub statements: Vec<StatementDigest>,
    /// How many further statements there are, with their sums in `totals`.
    pub statements_left_out: u64,
    /// How the calls spread over time.
    pub timeline: Timeline,
    /// How the calls spread over durations: powers of two of a millisecond, empty ones left out.
    pub histogram: Vec<Bar>,
    /// Errors by code and shape, most frequent first.
    pub errors: Vec<ErrorDigest>,
    /// Everything else the servers told, by kind.
    pub events: Vec<EventDigest>,
    /// Load by user, application, host and database.
    pub origins: Vec<OriginDigest>,
    /// How long reads of each collection or table take, the slowest on average first; there with
    /// `--advise`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectDigest>,
}

/// All reads of one collection or table. A statement that reads several counts with each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectDigest {
    /// Whose it is.
    pub engine: Engine,
    /// The collection (`database.collection`), or the relation as statements name it.
    pub name: String,
    /// Different statements that read it.
    pub statements: u64,
    /// What their runs cost.
    pub load: Load,
    /// The share of all statements' time, 0 to 1.
    pub share: f64,
}

/// One file, stream or server that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceRead {
    /// The file's path, `-` for standard input, or the target's name.
    pub name: String,
    /// The format: `postgres stderr`, `postgres csvlog`, `mongodb json` …; `None` when it was not
    /// recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The engine whose log it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// PostgreSQL's `log_line_prefix` as detected or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The language of its messages, where it is not English and its durations and events are
    /// therefore not understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How it was compressed: `gzip`, `zstd`, `xz`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Log entries recognised; an entry may have many lines.
    pub entries: u64,
    /// Lines that belong to no entry: garbage, half lines, another program's output.
    pub unread: u64,
    /// The first few of them: line number from 1 and the line's beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_samples: Vec<UnreadLine>,
    /// Entries that the server itself had cut short.
    pub truncated: u64,
    /// How often the clock went back by more than a second.
    pub clock_jumps: u64,
    /// Why reading ended early: the file vanished, the archive is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadLine {
    /// The line's number, from 1.
    pub line: u64,
    /// Its beginning, made printable.
    pub text: String,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub to: Timestamp,
}

/// Calls and their cost. Counts, sums and maxima are exact; percentiles are within 1 %. What a source
/// does not keep (pg_stat_statements has no percentiles) is left out, never guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Runs seen.
    pub calls: u64,
    /// All runs together, in milliseconds.
    pub total_ms: f64,
    /// The mean run, in milliseconds.
    pub mean_ms: f64,
    /// The shortest run, when the source keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ms: Option<f64>,
    /// The runs' standard deviation, when the source keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stddev_ms: Option<f64>,
    /// Half the runs were at most this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95 of 100 runs were at most this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// 99 of 100 runs were at most this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// The longest run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<f64>,
    /// Rows or documents returned or changed, when the log says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<u64>,
    /// Index entries examined (MongoDB).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Documents examined (MongoDB), or buffers read (PostgreSQL, from pg_stat_statements or a
    /// logged plan).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Bytes written to temporary files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_bytes: Option<u64>,
    /// Time spent waiting for locks, in milliseconds (MongoDB; it is part of the total).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_ms: Option<f64>,
}

/// All runs of one shape of statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementDigest {
    /// The shape's name.
    pub fingerprint: Fingerprint,
    /// The engine whose language it is.
    pub engine: Engine,
    /// The shape: literals replaced by `$1` … in SQL, values by `?` in MongoDB.
    pub shape: String,
    /// What kind: `SELECT`, `find`, `aggregate` …
    pub operation: String,
    /// The collection (`database.collection`), or the relations it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// Whether the shape is not whole because the log had cut every sample short.
    pub incomplete: bool,
    /// What all runs cost.
    pub load: Load,
    /// The share of all statements' time, 0 to 1.
    pub share: f64,
    /// The first and last run's moments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Plan summaries seen (MongoDB: `COLLSCAN`, `IXSCAN { a: 1 }`), most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Count>,
    /// Who ran it, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Count>,
    /// From which application, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Count>,
    /// From which host, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Count>,
    /// In which database, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<Count>,
    /// Calls and time per bucket of the digest's timeline; empty buckets left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Slice>,
    /// The slowest runs, slowest first.
    pub samples: Vec<Sample>,
    /// What it leaves out, where there were more shapes than memory holds and this one was among
    /// the cheapest for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
}

/// What is left out of a statement's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Partial {
    /// Some runs in its samples, origins, plans and timeline; its load is exact.
    Details,
    /// Some runs in its load, too: counts, sums and maxima are at least as told.
    Load,
}

/// A run worth showing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds; left out when only the shape's runs together are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    /// The statement as logged: SQL, or a MongoDB command as mongosh syntax or JSON.
    pub text: String,
    /// The values bound to `$1`, `$2` …, when the log has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// Whether the log, or a limit of ours, cut the text short.
    pub truncated: bool,
    /// The plan's text or JSON when auto_explain logged it with this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// How often a name was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The name.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// Time cut in buckets of equal width.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// The width of a bucket, in milliseconds; 0 when nothing had a time.
    pub width_ms: u64,
    /// The buckets with something in them, in order.
    pub buckets: Vec<Bucket>,
}

/// One stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// When it begins.
    pub at: Timestamp,
    /// Statements that ended in it.
    pub calls: u64,
    /// Their time, in milliseconds.
    pub total_ms: f64,
    /// The median run.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest run.
    pub max_ms: f64,
    /// Errors in it.
    pub errors: u64,
    /// Other events in it by kind; kinds that did not occur are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventCount>,
}

/// One statement's part in a bucket of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// When the bucket begins.
    pub at: Timestamp,
    /// Runs that ended in it.
    pub calls: u64,
    /// Their time, in milliseconds.
    pub total_ms: f64,
}

/// Runs between two durations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bar {
    /// At least this long, in milliseconds.
    pub from_ms: f64,
    /// Less than this long.
    pub to_ms: f64,
    /// How many.
    pub calls: u64,
    /// Their time together.
    pub total_ms: f64,
}

/// Errors of one code and shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDigest {
    /// The engine that reported it.
    pub engine: Engine,
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`; MongoDB's `E`, `F`, `W` under the same names.
    pub severity: String,
    /// SQLSTATE, or MongoDB's error code name, when the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The message with its values replaced by `…`.
    pub message: String,
    /// How often.
    pub count: u64,
    /// First and last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// One message as logged, with its DETAIL and HINT lines.
    pub sample: String,
    /// The statement that failed, when logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

/// What a server tells besides statements and errors.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A statement waited for a lock.
    LockWait,
    /// A deadlock was broken.
    Deadlock,
    /// A statement was cancelled by its user or a timeout.
    Cancelled,
    /// A temporary file was written; the amount is its bytes.
    TempFile,
    /// A checkpoint ended; the amount is its milliseconds.
    Checkpoint,
    /// Autovacuum cleaned a table; the amount is its milliseconds.
    Autovacuum,
    /// Autovacuum analysed a table; the amount is its milliseconds.
    Autoanalyze,
    /// A connection was made.
    Connected,
    /// A connection ended; the amount is its milliseconds when logged.
    Disconnected,
    /// A connection took long to make; the amount is its milliseconds.
    SlowConnection,
    /// An index build ended; the amount is its milliseconds.
    IndexBuild,
    /// An election was held or a member changed its role.
    Election,
    /// The cache was under pressure: eviction warnings.
    Eviction,
    /// The server started.
    Started,
    /// The server was shut down, or crashed.
    Stopped,
}

/// How often an event was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventCount {
    /// What.
    pub kind: EventKind,
    /// How often.
    pub count: u64,
}

/// All events of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventDigest {
    /// What.
    pub kind: EventKind,
    /// How often.
    pub count: u64,
    /// The sum of the amounts (see the kind), when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// The largest amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// First and last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The relations, collections or reasons it was about, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Count>,
    /// The one with the largest amount, or the first, as logged.
    pub sample: String,
}

/// The load from one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OriginDigest {
    /// What kind of place.
    pub kind: OriginKind,
    /// Its name; empty when the log does not tell.
    pub name: String,
    /// Runs from it.
    pub calls: u64,
    /// Their time, in milliseconds.
    pub total_ms: f64,
}

/// Where a statement came from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// The database it ran in.
    Database,
    /// The user who ran it.
    User,
    /// The application that sent it.
    Application,
    /// The host it came from.
    Host,
}
