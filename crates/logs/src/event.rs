//! What a format finds in a chunk: runs of statements, errors, and everything else, borrowed from
//! the chunk's bytes.

use marula_core::{Engine, EventKind, Timestamp};

/// Who ran something, from where; empty when the log does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The database.
    pub database: &'a [u8],
    /// The user.
    pub user: &'a [u8],
    /// The application.
    pub application: &'a [u8],
    /// The host, without its port.
    pub host: &'a [u8],
}

/// One run of one statement.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run<'a> {
    /// When it ended.
    pub at: Option<Timestamp>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Whence it came.
    pub origin: Origin<'a>,
    /// The statement as logged.
    pub text: &'a [u8],
    /// Rows or documents returned or changed.
    pub returned: Option<u64>,
    /// Index entries examined.
    pub keys: Option<u64>,
    /// Documents examined or buffers read.
    pub reads: Option<u64>,
    /// Bytes written to temporary files.
    pub temp_bytes: Option<u64>,
    /// How long it waited for locks, in microseconds.
    pub waited: Option<u64>,
    /// MongoDB's plan summary.
    pub plan_summary: &'a [u8],
    /// The bound parameters as logged (`$1 = '42', $2 = NULL`).
    pub parameters: &'a [u8],
    /// A plan logged with the run.
    pub plan: &'a [u8],
    /// Whether the log had cut the text short.
    pub truncated: bool,
    /// Whether the log put a tab before each further line of its texts, to be taken off.
    pub tabbed: bool,
    /// Where in the source (from its first byte) the entry begins: decides between samples of equal cost.
    pub offset: u64,
}

/// The shape a run's text has, computed once per distinct text modulo values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The shape's name, the same over literals and server versions.
    pub fingerprint: marula_core::Fingerprint,
    /// The engine.
    pub engine: Engine,
    /// The text with its values replaced.
    pub text: String,
    /// `SELECT`, `find` …
    pub operation: String,
    /// Relations, or `database.collection`.
    pub objects: Vec<String>,
    /// Whether the text was cut short, so that the shape is not whole.
    pub incomplete: bool,
}

/// An error the server reported.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The engine.
    pub engine: Engine,
    /// When.
    pub at: Option<Timestamp>,
    /// Whence the statement came.
    pub origin: Origin<'a>,
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`.
    pub severity: &'a str,
    /// SQLSTATE or code name; empty when not logged.
    pub code: &'a [u8],
    /// The message.
    pub message: &'a [u8],
    /// DETAIL, HINT and CONTEXT as logged.
    pub detail: &'a [u8],
    /// The statement that failed.
    pub statement: &'a [u8],
}

/// Anything else worth counting.
#[derive(Debug, Clone, Copy)]
pub struct Happening<'a> {
    /// Whence; empty for what the server does by itself.
    pub origin: Origin<'a>,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Option<Timestamp>,
    /// How much (see the kind).
    pub amount: Option<f64>,
    /// The relation, collection or reason it is about; empty when there is none.
    pub about: &'a [u8],
    /// The entry as logged.
    pub text: &'a [u8],
}
