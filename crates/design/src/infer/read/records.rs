//! Cutting a stream into JSON documents, whatever stands between them.

use std::io::BufRead;

use marula_core::Result;

/// Longer records are not held.
pub const LONGEST: usize = 32 << 20;
/// So often reading is taken up again behind a document that does not end.
const ATTEMPTS: u32 = 100;

/// One document's bytes.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// The line it begins on, from 1.
    pub line: u64,
    /// How many characters stand before it on that line.
    pub column: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether all of it is there.
    pub end: End,
}

/// How a document ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// With the file.
    Cut,
    /// Later than can be held.
    TooLong,
}

/// Cuts a file on whose lines documents stand.
pub fn line(reader: &mut impl BufRead, number: &mut u64) -> Result<Option<Record>> {
    let mut record = Record { line: *number + 1, column: 0, bytes: Vec::new(), end: End::Whole };
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any.then_some(record));
        }
        if !any {
            *number += 1;
        }
        any = true;
        let end = memchr(buffer);
        let taken = end.unwrap_or(buffer.len());
        if record.bytes.len() + taken > LONGEST {
            record.end = End::TooLong;
            record.bytes.clear();
        }
        if record.end == End::Whole {
            record.bytes.extend_from_slice(buffer.get(..taken).unwrap_or_default());
        }
        let used = end.map_or(taken, |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(record));
        }
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// Cuts an array's elements, or documents that stand one after another over any number of lines.
pub struct Records<R> {
    reader: R,
    line: u64,
    column: usize,
    again: Vec<u8>,
    again_at: usize,
    attempts: u32,
    /// The line on which an array began that has not ended.
    pub array: Option<u64>,
}

impl<R: BufRead> Records<R> {
    /// Over a stream.
    pub fn new(reader: R) -> Self {
        Records {
            reader,
            line: 1,
            column: 0,
            again: Vec::new(),
            again_at: 0,
            attempts: 0,
            array: None,
        }
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        if let Some(byte) = self.again.get(self.again_at) {
            return Ok(Some(*byte));
        }
        Ok(self.reader.fill_buf()?.first().copied())
    }

    fn advance(&mut self, byte: u8) {
        if self.again_at < self.again.len() {
            self.again_at += 1;
            if self.again_at == self.again.len() {
                self.again = Vec::new();
                self.again_at = 0;
            }
        } else {
            self.reader.consume(1);
        }
        // What goes on with a character is none of its own.
        self.column += usize::from(byte & 0xC0 != 0x80);
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        }
    }

    /// The next document.
    pub fn next(&mut self) -> Result<Option<Record>> {
        while let Some(byte) = self.peek()? {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
                b'[' if self.array.is_none() => self.array = Some(self.line),
                b']' if self.array.is_some() => self.array = None,
                b'{' | b'[' => return self.nested().map(Some),
                _ => return self.bare().map(Some),
            }
            self.advance(byte);
        }
        Ok(None)
    }

    /// A document in brackets.
    fn nested(&mut self) -> Result<Record> {
        let (line, column) = (self.line, self.column);
        let mut record = Record { line, column, bytes: Vec::new(), end: End::Whole };
        let (mut open, mut text, mut escaped) = (0_u64, false, false);
        while let Some(byte) = self.peek()? {
            self.advance(byte);
            if record.bytes.len() >= LONGEST {
                record.end = End::TooLong;
                record.bytes.clear();
            }
            if record.end == End::Whole {
                record.bytes.push(byte);
            }
            if text {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    // No text goes over a line's end: one that does would swallow the rest.
                    b'"' | b'\n' => text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => text = true,
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(record);
                    }
                }
                _ => {}
            }
        }
        if record.end == End::Whole {
            record.end = End::Cut;
            self.take_up(&mut record, column);
        }
        Ok(record)
    }

    /// Goes on at the next line that begins as the cut document's did.
    fn take_up(&mut self, record: &mut Record, column: usize) {
        self.attempts += 1;
        if self.attempts > ATTEMPTS {
            return;
        }
        let mut line = record.line;
        for at in
            record.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at)
        {
            line += 1;
            let rest = record.bytes.get(at + 1..).unwrap_or_default();
            let indent = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if indent == column && rest.get(indent) == Some(&b'{') {
                self.again = record.bytes.split_off(at + 1);
                self.again_at = 0;
                self.line = line;
                self.column = 0;
                return;
            }
        }
    }

    /// Something that is no document, up to where the next may begin.
    fn bare(&mut self) -> Result<Record> {
        let (line, column) = (self.line, self.column);
        let mut record = Record { line, column, bytes: Vec::new(), end: End::Whole };
        let mut text = false;
        while let Some(byte) = self.peek()? {
            let ends = matches!(byte, b'{' | b'[' | b']' | b',' | b' ' | b'\t' | b'\r');
            if byte == b'\n' || (ends && !text && !record.bytes.is_empty()) {
                break;
            }
            if byte == b'"' {
                text = !text;
            }
            self.advance(byte);
            if record.bytes.len() < LONGEST {
                record.bytes.push(byte);
            }
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cut(text: &str) -> Vec<(u64, String, End)> {
        let mut records = Records::new(text.as_bytes());
        let mut out = Vec::new();
        while let Some(record) = records.next().unwrap() {
            out.push((record.line, String::from_utf8(record.bytes).unwrap(), record.end));
        }
        out
    }

    #[test]
    fn documents_are_cut_out_of_arrays_and_rows() {
        let whole = |line, text: &str| (line, text.to_string(), End::Whole);
        assert_eq!(
            cut("[{\"a\":\"}\\\"\"},\n {\"a\":[1]} , 3]"),
            [whole(1, "{\"a\":\"}\\\"\"}"), whole(2, "{\"a\":[1]}"), whole(2, "3")]
        );
        assert_eq!(
            cut("{\"a\":\n1}\n{}{}"),
            [whole(1, "{\"a\":\n1}"), whole(3, "{}"), whole(3, "{}")]
        );
        assert!(cut(" \n").is_empty());
    }

    #[test]
    fn what_is_cut_off_does_not_swallow_what_follows() {
        let found = cut("[\n {\"a\":1},\n {\"a\":\n   {\"b\": 1,\n {\"a\":3}\n]");
        let shown: Vec<(u64, End)> = found.iter().map(|(line, _, end)| (*line, *end)).collect();
        assert_eq!(shown, [(2, End::Whole), (3, End::Cut), (5, End::Whole)]);
        assert_eq!(cut("{\"a\"").len(), 1);
    }
}
