use marula_core::{Engine, Timestamp};
use memchr::{memchr, memrchr};

use super::entry::{Entry, Label, Part, Severity};
use super::interpret::Interpreter;
use super::prefix::Prefix;
use super::sessions;
use crate::{Edges, Format, Place, Tally};

/// What the server writes to stderr and its logging collector to files.
pub(super) struct Stderr {
    name: &'static str,
    prefix: Prefix,
}

impl Stderr {
    pub fn new(prefix: Prefix) -> Self {
        let rds = prefix.text.starts_with("%t:%r:%u@%d:[%p]:");
        Stderr { name: if rds { "postgres stderr (RDS)" } else { "postgres stderr" }, prefix }
    }
}

impl Format for Stderr {
    fn name(&self) -> &'static str {
        self.name
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
            let line = &bytes[start..end - 1];
            if !line.starts_with(b"\t")
                && matches!(self.prefix.read(line), Some((_, Label::Entry(_), _)))
            {
                // The entry's last lines may not be here yet.
                return start;
            }
            end = start;
        }
        0
    }

    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges {
        let mut interpreter = Interpreter::new(into);
        read_lines(&self.prefix, chunk, at.offset, &mut interpreter);
        interpreter.edges()
    }

    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        sessions::stitch(open, next, into)
    }

    fn finish(&self, open: Edges, into: &mut Tally) {
        sessions::finish(open, into);
    }
}

/// The entry now read, and the part of it that further lines belong to.
struct Current<'a> {
    entry: Entry<'a>,
    /// `None` is the message.
    part: Option<Part>,
    start: usize,
    end: usize,
    /// Whether further lines still belong to it.
    open: bool,
}

impl<'a> Current<'a> {
    fn close(&mut self, chunk: &'a [u8]) {
        let text = &chunk[self.start..self.end];
        match self.part {
            None => self.entry.message = text,
            Some(part) => self.entry.set(part, text),
        }
    }
}

/// Reads lines with a prefix and gives their entries to the interpreter.
pub(super) fn read_lines(
    prefix: &Prefix,
    chunk: &[u8],
    offset: u64,
    interpreter: &mut Interpreter<'_>,
) {
    read_message(prefix, chunk, (0, None), offset, interpreter);
}

/// The same with the process and moment that are known from elsewhere, for prefixes without.
pub(super) fn read_message(
    prefix: &Prefix,
    chunk: &[u8],
    known: (u64, Option<Timestamp>),
    offset: u64,
    interpreter: &mut Interpreter<'_>,
) {
    let mut at = 0;
    let mut current: Option<Current<'_>> = None;
    while at < chunk.len() {
        let end = memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |end| at + end);
        let start = at;
        at = end + 1;
        let line = match &chunk[start..end] {
            [line @ .., b'\r'] => line,
            line => line,
        };
        if line.first() == Some(&b'\t') {
            match &mut current {
                Some(current) if current.open => current.end = end,
                _ => interpreter.tally.unread(offset + start as u64, line),
            }
            continue;
        }
        let same = |current: &Current<'_>, pid| current.entry.pid == pid;
        let mut read = prefix.read(line);
        if let Some((header, _, _)) = &mut read {
            header.at = header.at.or(known.1);
            header.pid = if header.pid == 0 { known.0 } else { header.pid };
        }
        match (read, &mut current) {
            (Some((header, Label::Entry(severity), text)), _) => {
                if let Some(mut done) = current.take() {
                    done.close(chunk);
                    interpreter.entry(&done.entry);
                }
                current = Some(Current {
                    entry: Entry {
                        at: header.at,
                        pid: header.pid,
                        origin: header.origin,
                        severity,
                        code: if severity == Severity::Log { b"" } else { header.code },
                        tag: header.tag,
                        tabbed: true,
                        offset: offset + start as u64,
                        ..Entry::default()
                    },
                    part: None,
                    start: start + text,
                    end: start + line.len(),
                    open: true,
                });
            }
            (Some((header, Label::Part(part), text)), Some(current))
                if same(current, header.pid) =>
            {
                current.close(chunk);
                current.part = Some(part);
                (current.start, current.end) = (start + text, start + line.len());
                current.open = true;
            }
            (_, current) => {
                if let Some(current) = current {
                    current.open = false;
                }
                interpreter.tally.unread(offset + start as u64, line);
            }
        }
    }
    if let Some(mut done) = current {
        done.close(chunk);
        interpreter.entry(&done.entry);
    }
}
