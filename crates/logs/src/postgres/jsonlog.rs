use std::borrow::Cow;

use marula_core::{Engine, Timestamp};
use memchr::memchr;

use super::entry::{Entry, severity};
use super::interpret::Interpreter;
use super::json::{string_end, unescape};
use super::sessions;
use super::time::timestamp;
use crate::{Edges, Format, Place, Tally};

/// What the logging collector writes with `log_destination = jsonlog`, from version 15 on; one
/// object a line.
pub(super) struct JsonLog;

/// What is looked at in a line.
#[derive(Default)]
struct Fields<'a> {
    at: Option<Timestamp>,
    pid: u64,
    severity: &'a [u8],
    code: &'a [u8],
    tag: &'a [u8],
    user: Cow<'a, [u8]>,
    database: Cow<'a, [u8]>,
    application: Cow<'a, [u8]>,
    host: Cow<'a, [u8]>,
    message: Cow<'a, [u8]>,
    detail: Cow<'a, [u8]>,
    hint: Cow<'a, [u8]>,
    context: Cow<'a, [u8]>,
    statement: Cow<'a, [u8]>,
}

impl Format for JsonLog {
    fn name(&self) -> &'static str {
        "postgres jsonlog"
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut interpreter = Interpreter::new(into);
        let mut start = 0;
        while start < chunk.len() {
            let end = memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |end| start + end);
            let line = chunk[start..end].trim_ascii();
            let offset = at.offset + start as u64;
            match fields(line) {
                Some(fields) => entry(&fields, offset, &mut interpreter),
                None if line.is_empty() => {}
                None => interpreter.tally.unread(offset, line),
            }
            start = end + 1;
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

fn entry(fields: &Fields<'_>, offset: u64, interpreter: &mut Interpreter<'_>) {
    let mut entry = Entry {
        at: fields.at,
        pid: fields.pid,
        severity: severity(fields.severity).unwrap_or_default(),
        code: fields.code,
        tag: fields.tag,
        message: &fields.message,
        detail: &fields.detail,
        hint: &fields.hint,
        context: &fields.context,
        statement: &fields.statement,
        offset,
        ..Entry::default()
    };
    entry.origin.user = &fields.user;
    entry.origin.database = &fields.database;
    entry.origin.application = &fields.application;
    entry.origin.host = &fields.host;
    interpreter.entry(&entry);
}

/// Walks over the members of a flat object.
pub(super) fn members<'a>(
    line: &'a [u8],
    mut each: impl FnMut(&'a [u8], &'a [u8], bool),
) -> Option<()> {
    let mut at = 1;
    if line.first() != Some(&b'{') {
        return None;
    }
    loop {
        at += blanks(line.get(at..)?);
        if line.get(at)? == &b'}' {
            return Some(());
        }
        if line.get(at)? != &b'"' {
            return None;
        }
        let end = at + 1 + string_end(line.get(at + 1..)?)?;
        let key = &line[at + 1..end];
        at = end + 1;
        at += blanks(line.get(at..)?);
        if line.get(at)? != &b':' {
            return None;
        }
        at += 1;
        at += blanks(line.get(at..)?);
        match line.get(at)? {
            b'"' => {
                let end = at + 1 + string_end(line.get(at + 1..)?)?;
                each(key, &line[at + 1..end], true);
                at = end + 1;
            }
            b'{' | b'[' => at = nested_end(line, at)?,
            _ => {
                let end = at + memchr::memchr2(b',', b'}', line.get(at..)?)?;
                each(key, line[at..end].trim_ascii_end(), false);
                at = end;
            }
        }
        at += blanks(line.get(at..)?);
        match line.get(at)? {
            b',' => at += 1,
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Where an object or array ends that begins at `at`.
fn nested_end(line: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match line.get(at)? {
            b'"' => at += 1 + string_end(line.get(at + 1..)?)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn fields(line: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    members(line, |key, value, _| match key {
        b"timestamp" => fields.at = timestamp(value).map(|found| found.0),
        b"pid" => {
            let digits = value.iter().take(18).filter(|b| b.is_ascii_digit());
            fields.pid = digits.fold(0, |sum, b| sum * 10 + u64::from(b - b'0'));
        }
        b"error_severity" => fields.severity = value,
        b"state_code" => fields.code = value,
        b"ps" => fields.tag = value,
        b"user" => fields.user = unescape(value),
        b"dbname" => fields.database = unescape(value),
        b"application_name" => fields.application = unescape(value),
        b"remote_host" => fields.host = unescape(value),
        b"message" => fields.message = unescape(value),
        b"detail" => fields.detail = unescape(value),
        b"hint" => fields.hint = unescape(value),
        b"context" => fields.context = unescape(value),
        b"statement" => fields.statement = unescape(value),
        _ => {}
    })?;
    (!fields.severity.is_empty() && fields.at.is_some()).then_some(fields)
}

/// The share of a head's lines that can be read.
pub(super) fn share(head: &[u8]) -> f64 {
    let whole = memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    let lines = whole.split(|b| *b == b'\n').filter(|line| !line.is_empty()).take(500);
    let (mut all, mut good) = (0, 0);
    for line in lines {
        all += 1;
        good += u32::from(fields(line.trim_ascii()).is_some());
    }
    f64::from(good) / f64::from(all.max(1))
}
