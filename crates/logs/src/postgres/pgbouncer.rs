use marula_core::{Engine, EventKind, Timestamp};
use memchr::{memchr, memmem};

use super::time::timestamp;
use crate::{Edges, Failure, Format, Happening, Origin, Place, Tally};

/// What PgBouncer writes: `2026-03-01 12:00:00.250 UTC [4711] LOG C-0x55: shop/app@10.0.0.1:5 …`.
/// It logs no statements; connections and errors are counted.
pub(super) struct PgBouncer;

struct Line<'a> {
    at: Timestamp,
    level: &'a [u8],
    origin: Origin<'a>,
    /// A client's connection, not a server's.
    client: bool,
    message: &'a [u8],
}

fn line(line: &[u8]) -> Option<Line<'_>> {
    let (at, length) = timestamp(line)?;
    let rest = line[length..].trim_ascii_start().strip_prefix(b"[")?;
    let rest = rest[memchr(b']', rest)? + 1..].strip_prefix(b" ")?;
    let level_end = memchr(b' ', rest)?;
    let level = &rest[..level_end];
    if !matches!(level, b"LOG" | b"DEBUG" | b"NOISE" | b"WARNING" | b"ERROR" | b"FATAL" | b"INFO") {
        return None;
    }
    let mut line = Line {
        at,
        level,
        origin: Origin::default(),
        client: false,
        message: &rest[level_end + 1..],
    };
    if let [kind @ (b'C' | b'S'), b'-', b'0', b'x', socket @ ..] = line.message
        && let Some(colon) = memmem::find(socket, b": ")
    {
        line.client = *kind == b'C';
        let who = &socket[colon + 2..];
        let end = memchr(b' ', who).unwrap_or(who.len());
        if let (Some(slash), Some(at)) = (memchr(b'/', &who[..end]), memchr(b'@', &who[..end]))
            && slash < at
        {
            line.origin.database = &who[..slash];
            line.origin.user = &who[slash + 1..at];
            line.origin.host = super::prefix::host(&who[at + 1..end]);
            line.message = who[end..].trim_ascii_start();
        }
    }
    Some(line)
}

impl Format for PgBouncer {
    fn name(&self) -> &'static str {
        "pgbouncer"
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut start = 0;
        while start < chunk.len() {
            let end = memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |end| start + end);
            let text = chunk[start..end].trim_ascii_end();
            match line(text) {
                Some(line) => tell(&line, text, into),
                None if text.is_empty() => {}
                None => into.unread(at.offset + start as u64, text),
            }
            start = end + 1;
        }
        None
    }
}

fn tell(line: &Line<'_>, text: &[u8], into: &mut Tally) {
    let at = Some(line.at);
    into.entry(at);
    let severity = match line.level {
        b"WARNING" => Some("WARNING"),
        b"ERROR" => Some("ERROR"),
        b"FATAL" => Some("FATAL"),
        _ => None,
    };
    if let Some(severity) = severity {
        into.failure(&Failure {
            engine: Engine::Postgres,
            at,
            origin: line.origin,
            severity,
            code: b"",
            message: line.message,
            detail: b"",
            statement: b"",
        });
    }
    let kind = if line.client && line.message.starts_with(b"login attempt") {
        EventKind::Connected
    } else if line.client && line.message.starts_with(b"closing because") {
        EventKind::Disconnected
    } else {
        return;
    };
    into.happening(&Happening {
        kind,
        at,
        origin: line.origin,
        amount: None,
        about: line.origin.database,
        text,
    });
}

/// The share of a head's lines that can be read.
pub(super) fn share(head: &[u8]) -> f64 {
    let whole = memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    let (mut all, mut good) = (0, 0);
    for text in whole.split(|b| *b == b'\n').filter(|text| !text.is_empty()).take(500) {
        all += 1;
        good += u32::from(line(text.trim_ascii_end()).is_some());
    }
    f64::from(good) / f64::from(all.max(1))
}
