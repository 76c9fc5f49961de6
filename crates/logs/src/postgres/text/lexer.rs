use memchr::memchr;

use super::lists::{self, Lists};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword without quotes.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A number.
    Number,
    /// A string of any sort.
    Text,
    /// `$1`.
    Parameter,
    /// Operators and punctuation.
    Sign,
    /// A list or VALUES went on with more of the same.
    More,
}

/// Who wants a statement's tokens.
pub(super) trait Sink {
    /// The next token.
    fn token(&mut self, token: Token, bytes: &[u8]);
}

const SPACE: u8 = 1;
const WORD: u8 = 2;
const DIGIT: u8 = 4;
const OPERATOR: u8 = 8;

/// What a byte may be part of.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => SPACE,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => WORD,
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%'
            | b'^' | b'&' | b'|' | b'`' | b'?' => OPERATOR,
            _ => 0,
        };
        byte += 1;
    }
    class
};

fn class(byte: Option<&u8>) -> u8 {
    byte.map_or(0, |byte| CLASS[*byte as usize])
}

/// One token and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub token: Token,
    pub start: usize,
    pub end: usize,
    /// A string or quoted name that does not end.
    pub open: bool,
}

/// Gives a statement's tokens to `sink`: lists of values and rows of VALUES only their first
/// member, then [`Token::More`]. Says whether the text ends inside a string or comment.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) -> bool {
    let mut at = 0;
    let mut lists = Lists::default();
    let mut open = false;
    while let Some(next) = next(text, at) {
        if next.end == next.start {
            return true;
        }
        at = next.end;
        open = next.open;
        let bytes = &text[next.start..next.end];
        match (next.token, bytes) {
            (Token::Sign, b",") => {
                let (skipped, more) = lists.comma(text, at);
                at = skipped;
                if more.skipped {
                    sink.token(Token::More, b"");
                }
                if more.keep_comma {
                    sink.token(Token::Sign, b",");
                }
                continue;
            }
            (Token::Sign, b"(" | b"[") => lists.open(text, at, bytes[0]),
            (Token::Sign, b")" | b"]") => lists.close(),
            (Token::Word, word) => lists.word(word),
            _ => lists.other(),
        }
        sink.token(next.token, bytes);
    }
    open
}

/// The token behind `at`, blanks and comments skipped; an empty one when a comment does not end.
#[inline]
pub(super) fn next(text: &[u8], at: usize) -> Option<Next> {
    let start = match skip_blank(text, at) {
        Ok(start) => start,
        Err(()) => {
            return Some(Next { token: Token::Sign, start: at, end: at, open: true });
        }
    };
    let first = *text.get(start)?;
    let done = |token, end| Some(Next { token, start, end, open: false });
    match CLASS[first as usize] {
        WORD => {
            let end = word_end(text, start + 1);
            if end == start + 1 && text.get(end) == Some(&b'\'') {
                match first {
                    b'e' | b'E' => return Some(string(text, start, end, true)),
                    b'b' | b'B' | b'x' | b'X' | b'n' | b'N' => {
                        return Some(string(text, start, end, false));
                    }
                    _ => {}
                }
            }
            if end == start + 1
                && matches!(first, b'u' | b'U')
                && text.get(end) == Some(&b'&')
                && text.get(end + 1) == Some(&b'\'')
            {
                return Some(string(text, start, end + 1, false));
            }
            done(Token::Word, end)
        }
        DIGIT => done(Token::Number, number_end(text, start)),
        OPERATOR => {
            let mut end = start + 1;
            while class(text.get(end)) == OPERATOR {
                let comment = matches!(text.get(end..end + 2), Some(b"--" | b"/*"));
                // A sign in front of a number or name is its own: `=-1` is `= -1`.
                let signed = matches!(text[end], b'-' | b'+')
                    && matches!(text[end - 1], b'=' | b'<' | b'>' | b'*' | b'/' | b'+' | b'-');
                if comment || signed {
                    break;
                }
                end += 1;
            }
            done(Token::Sign, end)
        }
        _ => match first {
            b'\'' => Some(string(text, start, start, false)),
            b'"' => Some(quoted(text, start)),
            b'$' => Some(dollar(text, start)),
            b'.' if class(text.get(start + 1)) == DIGIT => {
                done(Token::Number, number_end(text, start))
            }
            b':' if matches!(text.get(start + 1), Some(b':' | b'=')) => {
                done(Token::Sign, start + 2)
            }
            _ => done(Token::Sign, start + 1),
        },
    }
}

/// Where blanks and comments end; an error when a comment does not.
#[inline]
pub(super) fn skip_blank(text: &[u8], mut at: usize) -> Result<usize, ()> {
    loop {
        while class(text.get(at)) == SPACE {
            at += 1;
        }
        match text.get(at..at + 2) {
            Some(b"--") => {
                at = memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1);
            }
            Some(b"/*") => at = comment_end(text, at + 2).ok_or(())?,
            _ => return Ok(at),
        }
    }
}

/// Comments nest.
fn comment_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1usize;
    while depth > 0 {
        at += memchr::memchr2(b'*', b'/', text.get(at..)?)?;
        match text.get(at..at + 2)? {
            b"*/" => {
                depth -= 1;
                at += 2;
            }
            b"/*" => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    Some(at)
}

#[inline]
fn word_end(text: &[u8], mut at: usize) -> usize {
    while class(text.get(at)) & (WORD | DIGIT) != 0 || text.get(at) == Some(&b'$') {
        at += 1;
    }
    at
}

fn number_end(text: &[u8], mut at: usize) -> usize {
    let mut dot = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' | b'_' | b'a'..=b'f' | b'A'..=b'F' | b'x' | b'X' | b'o' => at += 1,
            b'.' if !dot && text.get(at + 1) != Some(&b'.') => {
                dot = true;
                at += 1;
            }
            b'-' | b'+'
                if matches!(text[at - 1], b'e' | b'E') && class(text.get(at + 1)) == DIGIT =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    at
}

/// A string whose opening quote stands at `quote`.
fn string(text: &[u8], start: usize, quote: usize, escapes: bool) -> Next {
    let mut at = quote + 1;
    let found = |end, open| Next { token: Token::Text, start, end, open };
    loop {
        let Some(rest) = text.get(at..) else { return found(text.len(), true) };
        let stop = if escapes { memchr::memchr2(b'\'', b'\\', rest) } else { memchr(b'\'', rest) };
        match stop {
            None => return found(text.len(), true),
            Some(stop) if rest[stop] == b'\\' || rest.get(stop + 1) == Some(&b'\'') => {
                at += stop + 2;
            }
            Some(stop) => return found(at + stop + 1, false),
        }
    }
}

fn quoted(text: &[u8], start: usize) -> Next {
    let mut at = start + 1;
    loop {
        match memchr(b'"', &text[at..]) {
            None => return Next { token: Token::Quoted, start, end: text.len(), open: true },
            Some(stop) if text.get(at + stop + 1) == Some(&b'"') => at += stop + 2,
            Some(stop) => {
                return Next { token: Token::Quoted, start, end: at + stop + 1, open: false };
            }
        }
    }
}

/// `$1`, `$tag$…$tag$`, or a lone dollar.
fn dollar(text: &[u8], start: usize) -> Next {
    let mut at = start + 1;
    if class(text.get(at)) == DIGIT {
        while class(text.get(at)) == DIGIT {
            at += 1;
        }
        return Next { token: Token::Parameter, start, end: at, open: false };
    }
    while class(text.get(at)) & (WORD | DIGIT) != 0 {
        at += 1;
    }
    if text.get(at) != Some(&b'$') {
        return Next { token: Token::Sign, start, end: start + 1, open: false };
    }
    let tag = &text[start..=at];
    match memchr::memmem::find(&text[at + 1..], tag) {
        Some(end) => {
            let end = at + 1 + end + tag.len();
            Next { token: Token::Text, start, end, open: false }
        }
        None => Next { token: Token::Text, start, end: text.len(), open: true },
    }
}

/// Whether a token is a value by itself.
pub(super) fn is_value(token: Token, bytes: &[u8]) -> bool {
    match token {
        Token::Number | Token::Text | Token::Parameter => true,
        Token::Word => lists::is_value_word(bytes),
        _ => false,
    }
}
