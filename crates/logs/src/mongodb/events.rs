//! What a JSON log tells besides slow queries.

use marula_core::{Engine, EventKind, Timestamp};

use super::cursor::{Cursor, Json, number};
use super::entry::Entry;
use super::operation::host;
use super::{batch, tree};
use crate::{Failure, Happening, Origin, Tally};

/// An index build's two ends.
pub(super) enum Build {
    /// It begins.
    Begins(u64),
    /// It is done.
    Ends(u64),
}

/// Whether the entry is an end of an index build; the name joins the two.
pub(super) fn build(entry: &Entry<'_>) -> Option<Build> {
    match entry.id {
        // "Index build: starting"
        20384 => {
            let [namespace, properties] = attributes(entry, ["namespace", "properties"]);
            let index = member(properties, "name");
            Some(Build::Begins(batch::name(&[namespace, index])))
        }
        // "Index build: done building". That of `_id` is made with its collection.
        20345 => {
            let [namespace, index] = attributes(entry, ["namespace", "index"]);
            (index != b"_id_").then(|| Build::Ends(batch::name(&[namespace, index])))
        }
        _ => None,
    }
}

/// Counts an index build that is done.
pub(super) fn index_built(
    entry: &Entry<'_>,
    line: &[u8],
    begun: Option<Timestamp>,
    into: &mut Tally,
) {
    let [namespace] = attributes(entry, ["namespace"]);
    let took = begun.zip(entry.at).map(|(begun, done)| (done.0 - begun.0).max(0) as f64);
    happened(EventKind::IndexBuild, entry.at, took, namespace, line, into);
}

/// Counts what else an entry tells, if it is worth counting.
pub(super) fn tell(entry: &Entry<'_>, line: &[u8], into: &mut Tally) {
    let mut happened = |kind, amount, about: &[u8]| {
        happened(kind, entry.at, amount, about, line, into);
    };
    match entry.id {
        // "Connection accepted", "Connection ended"
        22943 | 22944 => {
            let [remote] = attributes(entry, ["remote"]);
            let kind =
                if entry.id == 22943 { EventKind::Connected } else { EventKind::Disconnected };
            happened(kind, None, host(remote));
        }
        // "Waiting for connections"
        23016 => happened(EventKind::Started, None, b""),
        // "Shutting down", with the exit code
        23138 => happened(EventKind::Stopped, None, b""),
        // "Replica set state transition"
        21358 => {
            let [state] = attributes(entry, ["newState"]);
            happened(EventKind::Election, None, state);
        }
        // "Election succeeded, assuming primary role"
        21450 => happened(EventKind::Election, None, b"election won"),
        // "Member is in new state"
        21215 => {
            let [member, state] = attributes(entry, ["hostAndPort", "newState"]);
            let about = [member, b" ", state].concat();
            happened(EventKind::Election, None, &about);
        }
        // "WiredTiger message", "WiredTiger error"
        22430 | 22435 => {
            if let Some((kind, amount, about)) = storage(entry.attributes) {
                happened(kind, amount, about);
            }
        }
        _ if slow_connection(entry.message) => {
            happened(EventKind::SlowConnection, milliseconds(entry), entry.component);
        }
        _ => {}
    }
    if let Some(severity) = severity(entry.severity) {
        let [error] = attributes(entry, ["error"]);
        let code = match error.first() {
            Some(b'{') => member(error, "codeName"),
            // `NotYetInitialized: Replication has not yet been configured`
            _ => memchr::memchr(b':', error).map_or(&b""[..], |end| &error[..end]),
        };
        let code = if code.contains(&b' ') { b"" } else { code };
        into.failure(&Failure {
            engine: Engine::Mongodb,
            at: entry.at,
            origin: Origin::default(),
            severity,
            code,
            message: tree::text::<Json>(entry.message).as_bytes(),
            detail: entry.attributes.get(..entry.attributes.len().min(2000)).unwrap_or_default(),
            statement: b"",
        });
    }
}

/// The severities that are failures, by the names both engines' are told under.
pub(super) fn severity(letter: &[u8]) -> Option<&'static str> {
    match letter {
        b"W" => Some("WARNING"),
        b"E" => Some("ERROR"),
        b"F" => Some("FATAL"),
        _ => None,
    }
}

/// What WiredTiger says about checkpoints and the cache; about 4.2's text just the same.
pub(super) fn storage(message: &[u8]) -> Option<(EventKind, Option<f64>, &'static [u8])> {
    let holds = |what: &str| memchr::memmem::find(message, what.as_bytes()).is_some();
    if holds("saving checkpoint snapshot") {
        return Some((EventKind::Checkpoint, None, b""));
    }
    // Told of those that take longer than 20 seconds.
    if let Some(ran) = memchr::memmem::find(message, b"heckpoint ran for ") {
        let seconds = digits(&message[ran + 18..]);
        return Some((EventKind::Checkpoint, seconds.map(|s| s * 1000.0), b"ran long"));
    }
    (holds("cache stuck") || holds("viction server") || holds("eviction took")).then_some((
        EventKind::Eviction,
        None,
        b"cache",
    ))
}

fn slow_connection(message: &[u8]) -> bool {
    message.starts_with(b"Slow connection")
        || message.starts_with(b"Slow network response")
        || message.starts_with(b"Connection establishment is slow")
}

/// The time in an entry's attributes, whatever it is called: `4123`, `"4123ms"`,
/// `{"totalMillis":4123,…}`.
fn milliseconds(entry: &Entry<'_>) -> Option<f64> {
    let names = ["durationMillis", "elapsedMillis", "totalTimeMillis", "totalTime", "elapsed"];
    let found = attributes(entry, names).into_iter().find(|raw| !raw.is_empty())?;
    digits(if found.starts_with(b"{") { member(found, "totalMillis") } else { found })
}

pub(super) fn digits(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    number(&text[..end]).map(|number| number as f64)
}

fn happened(
    kind: EventKind,
    at: Option<Timestamp>,
    amount: Option<f64>,
    about: &[u8],
    text: &[u8],
    into: &mut Tally,
) {
    into.happening(&Happening { origin: Origin::default(), kind, at, amount, about, text });
}

/// Attributes by name: a string's contents, or the value as it stands; empty where there is none.
fn attributes<'a, const N: usize>(entry: &Entry<'a>, names: [&str; N]) -> [&'a [u8]; N] {
    let mut found = [&b""[..]; N];
    let mut cursor = Cursor::new(entry.attributes, Json);
    if cursor.eat(b'{') {
        while let Some(key) = cursor.key() {
            let value = if cursor.peek() == b'"' { cursor.string() } else { cursor.skip() };
            if let Some(place) = names.iter().position(|name| name.as_bytes() == key) {
                found[place] = value;
            }
        }
    }
    found
}

/// A member of an object: a string's contents, or the value as it stands.
fn member<'a>(object: &'a [u8], name: &str) -> &'a [u8] {
    let of = Entry { attributes: object, ..Entry::default() };
    let [found] = attributes(&of, [name]);
    found
}
