use std::borrow::Cow;

use marula_core::Engine;
use memchr::memchr;

use super::interpret::Interpreter;
use super::json::unescape;
use super::jsonlog::members;
use super::prefix::{Prefix, infer, share_of};
use super::sessions;
use super::stderr::read_lines;
use crate::{Edges, Format, Place, Tally};

/// A provider's export of stderr: one JSON object a line, the server's own text inside it
/// (`textPayload` at Google, `message` or `log` of shippers).
pub(super) struct Cloud {
    prefix: Prefix,
}

/// Where the server's text is.
const TEXTS: [&[u8]; 4] = [b"textPayload", b"message", b"log", b"msg"];

/// The server's text in a line, as it would stand in its own file.
fn text(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut found = None;
    // Google wraps JSON in one more object.
    let inner = memchr::memmem::find(line, b"\"jsonPayload\":")
        .and_then(|at| Some(at + memchr(b'{', &line[at..])?));
    members(&line[inner.unwrap_or(0)..], |key, value, is_text| {
        if is_text && found.is_none() && TEXTS.contains(&key) {
            found = Some(unescape(value));
        }
    })?;
    found
}

/// The text with a line's end.
fn as_lines(text: Cow<'_, [u8]>) -> Vec<u8> {
    let mut lines = text.into_owned();
    if lines.last() != Some(&b'\n') {
        lines.push(b'\n');
    }
    lines
}

impl Format for Cloud {
    fn name(&self) -> &'static str {
        "postgres stderr in json"
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn prefix(&self) -> Option<String> {
        Some(self.prefix.text.clone())
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        // A line may go on with the entry of the line before it: cut where one begins.
        let mut end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        while end > 0 {
            let start = memchr::memrchr(b'\n', &bytes[..end - 1]).map_or(0, |end| end + 1);
            let begins = text(bytes[start..end].trim_ascii()).is_some_and(|text| {
                let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
                matches!(self.prefix.read(first), Some((_, super::entry::Label::Entry(_), _)))
            });
            if begins {
                return start;
            }
            end = start;
        }
        0
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        // The texts of neighbouring lines are read as one, so that a DETAIL finds its entry.
        let mut interpreter = Interpreter::new(into);
        let mut lines = Vec::with_capacity(chunk.len());
        let mut start = 0;
        while start < chunk.len() {
            let end = memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |end| start + end);
            let line = chunk[start..end].trim_ascii();
            match text(line) {
                Some(text) => lines.extend_from_slice(&as_lines(text)),
                None if line.is_empty() => {}
                None => interpreter.tally.unread(at.offset + start as u64, line),
            }
            start = end + 1;
        }
        read_lines(&self.prefix, &lines, at.offset, &mut interpreter);
        interpreter.edges()
    }

    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        sessions::stitch(open, next, into)
    }

    fn finish(&self, open: Edges, into: &mut Tally) {
        sessions::finish(open, into);
    }
}

/// The format, and the share of a head's lines it reads.
pub(super) fn detect(head: &[u8], given: Option<&Prefix>) -> Option<(Cloud, f64)> {
    if head.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let mut lines = Vec::new();
    let (mut all, mut good) = (0, 0);
    for line in head.split(|b| *b == b'\n').filter(|line| !line.is_empty()).take(500) {
        all += 1;
        if let Some(text) = text(line.trim_ascii()) {
            good += 1;
            lines.extend_from_slice(&as_lines(text));
        }
    }
    let share = f64::from(good) / f64::from(all.max(1));
    let (prefix, read) = match given {
        Some(prefix) => (prefix.clone(), share_of(prefix, &lines)),
        None => infer(&lines)?,
    };
    Some((Cloud { prefix }, share * read))
}
