//! What a text log tells besides operations.

use marula_core::{Engine, EventKind, Timestamp};

use super::cursor::{Cursor, Text};
use super::events::{Build, severity, storage};
use super::operation::host;
use super::text::{Line, word};
use super::{batch, entry};
use crate::{Failure, Happening, Origin, Tally};

/// Whether the line is an end of an index build; the name joins the two.
pub(super) fn build(line: &Line<'_>) -> Option<Build> {
    let message = line.message;
    // 4.2
    if let Some(rest) = message.strip_prefix(b"index build: starting on ") {
        let (namespace, rest) = word(rest);
        let properties = rest.strip_prefix(b"properties: ").unwrap_or(rest);
        return Some(Build::Begins(batch::name(&[namespace, member(properties, b"name")])));
    }
    if let Some(rest) = message.strip_prefix(b"index build: done building index ") {
        let (index, rest) = word(rest);
        let namespace = rest.strip_prefix(b"on ns ").unwrap_or(rest).trim_ascii_end();
        // That of `_id` is made with its collection.
        return (index != b"_id_").then(|| Build::Ends(batch::name(&[namespace, index])));
    }
    // Before: the end does not say what it ends, but it is on the same connection.
    if message.starts_with(b"build index on: ") {
        return Some(Build::Begins(batch::name(&[b"build", line.context])));
    }
    message
        .starts_with(b"build index done.")
        .then(|| Build::Ends(batch::name(&[b"build", line.context])))
}

/// Counts an index build that is done.
pub(super) fn index_built(
    line: &Line<'_>,
    bytes: &[u8],
    begun: Option<Timestamp>,
    into: &mut Tally,
) {
    let about = memchr::memmem::find(line.message, b" on ns ")
        .map_or(&b""[..], |place| line.message[place + 7..].trim_ascii());
    let took = begun.zip(line.at).map(|(begun, done)| (done.0 - begun.0).max(0) as f64);
    happened(EventKind::IndexBuild, line, took, about, bytes, into);
}

/// Counts what else a line tells, if it is worth counting.
pub(super) fn tell(line: &Line<'_>, bytes: &[u8], into: &mut Tally) {
    if let Some((kind, amount, about)) = event(line) {
        happened(kind, line, amount, about, bytes, into);
    }
    if let Some(severity) = severity(line.severity) {
        into.failure(&Failure {
            engine: Engine::Mongodb,
            at: line.at,
            origin: Origin::default(),
            severity,
            code: b"",
            message: line.message,
            detail: b"",
            statement: b"",
        });
    }
}

fn event<'a>(line: &Line<'a>) -> Option<(EventKind, Option<f64>, &'a [u8])> {
    let message = line.message;
    let after = |start: &[u8]| message.strip_prefix(start);
    if let Some(rest) = after(b"connection accepted from ") {
        return Some((EventKind::Connected, None, host(word(rest).0)));
    }
    if let Some(rest) = after(b"end connection ") {
        return Some((EventKind::Disconnected, None, host(word(rest).0)));
    }
    if after(b"waiting for connections on port").is_some() {
        return Some((EventKind::Started, None, b""));
    }
    if after(b"shutting down with code:").is_some() || after(b"dbexit:  rc:").is_some() {
        return Some((EventKind::Stopped, None, b""));
    }
    if let Some(rest) = after(b"transition to ") {
        let state = word(rest).0;
        let is_state = state.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'2');
        return is_state.then_some((EventKind::Election, None, state));
    }
    if after(b"election succeeded").is_some() {
        return Some((EventKind::Election, None, b"election won"));
    }
    if let Some(rest) = after(b"Member ")
        && memchr::memmem::find(rest, b" is now in state ").is_some()
    {
        return Some((EventKind::Election, None, rest));
    }
    if line.component == b"STORAGE" || line.component.is_empty() {
        return storage(message);
    }
    None
}

fn happened(
    kind: EventKind,
    line: &Line<'_>,
    amount: Option<f64>,
    about: &[u8],
    text: &[u8],
    into: &mut Tally,
) {
    let origin = Origin::default();
    into.happening(&Happening { origin, kind, at: line.at, amount, about, text });
}

/// A member of a document: a string's contents.
fn member<'a>(document: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut cursor = Cursor::new(document, Text);
    cursor.eat(b'{');
    while let Some(key) = cursor.key() {
        if key == name {
            return cursor.string();
        }
        cursor.skip();
    }
    b""
}

/// Whether a line is one of a text log.
pub(super) fn is_line(bytes: &[u8]) -> bool {
    super::text::begins_entry(bytes)
        && super::text::line(bytes).is_some_and(|line| {
            let (stamp, _) = word(bytes);
            // PostgreSQL separates date and time by a space; other logs have no `[context]`.
            entry::moment(stamp).is_some() && !line.context.is_empty()
        })
}
