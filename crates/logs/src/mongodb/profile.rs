//! Documents of `system.profile` as JSON: a line each, or an array, relaxed or canonical.

use marula_core::{Engine, Timestamp};

use super::cursor::{Cursor, Json, Text, number_of};
use super::entry::{attribute, moment};
use super::operation::{Operation, Scratch};
use super::tree;
use crate::{Edges, Format, Place, Tally};

/// The format.
pub(super) struct ProfileJson;

impl Format for ProfileJson {
    fn name(&self) -> &'static str {
        "mongodb profile json"
    }

    fn engine(&self) -> Engine {
        Engine::Mongodb
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        // An object at the beginning of a line is a document's beginning; nested ones are
        // indented, if they are on a line of their own at all.
        if let Some(place) = memchr::memmem::rfind(bytes, b"\n{") {
            return place + 1;
        }
        let mut end = 0;
        while let Some(found) = next(&bytes[end..]) {
            if !found.whole {
                break;
            }
            end += found.end;
        }
        end
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut scratch = Scratch::default();
        let mut start = 0;
        while let Some(found) = next(&chunk[start..]) {
            let document = &chunk[start + found.start..start + found.end];
            let offset = at.offset + (start + found.start) as u64;
            match Some(document).filter(|_| found.whole).and_then(|one| profiled(one, offset)) {
                Some(operation) => {
                    into.entry(operation.at);
                    tell(&operation, &mut scratch, into);
                }
                None => into.unread(offset, document),
            }
            start += found.end;
        }
        None
    }
}

/// A document's place, from where it was looked for.
struct Found {
    start: usize,
    end: usize,
    whole: bool,
}

/// The next document, past brackets, commas and spaces; anything else up to the line's end is
/// given as one that is not whole.
fn next(bytes: &[u8]) -> Option<Found> {
    let start = bytes
        .iter()
        .position(|byte| !matches!(byte, b'[' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n'))?;
    let rest = &bytes[start..];
    let line = |from: &[u8]| memchr::memchr(b'\n', from).unwrap_or(from.len());
    if rest[0] != b'{' {
        return Some(Found { start, end: start + line(rest), whole: false });
    }
    let mut cursor = Cursor::new(rest, Json);
    let document = cursor.skip();
    // Half a document swallows the next one.
    if let Some(broken) = memchr::memmem::find(document, b"\n{") {
        return Some(Found { start, end: start + broken, whole: false });
    }
    let whole = document.ends_with(b"}") && !cursor.open();
    Some(Found { start, end: start + document.len(), whole })
}

/// Counts an operation; one whose command is too long for the profiler has only its beginning,
/// in the syntax of text logs.
pub(super) fn tell(operation: &Operation<'_>, scratch: &mut Scratch, into: &mut Tally) {
    match truncated(operation.told()) {
        Some(text) => {
            let shown =
                Operation { command: text.as_bytes(), originating: b"", cut: true, ..*operation };
            shown.tell(Text, scratch, into);
        }
        None => operation.tell(Json, scratch, into),
    }
}

/// `{"$truncated": "{ find: …"}`.
fn truncated(command: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(command, Json);
    (cursor.eat(b'{') && cursor.key()? == b"$truncated")
        .then(|| tree::text::<Json>(cursor.string()))
}

/// A document's fields; `None` when it is none of the profiler's.
pub(super) fn profiled(document: &[u8], offset: u64) -> Option<Operation<'_>> {
    let mut found = Operation { offset, ..Operation::default() };
    let mut cursor = Cursor::new(document, Json);
    if !cursor.eat(b'{') {
        return None;
    }
    let mut timed = false;
    while let Some(key) = cursor.key() {
        match key {
            b"op" => found.kind = cursor.string(),
            b"millis" => {
                found.micros = number_of(cursor.skip())?.saturating_mul(1000);
                timed = true;
            }
            b"ts" => found.at = date(cursor.skip()),
            b"client" => found.remote = cursor.string(),
            b"user" => found.user = cursor.string(),
            // 3.4 and older
            b"query" => found.command = cursor.skip(),
            b"exception" => found.message = cursor.string(),
            b"exceptionCode" => found.error_code = cursor.skip(),
            b"type" => {
                cursor.skip();
            }
            _ => attribute(&mut found, key, &mut cursor),
        }
    }
    (timed && !found.kind.is_empty()).then_some(found)
}

/// `{"$date": "2024-…Z"}`, `{"$date": {"$numberLong": "…"}}`, `{"$date": 1706745600000}`.
fn date(raw: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor::new(raw, Json);
    if !cursor.eat(b'{') {
        return moment(cursor.string());
    }
    cursor.key()?;
    match cursor.peek() {
        b'"' => moment(cursor.string()),
        _ => number_of(cursor.skip()).and_then(|ms| i64::try_from(ms).ok()).map(Timestamp),
    }
}
