//! A walk over JSON, or over the JSON-like syntax of text logs, without building anything.
//!
//! It trusts its input no more than it must: what is not what it should be ends the walk early
//! or is passed over, and nothing is read beyond the bytes.

mod number;

pub(super) use number::{number, number_of};

/// How documents are written.
pub(super) trait Syntax {
    /// Whether it is the syntax of text logs: keys without quotes, quotes inside of strings left
    /// as they are, `ObjectId('…')`, `new Date(…)`.
    const TEXT: bool;
}

/// JSON, as 4.4 and newer write it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json;
/// The syntax of text logs up to 4.2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text;

impl Syntax for Json {
    const TEXT: bool = false;
}
impl Syntax for Text {
    const TEXT: bool = true;
}

/// A place in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a, S> {
    bytes: &'a [u8],
    at: usize,
    open: usize,
    syntax: std::marker::PhantomData<S>,
}

impl<'a, S: Syntax + Copy> Cursor<'a, S> {
    pub(super) fn new(bytes: &'a [u8], syntax: S) -> Self {
        let _ = syntax;
        Cursor { bytes, at: 0, open: 0, syntax: std::marker::PhantomData }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Steps over so many bytes.
    pub(super) fn forward(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.bytes.len());
    }

    /// What has not been walked over.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What has been walked over.
    pub(super) fn walked(&self) -> &'a [u8] {
        self.bytes.get(..self.at).unwrap_or_default()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no space; 0 at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Steps over `byte` if it is what comes next.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte && self.at < self.bytes.len();
        self.at += usize::from(found);
        found
    }

    /// The next key of the object that the cursor is in, with the colon walked over; `None` when
    /// the object, or the input, ends.
    #[inline]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        self.eat(b',');
        let key = match self.peek() {
            b'"' if !S::TEXT => self.string(),
            b'}' => {
                self.at += 1;
                return None;
            }
            0 => return None,
            _ if S::TEXT => {
                let rest = self.rest();
                let end = memchr::memchr(b':', rest)?;
                self.at += end;
                rest.get(..end)?
            }
            _ => {
                self.at = self.bytes.len();
                return None;
            }
        };
        if self.eat(b':') {
            return Some(key);
        }
        self.at = self.bytes.len();
        None
    }

    /// Whether the array that the cursor is in has another item; steps over its end.
    #[inline]
    pub(super) fn item(&mut self) -> bool {
        self.eat(b',');
        match self.peek() {
            b']' => {
                self.at += 1;
                false
            }
            // A brace that closes more than was opened: the input is broken.
            0 | b'}' => {
                self.at = self.bytes.len();
                false
            }
            _ => true,
        }
    }

    /// Whether the input ended before what the cursor was in.
    pub(super) fn ended(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The string that comes next, between its quotes, escapes as they are.
    #[inline]
    pub(super) fn string(&mut self) -> &'a [u8] {
        if !self.eat(b'"') {
            return self.skip();
        }
        let start = self.at;
        let end = if S::TEXT { self.text_end(start) } else { self.json_end(start) };
        self.at = (end + 1).min(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }

    #[inline]
    fn json_end(&self, start: usize) -> usize {
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'"' => return at,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    /// Text logs do not escape quotes: the one that ends a string has something after it that
    /// goes on with the document.
    fn text_end(&self, start: usize) -> usize {
        let mut from = start;
        while let Some(found) = self.bytes.get(from..).and_then(|rest| memchr::memchr(b'"', rest)) {
            let end = from + found;
            match self.bytes.get(end + 1..).unwrap_or_default() {
                [] | [b',', b' ', ..] | [b' ', b'}' | b']', ..] | [b')' | b'}' | b']', ..] => {
                    return end;
                }
                _ => from = end + 1,
            }
        }
        self.bytes.len()
    }

    /// Anything but a string, an object or an array: a number, a word, `ObjectId('…')`.
    #[inline]
    pub(super) fn scalar(&mut self) -> &'a [u8] {
        self.peek();
        let start = self.at;
        if S::TEXT {
            self.at = self.text_scalar_end(start);
        } else {
            while let Some(byte) = self.byte() {
                if matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
                    break;
                }
                self.at += 1;
            }
        }
        if self.at == start {
            // Not a value at all: never stand still.
            self.at = (start + 1).min(self.bytes.len());
        }
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    fn text_scalar_end(&self, start: usize) -> usize {
        let mut at = start;
        // A regular expression may hold anything; its end is a slash.
        if self.bytes.get(at) == Some(&b'/') {
            at += 1;
            while let Some(&byte) = self.bytes.get(at) {
                at += 1 + usize::from(byte == b'\\');
                if byte == b'/' {
                    break;
                }
            }
        }
        let mut open = 0usize;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'(' | b'{' => open += 1,
                b')' => open = open.saturating_sub(1),
                b'}' if open > 0 => open -= 1,
                b',' if open == 0 => break,
                b' ' if open == 0 && matches!(self.bytes.get(at + 1), None | Some(b'}' | b']')) => {
                    break;
                }
                // `new Date(…)`.
                b' ' if open == 0 && !self.bytes[start..at].ends_with(b"new") => break,
                b'}' | b']' if open == 0 => break,
                _ => {}
            }
            at += 1;
        }
        at.min(self.bytes.len())
    }

    /// The value that comes next, whole, walked over.
    #[inline]
    pub(super) fn skip(&mut self) -> &'a [u8] {
        let first = self.peek();
        let start = self.at;
        match first {
            b'"' => {
                self.string();
            }
            b'{' | b'[' => self.skip_nested(),
            _ => {
                self.scalar();
            }
        }
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Whether the value last walked over was not closed before the input ended.
    pub(super) fn open(&self) -> bool {
        self.open > 0
    }

    fn skip_nested(&mut self) {
        let mut open = 0usize;
        self.open = 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        self.at += 1;
                        self.open = 0;
                        return;
                    }
                }
                b'/' if S::TEXT && self.bytes.get(..self.at).is_some_and(begins_value) => {
                    self.scalar();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// Whether a value begins after these bytes.
fn begins_value(before: &[u8]) -> bool {
    before.ends_with(b": ") || before.ends_with(b"[ ") || before.ends_with(b", ")
}
