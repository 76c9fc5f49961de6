//! What one entry has to do with another on the same connection: a batched write logs each of its
//! statements and then itself, and an index build logs its beginning and its end.

use marula_core::Timestamp;
use rustc_hash::FxHashMap;

use super::key::Hash;
use super::operation::Operation;

/// What is known of the connections and index builds of a chunk.
#[derive(Default)]
pub(super) struct Memory {
    /// Whether the connection's last entry was a statement of a batch that is still to come.
    statements: FxHashMap<u64, bool>,
    /// When index builds began.
    builds: FxHashMap<u64, Timestamp>,
    /// Entries that need to know what came before the chunk, in their order.
    held: Vec<Held>,
}

/// An entry whose meaning depends on an earlier chunk.
struct Held {
    name: u64,
    offset: u64,
    bytes: Vec<u8>,
}

/// What to do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts.
    Counts,
    /// Its statements have been counted.
    Counted,
    /// The chunk before decides.
    Unknown,
}

/// A short name for a connection, a thread, or an index.
pub(super) fn name(parts: &[&[u8]]) -> u64 {
    let mut hash = Hash::new();
    parts.iter().for_each(|part| hash.bytes(part));
    hash.finish()
}

/// Whether an operation is one statement of a batch. Logs tell them as `WRITE`, not `COMMAND`.
fn is_statement(component: &[u8], operation: &Operation<'_>) -> bool {
    component == b"WRITE"
        || matches!(operation.kind, b"update" | b"remove") && component != b"COMMAND"
}

/// Whether an operation is the command that wraps statements.
fn is_wrapper(operation: &Operation<'_>) -> bool {
    let Some(rest) = operation.command.trim_ascii_start().strip_prefix(b"{") else { return false };
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    [&b"update"[..], b"delete", b"insert", b"bulkWrite"].iter().any(|name| {
        rest.strip_prefix(*name).is_some_and(|rest| matches!(rest.first(), Some(b'"' | b':')))
    })
}

impl Memory {
    /// What becomes of an operation on the connection `context`.
    pub(super) fn see(
        &mut self,
        context: &[u8],
        component: &[u8],
        operation: &Operation<'_>,
    ) -> Verdict {
        let connection = name(&[context]);
        let statement = is_statement(component, operation);
        let before = self.statements.insert(connection, statement);
        if statement || !is_wrapper(operation) {
            return Verdict::Counts;
        }
        match before {
            Some(true) => Verdict::Counted,
            Some(false) => Verdict::Counts,
            None => Verdict::Unknown,
        }
    }

    /// Keeps an entry until the chunk before is known.
    pub(super) fn hold(&mut self, name: u64, offset: u64, bytes: &[u8]) {
        self.held.push(Held { name, offset, bytes: bytes.to_vec() });
    }

    /// Index `name` is being built since `at`.
    pub(super) fn build_begins(&mut self, name: u64, at: Timestamp) {
        self.builds.insert(name, at);
    }

    /// When the index that is built now was begun.
    pub(super) fn build_ends(&mut self, name: u64) -> Option<Timestamp> {
        self.builds.remove(&name)
    }

    /// Joins what is known so far with the chunk that follows: `entry` is told of each entry
    /// held there, whether statements of its connection were open before, and when the index
    /// build of its name began.
    pub(super) fn join(
        mut self,
        next: Memory,
        mut entry: impl FnMut(u64, &[u8], bool, Option<Timestamp>),
    ) -> Memory {
        for held in next.held {
            let open = self.statements.get(&held.name).copied().unwrap_or(false);
            entry(held.offset, &held.bytes, open, self.builds.remove(&held.name));
        }
        self.statements.extend(next.statements);
        self.builds.extend(next.builds);
        self.held = Vec::new();
        self
    }
}
