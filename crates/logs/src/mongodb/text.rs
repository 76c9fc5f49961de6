//! Text logs up to 4.2.

use marula_core::{Engine, Timestamp};

use super::batch::{self, Memory};
use super::cursor::Text;
use super::entry::moment;
use super::operation::Scratch;
use super::{text_events as events, text_operation};
use crate::{Edges, Format, Place, Tally};

/// The format.
pub(super) struct TextLog;

/// `2026-11-22T19:46:23.384+0000 I  COMMAND  [conn5] message`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub at: Option<Timestamp>,
    pub severity: &'a [u8],
    pub component: &'a [u8],
    pub context: &'a [u8],
    pub message: &'a [u8],
}

/// Whether a line begins with an ISO timestamp: all others go on with the entry before.
#[inline]
pub(super) fn begins_entry(line: &[u8]) -> bool {
    line.len() > 23
        && line[4] == b'-'
        && line[7] == b'-'
        && line[10] == b'T'
        && line[13] == b':'
        && line[..4].iter().all(u8::is_ascii_digit)
}

/// Takes an entry's head apart. 2.x logs have neither severity nor component.
pub(super) fn line(line: &[u8]) -> Option<Line<'_>> {
    let (stamp, mut rest) = word(line);
    let at = moment(stamp)?;
    let mut severity = &b""[..];
    let mut component = &b""[..];
    if rest.first() != Some(&b'[') {
        (severity, rest) = word(rest);
        (component, rest) = word(rest);
        if severity.len() > 2 {
            return None;
        }
    }
    let rest = rest.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', rest)?;
    let message = rest[end + 1..].trim_ascii_start();
    Some(Line { at: Some(at), severity, component, context: &rest[..end], message })
}

/// Up to the next space, and what is behind the spaces.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

impl Format for TextLog {
    fn name(&self) -> &'static str {
        "mongodb text"
    }

    fn engine(&self) -> Engine {
        Engine::Mongodb
    }

    /// Before the last line that begins an entry: a string with a line break in it goes on.
    fn cut(&self, bytes: &[u8]) -> usize {
        memchr::memrchr_iter(b'\n', bytes)
            .map(|end| end + 1)
            .find(|start| begins_entry(&bytes[*start..]))
            .unwrap_or(0)
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut memory = Memory::default();
        let mut scratch = Scratch::default();
        let mut start = 0;
        while start < chunk.len() {
            let rest = &chunk[start..];
            let offset = at.offset + start as u64;
            let first = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let end = entry_end(rest, first);
            read_entry(&rest[..end], first, offset, &mut memory, &mut scratch, into);
            start += end + 1;
        }
        Some(Box::new(memory))
    }

    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        let mut scratch = Scratch::default();
        batch::stitch(open, next, |offset, bytes, open, begun| {
            let Some(line) = line(bytes) else { return };
            match text_operation::Told::read(&line, offset) {
                Some(told) if !open => told.operation().tell(Text, &mut scratch, into),
                Some(_) => {}
                None => events::index_built(&line, bytes, begun, into),
            }
        })
    }
}

/// Where the entry ends: before the next line that begins one.
fn entry_end(rest: &[u8], first: usize) -> usize {
    let mut end = first;
    while end < rest.len() && !begins_entry(&rest[end + 1..]) {
        let more = &rest[end + 1..];
        end += 1 + memchr::memchr(b'\n', more).unwrap_or(more.len());
    }
    end.min(rest.len())
}

fn read_entry(
    entry: &[u8],
    first: usize,
    offset: u64,
    memory: &mut Memory,
    scratch: &mut Scratch,
    into: &mut Tally,
) {
    // A break inside of a string: the operation ends where its time is told.
    let end = text_operation::end(entry, first.min(entry.len()));
    let whole = &entry[..end];
    let mut unread = offset + whole.len() as u64 + 1;
    match line(whole) {
        Some(line) => {
            into.entry(line.at);
            read_line(&line, whole, offset, memory, scratch, into);
        }
        None if whole.trim_ascii().is_empty() => {}
        None => into.unread(offset, whole),
    }
    for more in entry.get(whole.len() + 1..).unwrap_or_default().split(|byte| *byte == b'\n') {
        if !more.trim_ascii().is_empty() {
            into.unread(unread, more);
        }
        unread += more.len() as u64 + 1;
    }
}

fn read_line(
    line: &Line<'_>,
    bytes: &[u8],
    offset: u64,
    memory: &mut Memory,
    scratch: &mut Scratch,
    into: &mut Tally,
) {
    if let Some(told) = text_operation::Told::read(line, offset) {
        let who = (line.context, line.component);
        memory.tell(&told.operation(), who, bytes, Text, (scratch, into));
        return;
    }
    match events::build(line) {
        Some(build) => {
            if let Some(begun) = memory.build(build, line.at, (offset, bytes)) {
                events::index_built(line, bytes, Some(begun), into);
            }
        }
        None => events::tell(line, bytes, into),
    }
}
