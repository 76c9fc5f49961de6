//! What one entry has to do with another on the same connection: a batched write logs each of its
//! statements and then itself, and an index build logs its beginning and its end.

use marula_core::Timestamp;
use rustc_hash::FxHashMap;

use super::cursor::Syntax;
use super::events::Build;
use super::key::Hash;
use super::operation::{Operation, Scratch};
use crate::{Edges, Tally};

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
enum Verdict {
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
    fn see(&mut self, context: &[u8], component: &[u8], operation: &Operation<'_>) -> Verdict {
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

    /// Counts an operation, unless its statements were counted or the chunk before decides that.
    pub(super) fn tell<S: Syntax + Copy>(
        &mut self,
        operation: &Operation<'_>,
        (context, component): (&[u8], &[u8]),
        bytes: &[u8],
        syntax: S,
        (scratch, into): (&mut Scratch, &mut Tally),
    ) {
        match self.see(context, component, operation) {
            Verdict::Counts => operation.tell(syntax, scratch, into),
            Verdict::Counted => {}
            Verdict::Unknown => self.hold(name(&[context]), operation.offset, bytes),
        }
    }

    /// An index build begins or ends; gives its beginning where it ends and that is known. The
    /// chunk before is asked where it is not.
    pub(super) fn build(
        &mut self,
        build: Build,
        at: Option<Timestamp>,
        (offset, bytes): (u64, &[u8]),
    ) -> Option<Timestamp> {
        match build {
            Build::Begins(name) => {
                self.builds.extend(at.map(|at| (name, at)));
                None
            }
            Build::Ends(name) => {
                let begun = self.builds.remove(&name);
                if begun.is_none() {
                    self.hold(name, offset, bytes);
                }
                begun
            }
        }
    }

    /// Keeps an entry until the chunk before is known.
    fn hold(&mut self, name: u64, offset: u64, bytes: &[u8]) {
        self.held.push(Held { name, offset, bytes: bytes.to_vec() });
    }

    /// Joins what is known so far with the chunk that follows: `entry` is told of each entry
    /// held there, whether statements of its connection were open before, and when the index
    /// build of its name began.
    fn join(
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

/// Joins two chunks of one source as [`Memory::join`] does.
pub(super) fn stitch(
    open: Edges,
    next: Edges,
    entry: impl FnMut(u64, &[u8], bool, Option<Timestamp>),
) -> Edges {
    let memory = |edges: Edges| {
        edges
            .and_then(|edges| edges.downcast::<Memory>().ok())
            .map_or_else(Memory::default, |memory| *memory)
    };
    Some(Box::new(memory(open).join(memory(next), entry)))
}
