//! Logs of 4.4 and newer: one JSON document a line.

use marula_core::Engine;

use super::batch::{self, Memory};
use super::cursor::Json;
use super::entry::{self, Entry};
use super::events;
use super::operation::Scratch;
use crate::{Edges, Format, Place, Tally};

/// "Slow query".
const SLOW_QUERY: u64 = 51803;

/// The format.
pub(super) struct JsonLog;

impl Format for JsonLog {
    fn name(&self) -> &'static str {
        "mongodb json"
    }

    fn engine(&self) -> Engine {
        Engine::Mongodb
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut memory = Memory::default();
        let mut scratch = Scratch::default();
        let mut start = 0;
        while start < chunk.len() {
            let rest = &chunk[start..];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            read_line(&rest[..end], at.offset + start as u64, &mut memory, &mut scratch, into);
            start += end + 1;
        }
        Some(Box::new(memory))
    }

    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        let mut scratch = Scratch::default();
        batch::stitch(open, next, |offset, line, open, begun| {
            let Some(entry) = entry::entry(line) else { return };
            if entry.id != SLOW_QUERY {
                events::index_built(&entry, line, begun, into);
            } else if let Some(slow) = entry::slow(&entry, offset)
                && !open
            {
                slow.tell(Json, &mut scratch, into);
            }
        })
    }
}

fn read_line(
    line: &[u8],
    offset: u64,
    memory: &mut Memory,
    scratch: &mut Scratch,
    into: &mut Tally,
) {
    let Some(entry) = entry::entry(line).filter(|_| entry::is_whole(line)) else {
        if !line.trim_ascii().is_empty() {
            into.unread(offset, line);
        }
        return;
    };
    if entry.id != SLOW_QUERY {
        into.entry(entry.at);
        other(&entry, line, offset, memory, into);
        return;
    }
    let Some(slow) = entry::slow(&entry, offset) else {
        into.unread(offset, line);
        return;
    };
    into.entry(entry.at);
    // What the build's own thread does is done for a command that is logged, too.
    if slow.kind == b"none" && entry.component != b"COMMAND" {
        return;
    }
    memory.tell(&slow, (entry.context, entry.component), line, Json, (scratch, into));
}

/// Everything that is no slow query.
fn other(entry: &Entry<'_>, line: &[u8], offset: u64, memory: &mut Memory, into: &mut Tally) {
    match events::build(entry) {
        Some(build) => {
            if let Some(begun) = memory.build(build, entry.at, (offset, line)) {
                events::index_built(entry, line, Some(begun), into);
            }
        }
        None => events::tell(entry, line, into),
    }
}
