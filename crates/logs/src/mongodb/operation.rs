//! One operation as a log or the profiler tells it, whatever the format.

use marula_core::{Engine, EventKind, Timestamp};
use marula_mongodb::command::shape::CommandShape;

use super::cursor::Syntax;
use super::key;
use super::tree;
use crate::{Failure, Happening, Origin, Run, Shape, Tally};

/// A slow operation, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Operation<'a> {
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Where in the source its entry begins.
    pub offset: u64,
    /// The log's word for it: `command`, `update`, `remove`, `getmore` …
    pub kind: &'a [u8],
    /// `database.collection`; `database.$cmd` for commands on no collection.
    pub namespace: &'a [u8],
    /// The application.
    pub application: &'a [u8],
    /// The client's address, with its port in logs.
    pub remote: &'a [u8],
    /// Who ran it.
    pub user: &'a [u8],
    /// The command's document.
    pub command: &'a [u8],
    /// A getMore's origin.
    pub originating: &'a [u8],
    /// The plan summary.
    pub plan_summary: &'a [u8],
    /// Whether documents were sorted in memory.
    pub sorts: bool,
    /// How long it waited for locks, in microseconds.
    pub waited: Option<u64>,
    /// Whether it wrote to disk what did not fit in memory, and how much, where that is told.
    pub spilled: bool,
    pub spilled_bytes: Option<u64>,
    /// Index entries examined.
    pub keys: Option<u64>,
    /// Documents examined.
    pub documents: Option<u64>,
    /// Documents returned, inserted or deleted; matched by an update.
    pub returned: Option<u64>,
    /// Documents an update made because none matched.
    pub upserted: Option<u64>,
    /// How long it took. The log's `workingMillis` (8.0), without waiting, is not told.
    pub micros: u64,
    /// Why it failed: the error's name.
    pub error: &'a [u8],
    /// The error's number.
    pub error_code: &'a [u8],
    /// The error's message.
    pub message: &'a [u8],
    /// Whether the command was cut short.
    pub cut: bool,
}

/// What a reader keeps from one operation to the next, so as not to allocate for each.
#[derive(Default)]
pub(super) struct Scratch {
    plan: Vec<u8>,
}

impl<'a> Operation<'a> {
    /// The command that says what is done: a getMore's is the one that opened the cursor.
    pub(super) fn told(&self) -> &'a [u8] {
        if self.originating.is_empty() { self.command } else { self.originating }
    }

    /// Adds what one stage wrote to disk.
    pub(super) fn spill(&mut self, bytes: Option<u64>) {
        if let Some(bytes @ 1..) = bytes {
            self.spilled = true;
            self.spilled_bytes = Some(self.spilled_bytes.unwrap_or(0).saturating_add(bytes));
        }
    }

    fn origin(&self) -> Origin<'a> {
        let end = memchr::memchr(b'.', self.namespace).unwrap_or(self.namespace.len());
        Origin {
            database: &self.namespace[..end],
            user: self.user,
            application: self.application,
            host: host(self.remote),
        }
    }

    /// Counts it, and its failure if it failed.
    pub(super) fn tell<S: Syntax + Copy>(
        &self,
        syntax: S,
        scratch: &mut Scratch,
        into: &mut Tally,
    ) {
        let text = self.told();
        let origin = self.origin();
        if self.cut {
            into.truncated();
        }
        let plan_summary = if self.sorts || self.spilled {
            scratch.plan.clear();
            scratch.plan.extend_from_slice(self.plan_summary);
            scratch.plan.extend_from_slice(if self.sorts { b", SORT" } else { b"" });
            scratch.plan.extend_from_slice(if self.spilled { b" (on disk)" } else { b"" });
            scratch.plan.as_slice()
        } else {
            self.plan_summary
        };
        let returned = match (self.returned, self.upserted) {
            (Some(returned), Some(upserted)) => Some(returned.saturating_add(upserted)),
            (returned, upserted) => returned.or(upserted),
        };
        let run = Run {
            at: self.at,
            micros: self.micros,
            origin,
            text,
            returned,
            keys: self.keys,
            reads: self.documents,
            temp_bytes: self.spilled_bytes,
            waited: self.waited,
            plan_summary,
            truncated: self.cut,
            offset: self.offset,
            ..Run::default()
        };
        let key = key::key(self.namespace, self.kind_of_shape(), text, self.cut, syntax);
        into.run(&run, key, || self.shape(syntax));
        self.tell_waits(origin, into);
        if !self.error.is_empty() || !self.message.is_empty() || !self.error_code.is_empty() {
            let message = tree::text::<S>(self.message);
            self.tell_failure(origin, message.as_bytes(), into);
        }
    }

    /// Counts its wait for locks and its spill, as PostgreSQL's logs tell them in entries of their
    /// own.
    fn tell_waits(&self, origin: Origin<'_>, into: &mut Tally) {
        let happening = |kind, amount| Happening {
            origin,
            kind,
            at: self.at,
            amount,
            about: self.namespace,
            text: self.told(),
        };
        if let Some(micros) = self.waited {
            into.happening(&happening(EventKind::LockWait, Some(micros as f64 / 1000.0)));
        }
        if self.spilled {
            let bytes = self.spilled_bytes.map(|bytes| bytes as f64);
            into.happening(&happening(EventKind::TempFile, bytes));
        }
    }

    fn tell_failure(&self, origin: Origin<'a>, message: &[u8], into: &mut Tally) {
        let code = if self.error.is_empty() { self.error_code } else { self.error };
        into.failure(&Failure {
            engine: Engine::Mongodb,
            at: self.at,
            origin,
            severity: "ERROR",
            code,
            message: if message.is_empty() { code } else { message },
            detail: b"",
            statement: self.told(),
        });
        let cancelled: &[&[u8]] =
            &[b"MaxTimeMSExpired", b"Interrupted", b"ExceededTimeLimit", b"ClientDisconnect"];
        if cancelled.contains(&code) {
            into.happening(&Happening {
                origin,
                kind: EventKind::Cancelled,
                at: self.at,
                amount: None,
                about: self.namespace,
                text: self.told(),
            });
        }
    }

    /// The kind where it decides about the shape: statements of batched writes.
    fn kind_of_shape(&self) -> &'static [u8] {
        match self.kind {
            b"update" => b"update",
            b"remove" => b"remove",
            b"bulkWrite" => b"bulkWrite",
            b"insert" => b"insert",
            _ => b"command",
        }
    }

    fn shape<S: Syntax + Copy>(&self, syntax: S) -> Shape {
        let (command, whole) = tree::document(self.told(), syntax);
        let namespace = namespace(&String::from_utf8_lossy(self.namespace), &command);
        let kind = String::from_utf8_lossy(self.kind_of_shape()).into_owned();
        let cut = self.cut || !whole;
        let shape = CommandShape::of(&namespace, &kind, &command, cut);
        // A batch's log entry leaves its statements out.
        let left_out = shape.text.starts_with("db.runCommand({update:")
            || shape.text.starts_with("db.runCommand({delete:");
        Shape {
            fingerprint: shape.fingerprint(),
            engine: Engine::Mongodb,
            text: shape.text,
            operation: shape.operation,
            objects: vec![shape.namespace],
            incomplete: cut || left_out,
        }
    }
}

/// Commands such as a batched update are logged on `database.$cmd`: their collection is in them.
fn namespace(logged: &str, command: &bson::Document) -> String {
    match (logged.strip_suffix(".$cmd"), command.values().next()) {
        (Some(database), Some(bson::Bson::String(collection))) if !collection.is_empty() => {
            format!("{database}.{collection}")
        }
        _ => logged.to_owned(),
    }
}

/// `127.0.0.1:50202` and `[::1]:50202` without the port.
pub(super) fn host(remote: &[u8]) -> &[u8] {
    if remote.first() == Some(&b'[') {
        let end = memchr::memchr(b']', remote).unwrap_or(remote.len());
        return remote.get(1..end).unwrap_or_default();
    }
    match memchr::memchr(b':', remote) {
        // More than one colon: IPv6 without a port.
        Some(colon) if memchr::memrchr(b':', remote) == Some(colon) => &remote[..colon],
        _ => remote,
    }
}
