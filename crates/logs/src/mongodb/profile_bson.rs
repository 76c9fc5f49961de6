//! Documents of `system.profile` as mongodump writes them: one BSON document after the other.

use bson::{RawBsonRef, RawDocument};
use marula_core::{Engine, Timestamp};

use super::operation::{Operation, Scratch};
use super::{profile, waits};
use crate::{Edges, Format, Place, Tally};

/// The longest document a server stores, with room for what it adds itself.
const LONGEST: usize = 17 << 20;

/// The format.
pub(super) struct ProfileBson;

impl Format for ProfileBson {
    fn name(&self) -> &'static str {
        "mongodb profile bson"
    }

    fn engine(&self) -> Engine {
        Engine::Mongodb
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        let mut end = 0;
        loop {
            match length(&bytes[end..]) {
                Length::Whole(length) => end += length,
                Length::Open => return end,
                // Nothing behind it can be told apart any more.
                Length::None => return bytes.len(),
            }
        }
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut scratch = Scratch::default();
        let mut command = Commands::default();
        let mut start = 0;
        while start < chunk.len() {
            let offset = at.offset + start as u64;
            let rest = &chunk[start..];
            let Length::Whole(length) = length(rest) else {
                into.unread(offset, rest);
                break;
            };
            let told = RawDocument::from_bytes(&rest[..length])
                .ok()
                .and_then(|document| tell(document, offset, &mut command, &mut scratch, into));
            if told.is_none() {
                into.unread(offset, &rest[..length]);
            }
            start += length;
        }
        None
    }
}

/// How far a document goes.
enum Length {
    Whole(usize),
    /// Its end is not there.
    Open,
    /// It is no document.
    None,
}

fn length(bytes: &[u8]) -> Length {
    let Some(length) = bytes.first_chunk::<4>() else { return Length::Open };
    let length = match usize::try_from(i32::from_le_bytes(*length)) {
        Ok(length @ 5..=LONGEST) => length,
        _ => return Length::None,
    };
    match bytes.get(length - 1) {
        Some(0) => Length::Whole(length),
        Some(_) => Length::None,
        None => Length::Open,
    }
}

/// The share of the bytes that are documents of the profiler.
pub(super) fn share(head: &[u8]) -> f64 {
    let mut known = 0;
    let mut start = 0;
    while let Length::Whole(length) = length(&head[start..]) {
        let Ok(document) = RawDocument::from_bytes(&head[start..start + length]) else { break };
        if document.get("op").ok().flatten().is_none()
            || document.get("millis").ok().flatten().is_none()
        {
            break;
        }
        known += length;
        start += length;
    }
    // The head may end in the middle of a document.
    if known > 0 && matches!(length(&head[start..]), Length::Open) {
        known = head.len();
    }
    if head.is_empty() { 0.0 } else { known as f64 / head.len() as f64 }
}

/// Buffers for the commands as JSON.
#[derive(Default)]
pub(super) struct Commands {
    command: Vec<u8>,
    originating: Vec<u8>,
}

/// Counts a document of the profiler; `None` when it is broken or none.
pub(super) fn tell(
    document: &RawDocument,
    offset: u64,
    commands: &mut Commands,
    scratch: &mut Scratch,
    into: &mut Tally,
) -> Option<()> {
    commands.command.clear();
    commands.originating.clear();
    let mut found = Operation { offset, ..Operation::default() };
    let mut timed = false;
    let mut code = String::new();
    for element in document {
        let (name, value) = element.ok()?;
        match (name.as_str(), value) {
            ("op", RawBsonRef::String(text)) => found.kind = text.as_bytes(),
            ("ns", RawBsonRef::String(text)) => found.namespace = text.as_bytes(),
            ("appName", RawBsonRef::String(text)) => found.application = text.as_bytes(),
            ("client", RawBsonRef::String(text)) => found.remote = text.as_bytes(),
            ("user", RawBsonRef::String(text)) => found.user = text.as_bytes(),
            ("planSummary", RawBsonRef::String(text)) => found.plan_summary = text.as_bytes(),
            ("errName", RawBsonRef::String(text)) => found.error = text.as_bytes(),
            ("errMsg" | "exception", RawBsonRef::String(text)) => found.message = text.as_bytes(),
            ("errCode" | "exceptionCode", number) => code = count(number)?.to_string(),
            ("ts", RawBsonRef::DateTime(at)) => found.at = Some(Timestamp(at.timestamp_millis())),
            ("millis", number) => {
                found.micros = count(number)?.saturating_mul(1000);
                timed = true;
            }
            ("hasSortStage", RawBsonRef::Boolean(sorts)) => found.sorts = sorts,
            ("locks", RawBsonRef::Document(locks)) => found.waited = waited(locks),
            ("usedDisk", RawBsonRef::Boolean(used)) => found.spilled = used,
            (name, number) if waits::tells_spilled_bytes(name.as_bytes()) => {
                found.spill(count(number));
            }
            ("keysExamined", number) => found.keys = count(number),
            ("docsExamined", number) => found.documents = count(number),
            ("nreturned" | "ninserted" | "ndeleted" | "nMatched", number) => {
                found.returned = count(number);
            }
            ("nUpserted", number) => found.upserted = count(number),
            ("command" | "query", RawBsonRef::Document(command)) => {
                serde_json::to_writer(&mut commands.command, &command).ok()?;
            }
            ("originatingCommand", RawBsonRef::Document(command)) => {
                serde_json::to_writer(&mut commands.originating, &command).ok()?;
            }
            _ => {}
        }
    }
    if !timed || found.kind.is_empty() {
        return None;
    }
    found.error_code = code.as_bytes();
    found.command = &commands.command;
    found.originating = &commands.originating;
    into.entry(found.at);
    profile::tell(&found, scratch, into);
    Some(())
}

fn count(number: RawBsonRef<'_>) -> Option<u64> {
    match number {
        RawBsonRef::Int32(number) => u64::try_from(number).ok(),
        RawBsonRef::Int64(number) => u64::try_from(number).ok(),
        RawBsonRef::Double(number) => Some(number as u64),
        _ => None,
    }
}

/// How long was waited for locks, over all of them and their modes; `None` for not at all.
fn waited(locks: &RawDocument) -> Option<u64> {
    let modes = locks.iter().flatten().filter_map(|(_, lock)| match lock {
        RawBsonRef::Document(lock) => lock.get_document(waits::TIME).ok(),
        _ => None,
    });
    let micros = modes.flat_map(|modes| modes.iter().flatten().filter_map(|(_, n)| count(n)));
    Some(micros.fold(0u64, u64::saturating_add)).filter(|sum| *sum > 0)
}
