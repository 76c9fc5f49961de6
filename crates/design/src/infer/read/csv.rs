//! Rows of fields: RFC 4180 with any delimiter, as spreadsheets and COPY write them.

use std::io::BufRead;

use marula_core::Result;

use super::builder::Shredder;
use super::records::LONGEST;
use super::{Limits, Read, SourceRead, What};
use crate::infer::column::Kind;

/// How a file of rows is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Whether the first row holds names.
    pub header: bool,
}

/// One row: its fields one after another, and where each ends.
#[derive(Debug, Default)]
pub struct Row {
    /// The line it begins on.
    pub line: u64,
    /// The line it ends on.
    pub last: u64,
    /// The fields' bytes.
    pub bytes: Vec<u8>,
    /// Where each ends, and whether it was quoted.
    pub ends: Vec<(usize, bool)>,
    /// Whether a quoted field did not end.
    pub cut: bool,
    /// Whether it is longer than can be held.
    pub long: bool,
}

impl Row {
    /// The fields' bytes, and whether each was quoted.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, quoted)| {
            let field = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (field, *quoted)
        })
    }

    fn clear(&mut self, line: u64) {
        self.line = line;
        self.last = line;
        self.bytes.clear();
        self.ends.clear();
        self.cut = false;
        self.long = false;
    }
}

/// Cuts a stream into rows.
pub struct Rows<R> {
    reader: R,
    delimiter: u8,
    line: u64,
    again: Vec<u8>,
    again_at: usize,
}

impl<R: BufRead> Rows<R> {
    /// Over a stream without a byte order mark.
    pub fn new(reader: R, delimiter: u8) -> Self {
        Rows { reader, delimiter, line: 1, again: Vec::new(), again_at: 0 }
    }

    fn take(&mut self) -> Result<Option<u8>> {
        if let Some(byte) = self.again.get(self.again_at) {
            self.again_at += 1;
            return Ok(Some(*byte));
        }
        let Some(byte) = self.reader.fill_buf()?.first().copied() else { return Ok(None) };
        self.reader.consume(1);
        Ok(Some(byte))
    }

    /// Takes what needs no thought: a field's bytes up to its end, as far as they are at hand.
    fn plain(&mut self, row: &mut Row) -> Result<bool> {
        if self.again_at < self.again.len() {
            return Ok(false);
        }
        let delimiter = self.delimiter;
        let buffer = self.reader.fill_buf()?;
        let end = buffer
            .iter()
            .position(|byte| *byte == delimiter || *byte == b'\n' || *byte == b'"')
            .unwrap_or(buffer.len())
            .min(LONGEST.saturating_sub(row.bytes.len()));
        row.bytes.extend_from_slice(&buffer[..end]);
        self.reader.consume(end);
        Ok(end > 0)
    }

    /// Reads the next row into `row`; `false` at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool> {
        row.clear(self.line);
        // What a quoted field swallowed, to be given back when it does not end.
        let mut swallowed: Vec<u8> = Vec::new();
        let (mut quoted, mut open, mut any) = (false, false, false);
        let mut after_line = 0;
        loop {
            if !open && !quoted && !row.long {
                any |= self.plain(row)?;
            }
            let Some(byte) = self.take()? else {
                if open {
                    row.cut = true;
                    if after_line > 0 && swallowed.len() < LONGEST {
                        self.again = swallowed.split_off(after_line);
                        self.again_at = 0;
                        self.line = row.line + 1;
                    }
                    return Ok(true);
                }
                if any {
                    row.ends.push((row.bytes.len(), quoted));
                }
                return Ok(any);
            };
            any = true;
            if open || quoted {
                if swallowed.len() < LONGEST {
                    swallowed.push(byte);
                }
                if byte == b'\n' && after_line == 0 {
                    after_line = swallowed.len();
                }
            }
            row.last = self.line;
            if byte == b'\n' {
                self.line += 1;
            }
            if open {
                match byte {
                    b'"' => open = false,
                    _ => push(row, byte),
                }
                continue;
            }
            let started = row.bytes.len() > row.ends.last().map_or(0, |(end, _)| *end);
            match byte {
                b'"' if !quoted && !started => {
                    (quoted, open) = (true, true);
                }
                // A quote behind a quote that ended a field stands for one, and the field goes on.
                b'"' if quoted && swallowed.len() > 1 && swallowed[swallowed.len() - 2] == b'"' => {
                    push(row, b'"');
                    open = true;
                }
                b'\n' => {
                    if !quoted && row.bytes.len() > row.ends.last().map_or(0, |(end, _)| *end) {
                        strip_return(row);
                    }
                    row.ends.push((row.bytes.len(), quoted));
                    return Ok(true);
                }
                b'\r' if quoted => {}
                byte if byte == self.delimiter => {
                    row.ends.push((row.bytes.len(), quoted));
                    quoted = false;
                }
                byte => push(row, byte),
            }
        }
    }
}

fn push(row: &mut Row, byte: u8) {
    if row.bytes.len() >= LONGEST {
        row.long = true;
    } else {
        row.bytes.push(byte);
    }
}

fn strip_return(row: &mut Row) {
    if row.bytes.last() == Some(&b'\r') {
        row.bytes.pop();
    }
}

/// Reads all rows. A field without quotes that is empty or `\N` is no value.
pub fn read(
    reader: impl BufRead,
    mut source: SourceRead,
    table: &str,
    dialect: Dialect,
    limits: Limits,
) -> Result<Read> {
    let mut rows = Rows::new(reader, dialect.delimiter);
    let mut shredder = Shredder::new(table, limits);
    let mut row = Row::default();
    let mut names: Vec<String> = Vec::new();
    while rows.next(&mut row)? {
        let blank =
            row.bytes.is_empty() && row.ends.len() <= 1 && !row.ends.iter().any(|end| end.1);
        if blank && names.len() != 1 {
            continue;
        }
        if names.is_empty() {
            names = header(&row, dialect, &mut source);
            shredder.columns(&names);
            if dialect.header {
                continue;
            }
        }
        source.read += 1;
        if let Some((what, detail)) = wrong(&row, names.len()) {
            source.trouble(what, row.line, detail);
            source.set_aside += 1;
            continue;
        }
        let values = row.fields().map(|(field, quoted)| {
            let text = std::str::from_utf8(field).unwrap_or_default();
            (quoted || !(text.is_empty() || text == "\\N")).then_some((Kind::Text, text))
        });
        match shredder.row(values, row.line) {
            true => source.kept += 1,
            false => source.beyond += 1,
        }
    }
    let tables = shredder.finish(&mut source);
    Ok(Read { tables, source })
}

fn wrong(row: &Row, columns: usize) -> Option<(What, String)> {
    if row.long {
        return Some((What::TooLong, format!("more than {} MB", LONGEST >> 20)));
    }
    if row.cut {
        return Some((What::CutOff, "a quoted field does not end".into()));
    }
    if row.ends.len() != columns {
        let mut detail = format!("{} fields, the header has {columns}", row.ends.len());
        if row.last > row.line {
            detail.push_str(&format!("; its quotes hold the lines up to {}", row.last));
        }
        return Some((What::Ragged, detail));
    }
    let text = |field: &[u8]| std::str::from_utf8(field).is_ok() && !field.contains(&0);
    let (at, (field, _)) = row.fields().enumerate().find(|(_, (field, _))| !text(field))?;
    let zero = if field.contains(&0) { " holds a zero byte" } else { "" };
    Some((What::NotUtf8, format!("field {}{zero}", at + 1)))
}

fn header(row: &Row, dialect: Dialect, source: &mut SourceRead) -> Vec<String> {
    let given: Vec<String> = match dialect.header {
        true => {
            row.fields().map(|(field, _)| String::from_utf8_lossy(field).trim().into()).collect()
        }
        false => vec![String::new(); row.ends.len()],
    };
    let mut names: Vec<String> = Vec::new();
    for (at, name) in given.into_iter().enumerate() {
        let mut name = if name.is_empty() { format!("column_{}", at + 1) } else { name };
        if names.contains(&name) {
            source.trouble(What::DuplicateName, row.line, format!("{name} in the header"));
            name = format!("{name}_{}", at + 1);
            while names.contains(&name) {
                name.push('_');
            }
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>, bool)> {
        let mut rows = Rows::new(text.as_bytes(), b',');
        let mut row = Row::default();
        let mut out = Vec::new();
        while rows.next(&mut row).unwrap() {
            let fields = row.fields().map(|(field, _)| String::from_utf8_lossy(field).into_owned());
            out.push((row.line, fields.collect(), row.cut));
        }
        out
    }

    fn plain(text: &str) -> Vec<Vec<String>> {
        rows(text).into_iter().map(|(_, fields, _)| fields).collect()
    }

    #[test]
    fn fields_are_cut_as_they_were_quoted() {
        assert_eq!(
            plain("a,b\r\n1,\"x,\"\"y\"\"\n2\"\n"),
            [vec!["a", "b"], vec!["1", "x,\"y\"\n2"]]
        );
        assert_eq!(plain("a,,\n,"), [vec!["a", "", ""], vec!["", ""]]);
        assert_eq!(plain("\"\",\"\"\"\"\n"), [vec!["", "\""]]);
        assert_eq!(plain("a\"b,\"c\"d\n"), [vec!["a\"b", "cd"]]);
        assert_eq!(plain("\"a\"\r\n\"b\""), [vec!["a"], vec!["b"]]);
    }

    #[test]
    fn a_quote_that_does_not_end_swallows_its_row_alone() {
        let found = rows("a,b\n1,\"x\n2,y\n3,z\n");
        let lines: Vec<(u64, bool)> = found.iter().map(|(line, _, cut)| (*line, *cut)).collect();
        assert_eq!(lines, [(1, false), (2, true), (3, false), (4, false)]);
        assert_eq!(found[3].1, ["3", "z"]);
    }
}
