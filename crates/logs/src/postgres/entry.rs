use marula_core::Timestamp;

use super::languages;
use crate::Origin;

/// How serious an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Severity {
    /// `LOG`, and what pgbouncer writes.
    #[default]
    Log,
    /// `WARNING`.
    Warning,
    /// `ERROR`.
    Error,
    /// `FATAL`.
    Fatal,
    /// `PANIC`.
    Panic,
    /// `DEBUG1` … `NOTICE`.
    Chatter,
}

/// What a line's label says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// The first line of an entry.
    Entry(Severity),
    /// Something more about the entry before.
    Part(Part),
}

/// What an entry has besides its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Detail,
    Hint,
    Context,
    Statement,
    /// `QUERY`, `LOCATION`, `BACKTRACE`: not looked at.
    Other,
}

/// The labels, longest first where one begins another.
const LABELS: [(&[u8], Label); 19] = [
    (b"LOG", Label::Entry(Severity::Log)),
    (b"DETAIL", Label::Part(Part::Detail)),
    (b"STATEMENT", Label::Part(Part::Statement)),
    (b"ERROR", Label::Entry(Severity::Error)),
    (b"HINT", Label::Part(Part::Hint)),
    (b"CONTEXT", Label::Part(Part::Context)),
    (b"FATAL", Label::Entry(Severity::Fatal)),
    (b"WARNING", Label::Entry(Severity::Warning)),
    (b"PANIC", Label::Entry(Severity::Panic)),
    (b"NOTICE", Label::Entry(Severity::Chatter)),
    (b"INFO", Label::Entry(Severity::Chatter)),
    (b"QUERY", Label::Part(Part::Other)),
    (b"LOCATION", Label::Part(Part::Other)),
    (b"BACKTRACE", Label::Part(Part::Other)),
    (b"DEBUG", Label::Entry(Severity::Chatter)),
    (b"DEBUG1", Label::Entry(Severity::Chatter)),
    (b"DEBUG2", Label::Entry(Severity::Chatter)),
    (b"DEBUG3", Label::Entry(Severity::Chatter)),
    (b"DEBUG5", Label::Entry(Severity::Chatter)),
];

/// The label at the beginning of `text` and how long it is with its colon and blanks.
#[inline]
pub(super) fn label(text: &[u8]) -> Option<(Label, usize)> {
    for (name, label) in &LABELS {
        if text.starts_with(name) && text.get(name.len()) == Some(&b':') {
            // Two blanks as the server writes them; some shippers fold them into one.
            let blanks = text[name.len() + 1..].iter().take(2).take_while(|b| **b == b' ').count();
            return (blanks > 0).then_some((*label, name.len() + 1 + blanks));
        }
    }
    languages::label(text)
}

/// The severity of this name.
pub(super) fn severity(name: &[u8]) -> Option<Severity> {
    let english = LABELS.iter().find_map(|(known, label)| match label {
        Label::Entry(severity) if *known == name => Some(*severity),
        _ => None,
    });
    english.or_else(|| languages::severity(name))
}

/// One entry, whatever its format.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry<'a> {
    /// When it was written.
    pub at: Option<Timestamp>,
    /// The process; 0 when the log does not tell.
    pub pid: u64,
    /// Whence its session came.
    pub origin: Origin<'a>,
    pub severity: Severity,
    /// SQLSTATE; empty when not logged.
    pub code: &'a [u8],
    /// `SELECT`, `PARSE`, `BIND` …; empty when not logged.
    pub tag: &'a [u8],
    pub message: &'a [u8],
    pub detail: &'a [u8],
    pub hint: &'a [u8],
    pub context: &'a [u8],
    pub statement: &'a [u8],
    /// Whether further lines begin with a tab the server put there.
    pub tabbed: bool,
    /// Where it begins in the source.
    pub offset: u64,
}

impl<'a> Entry<'a> {
    /// Sets a part.
    pub fn set(&mut self, part: Part, text: &'a [u8]) {
        match part {
            Part::Detail => self.detail = text,
            Part::Hint => self.hint = text,
            Part::Context => self.context = text,
            Part::Statement => self.statement = text,
            Part::Other => {}
        }
    }
}
