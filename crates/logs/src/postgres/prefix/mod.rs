//! `log_line_prefix`: read from its text, matched against lines, and found out from a log.

mod infer;
mod matching;

use marula_core::{Error, ErrorKind, Result};

pub(super) use infer::{infer, share_of};
pub(super) use matching::host;

/// What stands at a place of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This text.
    Literal(Vec<u8>),
    /// An escape, and whether it is padded with blanks.
    Field(u8, bool),
    /// `%q`: processes without a session stop here.
    Optional,
}

/// A `log_line_prefix`.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    /// As the setting is written.
    pub text: String,
    pieces: Vec<Piece>,
}

/// The escapes, in PostgreSQL 18. `%` itself is apart.
const ESCAPES: &[u8] = b"abcdehilmnpPqQrstuvxL";

impl Prefix {
    /// Reads the setting.
    ///
    /// # Errors
    /// `Usage` when it holds an escape that does not exist.
    pub fn parse(text: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                literal.push(byte);
                continue;
            }
            let mut padded = false;
            while let Some(pad) = bytes.next_if(|b| *b == b'-' || b.is_ascii_digit()) {
                padded |= pad != b'-';
            }
            match bytes.next() {
                Some(b'%') => literal.push(b'%'),
                Some(escape) if ESCAPES.contains(&escape) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(match escape {
                        b'q' => Piece::Optional,
                        escape => Piece::Field(escape, padded),
                    });
                }
                other => {
                    let escape = other.map(|b| char::from(b).to_string()).unwrap_or_default();
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("`%{escape}` is no escape of log_line_prefix"),
                    )
                    .at("--prefix")
                    .hint("give the setting as `SHOW log_line_prefix` prints it"));
                }
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Prefix { text: text.to_owned(), pieces })
    }
}

#[cfg(test)]
mod tests;
