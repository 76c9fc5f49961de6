//! What form a file has, from its beginning.

use super::Form;
use super::csv::{Dialect, Row, Rows};

/// So much of a file is looked at.
pub const LOOK: usize = 64 << 10;

/// What a file's name and first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// JSON documents in an array, or one after another.
    Json,
    /// A JSON document on each line.
    JsonLines,
    /// BSON documents.
    Bson,
    /// Rows of fields.
    Csv(Dialect),
    /// Text of two bytes a letter.
    Utf16,
    /// Rows that nothing but a carriage return ends.
    Returns,
}

impl Sniffed {
    /// The form's name.
    pub fn form(self) -> Form {
        match self {
            Sniffed::Json => Form::Json,
            Sniffed::JsonLines => Form::JsonLines,
            Sniffed::Bson => Form::Bson,
            Sniffed::Csv(_) | Sniffed::Utf16 | Sniffed::Returns => Form::Csv,
        }
    }
}

/// What a file is, by its name (without `.gz`) and the first bytes of its content.
pub fn sniff(name: &str, start: &[u8]) -> Sniffed {
    if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
        return Sniffed::Utf16;
    }
    let name = name.to_ascii_lowercase();
    if name.ends_with(".bson") || is_bson(start) {
        return Sniffed::Bson;
    }
    let content = start.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(start.len());
    let rest = start.get(content..).unwrap_or_default();
    let table = name.ends_with(".csv") || name.ends_with(".tsv") || name.ends_with(".txt");
    match rest.first() {
        Some(b'[') if !table => Sniffed::Json,
        Some(b'{') if !table => {
            if lines(rest) {
                Sniffed::JsonLines
            } else {
                Sniffed::Json
            }
        }
        _ if name.ends_with(".json") => Sniffed::Json,
        _ if name.ends_with(".jsonl") || name.ends_with(".ndjson") => Sniffed::JsonLines,
        _ if returns(start) => Sniffed::Returns,
        _ => Sniffed::Csv(dialect(start, name.ends_with(".tsv").then_some(b'\t'))),
    }
}

/// A length, and where it says the end is, the end.
fn is_bson(start: &[u8]) -> bool {
    let Some(length) = start.first_chunk::<4>() else { return false };
    let length = i32::from_le_bytes(*length);
    let Ok(length) = usize::try_from(length) else { return false };
    // The length's bytes of what is shorter than 16 MB hold a zero: no text begins so.
    (5..=super::records::LONGEST).contains(&length)
        && start.get(3) == Some(&0)
        && start.get(length - 1).is_none_or(|end| *end == 0)
}

/// Whether lines end in a carriage return alone.
fn returns(start: &[u8]) -> bool {
    let text = start.trim_ascii();
    text.contains(&b'\r') && !text.contains(&b'\n')
}

/// Whether most lines begin as documents and end as such.
fn lines(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    // The last line may be cut by how much is looked at.
    let whole: Vec<&[u8]> = lines.by_ref().filter(|line| !line.is_empty()).take(20).collect();
    let documents = whole.iter().filter(|line| line.starts_with(b"{")).count();
    let closed = whole.iter().filter(|line| line.starts_with(b"{") && line.ends_with(b"}")).count();
    match whole.len() {
        1 => closed == 1 && !start.trim_ascii().windows(2).any(|pair| pair == b"}{"),
        some => documents * 10 >= some * 8 && closed * 2 >= some,
    }
}

/// The delimiter that cuts the first rows into equally many fields, and whether names come first.
pub fn dialect(start: &[u8], given: Option<u8>) -> Dialect {
    let delimiter = given.unwrap_or_else(|| {
        let mut best = (0, b',');
        for candidate in [b',', b'\t', b';', b'|'] {
            let rows = first_rows(start, candidate);
            let columns = rows.first().map_or(0, Vec::len);
            let alike = rows.iter().filter(|row| row.len() == columns).count();
            let score = match columns {
                0 | 1 => 0,
                some => alike * 1000 / rows.len().max(1) * 100 + some.min(99),
            };
            if score > best.0 {
                best = (score, candidate);
            }
        }
        best.1
    });
    Dialect { delimiter, header: has_header(&first_rows(start, delimiter)) }
}

fn first_rows(start: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut rows = Rows::new(start, delimiter);
    let mut row = Row::default();
    let mut out = Vec::new();
    while out.len() < 100 && rows.next(&mut row).unwrap_or(false) {
        if !row.cut && !row.bytes.is_empty() {
            out.push(
                row.fields().map(|(field, _)| String::from_utf8_lossy(field).into()).collect(),
            );
        }
    }
    // Where more follows than is looked at, the last one may be cut in the middle.
    if start.len() >= LOOK && out.len() > 1 {
        out.pop();
    }
    out
}

/// Names are different texts, none of which is a number or also a value below.
fn has_header(rows: &[Vec<String>]) -> bool {
    let Some((first, rest)) = rows.split_first() else { return true };
    let value = |field: &String| {
        let field = field.trim();
        field.parse::<f64>().is_ok()
            || field.get(..4).is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let named = first.iter().all(|field| !value(field));
    let again = |at: usize, name: &String| {
        !name.is_empty() && rest.iter().any(|row| row.get(at).is_some_and(|field| field == name))
    };
    named
        && first.iter().any(|field| !field.trim().is_empty())
        && !first.iter().enumerate().any(|(at, name)| again(at, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_known_by_their_beginning() {
        let csv = |delimiter, header| Sniffed::Csv(Dialect { delimiter, header });
        for (name, text, expected) in [
            ("a", "[{\"a\":1}]", Sniffed::Json),
            ("a", "{\n \"a\": 1\n}\n", Sniffed::Json),
            ("a", "{\"a\":1}\n{\"a\":2}\n", Sniffed::JsonLines),
            ("a", "{\"a\":1}{\"a\":2}", Sniffed::Json),
            ("a", "{\"a\":1}\n{\"a\":\n{\"a\":3}\n", Sniffed::JsonLines),
            ("a.csv", "a,b\n1,2\n", csv(b',', true)),
            ("a.csv", "1,2\n3,4\n", csv(b',', false)),
            ("a", "a;b\n\"1;2\";2\n", csv(b';', true)),
            ("a", "a\tb, c\n1\t2\n", csv(b'\t', true)),
            ("a", "a|b|c\n1|2|x,y\n", csv(b'|', true)),
            ("a.csv", "name\nx\n", csv(b',', true)),
            ("a.csv", "x,y\nx,z\n", csv(b',', false)),
            ("a.csv", "", csv(b',', true)),
            ("a.csv", "a,b\r\n", csv(b',', true)),
            ("a.csv", "a,b\r1,2\r", Sniffed::Returns),
        ] {
            assert_eq!(sniff(name, text.as_bytes()), expected, "{name}: {text}");
        }
        assert_eq!(sniff("a", &[5, 0, 0, 0, 0]), Sniffed::Bson);
        assert_eq!(sniff("a", &[0xFF, 0xFE, b'a', 0]), Sniffed::Utf16);
    }
}
