use std::borrow::Cow;

use marula_core::{Engine, Timestamp};
use memchr::{memchr, memmem, memrchr};
use rustc_hash::FxHashMap;

use super::interpret::Interpreter;
use super::prefix::{Prefix, infer, share_of};
use super::sessions;
use super::stderr::read_message;
use super::time::timestamp;
use crate::{Edges, Format, Place, Tally};

/// What the server sends to syslog, as rsyslog, syslog-ng and journald write it: `Mar  1 12:00:00
/// host postgres[4711]: [5-1] …` or with an ISO date. Messages are split over lines.
pub(super) struct Syslog {
    prefix: Prefix,
    /// The year and month the file was written in: RFC 3164 leaves the year out.
    written: (i64, i64),
}

/// One line.
struct Line<'a> {
    at: Option<Timestamp>,
    pid: u64,
    /// Message and piece: `[5-2]`.
    number: u64,
    piece: u64,
    text: &'a [u8],
}

/// A message put together from its pieces.
struct Message {
    pid: u64,
    number: u64,
    at: Option<Timestamp>,
    offset: u64,
    text: Vec<u8>,
}

fn digits(text: &[u8]) -> (u64, usize) {
    let length = text.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    (text[..length].iter().fold(0, |sum, b| sum * 10 + u64::from(b - b'0')), length)
}

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The date at a line's beginning and its length.
fn date(line: &[u8], written: (i64, i64)) -> Option<(Timestamp, usize)> {
    if let Some(found) = timestamp(line) {
        return Some(found);
    }
    let name = line.get(..3)?;
    let month = MONTHS.chunks(3).position(|month| month == name)? as i64 + 1;
    let day = line.get(4..6)?.trim_ascii_start();
    let (day, _) = digits(day);
    let clock = line.get(7..15)?;
    let two = |at: usize| digits(&clock[at..at + 2]).0 as i64;
    if clock[2] != b':' || clock[5] != b':' || line.get(3) != Some(&b' ') {
        return None;
    }
    // A month behind the one of writing is of the year before.
    let year = if month > written.1 { written.0 - 1 } else { written.0 };
    let ms = ((two(0) * 60 + two(3)) * 60 + two(6)) * 1000;
    Some((Timestamp::from_civil(year, month, day as i64, ms), 15))
}

fn line(line: &[u8], written: (i64, i64)) -> Option<Line<'_>> {
    // RFC 5424's priority and version in front.
    let line = match line.strip_prefix(b"<") {
        Some(rest) => {
            let rest = &rest[memchr(b'>', rest)? + 1..];
            rest.strip_prefix(b"1 ").unwrap_or(rest)
        }
        None => line,
    };
    let (at, length) = date(line, written)?;
    // The tag: `host postgres[4711]: `.
    let head = &line[length..line.len().min(length + 200)];
    let mut from = 0;
    let (pid, start) = loop {
        let open = from + memchr(b'[', &head[from..])?;
        let (pid, length) = digits(&head[open + 1..]);
        if length > 0 && head.get(open + 1 + length..open + 3 + length) == Some(b"]:") {
            break (pid, open + 3 + length);
        }
        from = open + 1;
    };
    let text = line[length + start..].trim_ascii_start();
    let numbers = text.strip_prefix(b"[")?;
    let (number, length) = digits(numbers);
    let (piece, more) = digits(numbers.get(length + 1..)?);
    let end = length + 1 + more;
    if length == 0
        || more == 0
        || numbers.get(length) != Some(&b'-')
        || numbers.get(end) != Some(&b']')
    {
        return None;
    }
    // One blank belongs to the header; more are of the text.
    let text = &numbers[end + 1..];
    Some(Line { at: Some(at), pid, number, piece, text: text.strip_prefix(b" ").unwrap_or(text) })
}

impl Format for Syslog {
    fn name(&self) -> &'static str {
        "postgres syslog"
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn prefix(&self) -> Option<String> {
        Some(self.prefix.text.clone())
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        let mut end = memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        while end > 0 {
            let start = memrchr(b'\n', &bytes[..end - 1]).map_or(0, |end| end + 1);
            if line(&bytes[start..end - 1], self.written).is_some_and(|line| line.piece == 1) {
                return start;
            }
            end = start;
        }
        0
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut interpreter = Interpreter::new(into);
        // Pieces of one process come one after the other, but others' may stand between them.
        let mut messages: Vec<Message> = Vec::new();
        let mut last: FxHashMap<u64, usize> = FxHashMap::default();
        let mut start = 0;
        while start < chunk.len() {
            let end = memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |end| start + end);
            let offset = at.offset + start as u64;
            let whole = chunk[start..end].trim_ascii_end();
            start = end + 1;
            let Some(line) = line(whole, self.written) else {
                if !whole.is_empty() {
                    interpreter.tally.unread(offset, whole);
                }
                continue;
            };
            let Line { at, pid, number, piece, text } = line;
            let text = unescaped(text);
            if piece == 1 {
                last.insert(pid, messages.len());
                messages.push(Message { pid, number, at, offset, text: text.into_owned() });
                continue;
            }
            let open = last.get(&pid).and_then(|place| messages.get_mut(*place));
            match open.filter(|open| open.number == number) {
                Some(message) => {
                    if text.first() == Some(&b'\t') || self.prefix.read(&text).is_some() {
                        message.text.push(b'\n');
                    }
                    message.text.extend_from_slice(&text);
                }
                None => interpreter.tally.unread(offset, whole),
            }
        }
        for message in &messages {
            let known = (message.pid, message.at);
            read_message(&self.prefix, &message.text, known, message.offset, &mut interpreter);
        }
        interpreter.edges()
    }

    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        sessions::stitch(open, next, into)
    }

    fn finish(&self, open: Edges, into: &mut Tally) {
        sessions::finish(open, into);
    }
}

/// Tabs and other control characters as rsyslog writes them: `#011`.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut at) = memmem::find(text, b"#0") else { return Cow::Borrowed(text) };
    let mut out = text[..at].to_vec();
    while let Some(byte) = text.get(at) {
        let control = text.get(at..at + 4).and_then(|code| match code {
            b"#011" => Some(b'\t'),
            b"#012" => Some(b'\n'),
            b"#015" => Some(b'\r'),
            _ => None,
        });
        out.push(control.unwrap_or(*byte));
        at += if control.is_some() { 4 } else { 1 };
    }
    Cow::Owned(out)
}

/// The format, and the share of a head's lines it reads.
pub(super) fn detect(
    head: &[u8],
    given: Option<&Prefix>,
    written: Option<Timestamp>,
) -> Option<(Syslog, f64)> {
    let written = written.map_or((1970, 12), |at| {
        let (year, month, _, _) = at.to_civil();
        (year, month)
    });
    let whole = memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    let mut texts = Vec::new();
    let (mut all, mut good) = (0, 0);
    for text in whole.split(|b| *b == b'\n').filter(|text| !text.is_empty()).take(2000) {
        all += 1;
        if let Some(line) = line(text.trim_ascii_end(), written) {
            good += 1;
            // Pieces of split lines would look like lines without a prefix.
            if line.piece == 1 {
                texts.extend_from_slice(line.text);
                texts.push(b'\n');
            }
        }
    }
    if good == 0 {
        return None;
    }
    let (prefix, read) = match given {
        Some(prefix) => (prefix.clone(), share_of(prefix, &texts)),
        None => infer(&texts)?,
    };
    Some((Syslog { prefix, written }, f64::from(good) / f64::from(all) * read))
}
