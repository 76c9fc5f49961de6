use marula_core::Timestamp;
use memchr::memchr;

use super::{Piece, Prefix};
use crate::Origin;
use crate::postgres::entry::{Label, label};
use crate::postgres::time::{epoch, timestamp};

/// What a line's prefix says.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::postgres) struct Header<'a> {
    pub at: Option<Timestamp>,
    pub pid: u64,
    pub origin: Origin<'a>,
    pub code: &'a [u8],
    pub tag: &'a [u8],
}

/// The longest user, database, application or host name that is looked for.
const LONGEST_NAME: usize = 300;
/// Places tried for one line before it is no entry.
const TRIES: u32 = 100;

impl Prefix {
    /// Reads a line: its prefix, its label, and where its text begins.
    #[inline]
    pub fn read<'a>(&self, line: &'a [u8]) -> Option<(Header<'a>, Label, usize)> {
        let mut tries = TRIES;
        rest(&self.pieces, line, 0, Header::default(), &mut tries)
    }
}

/// Matches the pieces from `at` on, and the label behind them.
fn rest<'a>(
    pieces: &[Piece],
    line: &'a [u8],
    mut at: usize,
    mut header: Header<'a>,
    tries: &mut u32,
) -> Option<(Header<'a>, Label, usize)> {
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => {
                at = match line.get(at..) {
                    Some(text) if text.starts_with(literal) => at + literal.len(),
                    _ => return None,
                };
            }
            Piece::Optional => {
                if let Some((label, length)) = label(&line[at..]) {
                    return Some((header, label, at + length));
                }
            }
            Piece::Field(escape, padded) => {
                if *padded {
                    at += blanks(&line[at..]);
                }
                match fixed(*escape, &line[at..], &mut header) {
                    Some(Some(length)) => {
                        at += length;
                        if *padded {
                            // Blanks that fill up are not the literal that follows.
                            let more = blanks(&line[at..]);
                            at += more.saturating_sub(leading_blanks(&pieces[place + 1..]));
                        }
                    }
                    Some(None) => return None,
                    None => return free(*escape, &pieces[place + 1..], line, at, header, tries),
                }
            }
        }
    }
    let (label, length) = label(line.get(at..)?)?;
    Some((header, label, at + length))
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|b| **b == b' ').count()
}

fn leading_blanks(pieces: &[Piece]) -> usize {
    match pieces.first() {
        Some(Piece::Literal(literal)) => blanks(literal),
        _ => 0,
    }
}

/// Fields whose own form says where they end: their length, or `Some(None)` when it is not one;
/// `None` for a field that may hold anything.
#[inline]
fn fixed<'a>(escape: u8, text: &'a [u8], header: &mut Header<'a>) -> Option<Option<usize>> {
    let run = |of: fn(&u8) -> bool| text.iter().take_while(|b| of(b)).count();
    Some(match escape {
        b'm' | b't' => match timestamp(text) {
            // The one has a fraction, the other has none.
            Some((at, length)) if (text.get(19) == Some(&b'.')) == (escape == b'm') => {
                header.at = Some(at);
                Some(length)
            }
            _ => None,
        },
        b's' => Some(timestamp(text).map_or(0, |found| found.1)),
        b'n' => epoch(text).map(|(at, length)| {
            header.at = Some(at);
            length
        }),
        b'p' => {
            let digits = run(u8::is_ascii_digit);
            let value = text[..digits].iter().take(18);
            header.pid = value.fold(0, |sum, b| sum * 10 + u64::from(b - b'0'));
            (digits > 0).then_some(digits)
        }
        b'l' | b'P' | b'x' => Some(run(u8::is_ascii_digit)),
        // An extension may call its workers what it likes.
        b'b' => match backend(text) {
            Some(length) => Some(length),
            None => return None,
        },
        b'Q' => Some(run(|b| b.is_ascii_digit() || *b == b'-')),
        b'c' => Some(run(|b| b.is_ascii_hexdigit() || *b == b'.')),
        b'v' => Some(run(|b| b.is_ascii_digit() || *b == b'/')),
        b'e' => {
            let code = run(u8::is_ascii_alphanumeric);
            header.code = &text[..code];
            (code == 5).then_some(5)
        }
        _ => return None,
    })
}

/// What `%b` calls processes, the longer name first where one begins another.
const BACKENDS: [&[u8]; 22] = [
    b"client backend",
    b"parallel worker",
    b"autovacuum launcher",
    b"autovacuum worker",
    b"background writer",
    b"background worker",
    b"logical replication launcher",
    b"logical replication apply worker",
    b"logical replication parallel worker",
    b"logical replication tablesync worker",
    b"logical replication worker",
    b"dead-end client backend",
    b"standalone backend",
    b"slotsync worker",
    b"io worker",
    b"checkpointer",
    b"walsummarizer",
    b"walwriter",
    b"walsender",
    b"walreceiver",
    b"postmaster",
    b"archiver",
];

/// How long the kind of process is that a text begins with.
pub(super) fn backend(text: &[u8]) -> Option<usize> {
    let name = BACKENDS.iter().find(|name| text.starts_with(name))?;
    let behind = text.get(name.len());
    (!behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
        .then_some(name.len())
}

/// A field that may hold anything ends where the rest of the prefix fits.
fn free<'a>(
    escape: u8,
    pieces: &[Piece],
    line: &'a [u8],
    start: usize,
    header: Header<'a>,
    tries: &mut u32,
) -> Option<(Header<'a>, Label, usize)> {
    let window = &line[start..line.len().min(start + LONGEST_NAME)];
    let mut end = 0;
    loop {
        end += match pieces.first() {
            Some(Piece::Literal(literal)) => find(&window[end..], literal)?,
            // Nothing marks the end: every place may be it.
            _ if end < window.len() => 0,
            _ => return None,
        };
        *tries = tries.checked_sub(1)?;
        let mut found = header;
        name(escape, &line[start..start + end], &mut found);
        if let Some(read) = rest(pieces, line, start + end, found, tries) {
            return Some(read);
        }
        end += 1;
        if end > window.len() {
            return None;
        }
    }
}

/// Where a short literal stands in a short text: quicker than making a searcher for each line.
fn find(text: &[u8], literal: &[u8]) -> Option<usize> {
    let (first, rest) = literal.split_first()?;
    let mut at = 0;
    loop {
        at += memchr(*first, text.get(at..)?)?;
        if text[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}

fn name<'a>(escape: u8, text: &'a [u8], header: &mut Header<'a>) {
    let text = text.trim_ascii_end();
    let known = if text == b"[unknown]" { &b""[..] } else { text };
    match escape {
        b'u' => header.origin.user = known,
        b'd' => header.origin.database = known,
        b'a' => header.origin.application = known,
        b'h' | b'r' => header.origin.host = host(known),
        b'i' => header.tag = known,
        _ => {}
    }
}

/// The host without its port: `10.0.0.1(5432)`, `10.0.0.1:5432`.
pub(in crate::postgres) fn host(text: &[u8]) -> &[u8] {
    if let Some(open) = memchr(b'(', text) {
        return &text[..open];
    }
    match memchr::memrchr(b':', text) {
        Some(colon) if memchr(b':', text) == Some(colon) => &text[..colon],
        _ => text,
    }
}
