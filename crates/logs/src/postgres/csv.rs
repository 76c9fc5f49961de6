use marula_core::Engine;
use memchr::{memchr, memchr_iter};

use super::entry::{Entry, severity};
use super::interpret::Interpreter;
use super::prefix::host;
use super::sessions;
use super::time::timestamp;
use crate::{Edges, Format, Place, Tally};

/// What the logging collector writes with `log_destination = csvlog`: 23 columns to version 12,
/// 24 in 13, 26 from 14 on.
pub(super) struct Csv;

/// The columns that are looked at, by their place.
const AT: usize = 0;
const USER: usize = 1;
const DATABASE: usize = 2;
const PID: usize = 3;
const FROM: usize = 4;
const TAG: usize = 7;
const SEVERITY: usize = 11;
const CODE: usize = 12;
const MESSAGE: usize = 13;
const DETAIL: usize = 14;
const HINT: usize = 15;
const CONTEXT: usize = 18;
const QUERY: usize = 19;
const APPLICATION: usize = 22;
/// The most columns there are.
const COLUMNS: usize = 26;

/// Whether a record begins here: `2026-03-01 12:00:00.250 UTC,`.
fn begins(text: &[u8]) -> bool {
    timestamp(text).is_some_and(|(_, length)| {
        length > 20 && text.get(length) == Some(&b',') && text.get(19) == Some(&b'.')
    })
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        "postgres csvlog"
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        // A line inside a quoted field may look like a record: quotes are counted from the
        // beginning, where a record is known to begin.
        let mut cut = 0;
        let mut quotes = 0usize;
        let mut seen = 0;
        for end in memchr_iter(b'\n', bytes) {
            quotes += memchr_iter(b'"', &bytes[seen..end]).count();
            seen = end;
            if quotes.is_multiple_of(2) {
                cut = end + 1;
            }
        }
        // A quote too many would join everything that follows: then lines that look like records
        // are believed.
        if bytes.len() - cut > 1 << 20 {
            let mut ends = memchr::memrchr_iter(b'\n', bytes).take(5000);
            return ends.find(|end| begins(&bytes[end + 1..])).map_or(cut, |end| end + 1);
        }
        cut
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut interpreter = Interpreter::new(into);
        let mut start = 0;
        let mut buffers: [Vec<u8>; COLUMNS] = Default::default();
        while start < chunk.len() {
            let offset = at.offset + start as u64;
            match record(&chunk[start..], &mut buffers) {
                Some((fields, length)) => {
                    entry(&fields, &buffers, offset, &mut interpreter);
                    start += length;
                }
                None => {
                    let end = memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |end| start + end);
                    if end > start {
                        interpreter.tally.unread(offset, &chunk[start..end]);
                    }
                    start = end + 1;
                }
            }
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

/// A field: a piece of the record, or of its own buffer when quotes were undone.
#[derive(Clone, Copy, Default)]
struct Field<'a> {
    text: &'a [u8],
    buffered: bool,
}

/// Takes a record apart; gives its fields and its length with the line's end.
fn record<'a>(
    text: &'a [u8],
    buffers: &mut [Vec<u8>; COLUMNS],
) -> Option<([Field<'a>; COLUMNS], usize)> {
    if !begins(text) {
        return None;
    }
    let mut fields = [Field::default(); COLUMNS];
    let mut at = 0;
    for (column, field) in fields.iter_mut().enumerate() {
        let end = if text.get(at) == Some(&b'"') {
            let end = quoted(text, at + 1, field, buffers.get_mut(column)?)?;
            // A new record inside a field means that a quote is missing.
            end + 1
        } else {
            let end = memchr::memchr2(b',', b'\n', text.get(at..)?).map_or(text.len(), |e| at + e);
            field.text = &text[at..end];
            end
        };
        match text.get(end) {
            Some(b',') => at = end + 1,
            Some(b'\r') | Some(b'\n') | None => {
                let end = if text.get(end) == Some(&b'\r') { end + 1 } else { end };
                return (column >= QUERY).then_some((fields, (end + 1).min(text.len())));
            }
            Some(_) => return None,
        }
    }
    None
}

/// Where the quoted field ends that begins at `start`: its closing quote.
fn quoted<'a>(
    text: &'a [u8],
    start: usize,
    field: &mut Field<'a>,
    buffer: &mut Vec<u8>,
) -> Option<usize> {
    let mut at = start;
    let mut from = start;
    loop {
        let quote = at + memchr(b'"', text.get(at..)?)?;
        if text.get(quote + 1) == Some(&b'"') {
            if !field.buffered {
                buffer.clear();
                field.buffered = true;
            }
            buffer.extend_from_slice(&text[from..=quote]);
            at = quote + 2;
            from = at;
            continue;
        }
        if field.buffered {
            buffer.extend_from_slice(&text[from..quote]);
        } else {
            field.text = &text[start..quote];
        }
        return Some(quote);
    }
}

fn entry(
    fields: &[Field<'_>; COLUMNS],
    buffers: &[Vec<u8>; COLUMNS],
    offset: u64,
    interpreter: &mut Interpreter<'_>,
) {
    let field = |column: usize| -> &[u8] {
        if fields[column].buffered { &buffers[column] } else { fields[column].text }
    };
    let mut entry = Entry {
        at: timestamp(field(AT)).map(|found| found.0),
        pid: field(PID)
            .iter()
            .take(18)
            .fold(0, |sum, b| sum * 10 + u64::from(b.wrapping_sub(b'0') % 10)),
        severity: severity(field(SEVERITY)).unwrap_or_default(),
        code: field(CODE),
        tag: field(TAG),
        message: field(MESSAGE),
        detail: field(DETAIL),
        hint: field(HINT),
        context: field(CONTEXT),
        statement: field(QUERY),
        offset,
        ..Entry::default()
    };
    entry.origin.user = field(USER);
    entry.origin.database = field(DATABASE);
    entry.origin.application = field(APPLICATION);
    entry.origin.host = host(field(FROM));
    interpreter.entry(&entry);
}

/// The share of a head's records that can be read.
pub(super) fn share(head: &[u8]) -> f64 {
    let mut buffers: [Vec<u8>; COLUMNS] = Default::default();
    let (mut good, mut bad, mut at) = (0, 0, 0);
    while at < head.len() && good + bad < 500 {
        match record(&head[at..], &mut buffers) {
            Some((_, length)) => {
                good += 1;
                at += length;
            }
            None => match memchr(b'\n', &head[at..]) {
                Some(end) => {
                    bad += 1;
                    at += end + 1;
                }
                None => break,
            },
        }
    }
    f64::from(good) / f64::from((good + bad).max(1))
}
