//! JSON, read by hand: serde's reader forgets fields that stand twice, the places of mistakes, and
//! how a number was written.

use super::document::{DEPTH, Node, moment};
use crate::infer::column::Kind;

/// What was unusual in a document that could be read.
#[derive(Debug, Default)]
pub struct Seen {
    /// A field that stood twice: its path.
    pub twice: Option<String>,
    /// A part that was too deep to be taken apart: its path.
    pub deep: Option<String>,
    /// Characters that stand for others, which no text of PostgreSQL holds.
    pub replaced: Option<Replaced>,
}

/// Characters of a document that were replaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The byte of the first in the text.
    pub at: usize,
    /// What and where the first was.
    pub what: String,
    /// How many there were.
    pub count: u64,
}

impl Seen {
    /// One more character that was replaced.
    pub fn replace(&mut self, at: usize, what: impl FnOnce() -> String) {
        match &mut self.replaced {
            Some(known) => known.count += 1,
            None => self.replaced = Some(Replaced { at, what: what(), count: 1 }),
        }
    }
}

impl Replaced {
    /// The first, and how many more.
    pub fn words(&self) -> String {
        match self.count {
            1 => self.what.clone(),
            many => format!("{}; {many} in all", self.what),
        }
    }
}

/// What is wrong with a document, and at which byte.
#[derive(Debug)]
pub struct Wrong {
    /// The byte in the text.
    pub at: usize,
    /// What is there.
    pub what: String,
    /// Whether the text ended too early.
    pub cut: bool,
}

/// Reads one document. Extended JSON (`{"$oid": "…"}`) is understood.
pub fn parse(text: &str, seen: &mut Seen) -> Result<Node, Wrong> {
    let mut reader = Reader { text, at: 0, path: Vec::new(), seen };
    reader.space();
    let node = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.wrong("something stands behind the document's end")),
    }
}

struct Reader<'t, 's> {
    text: &'t str,
    at: usize,
    path: Vec<String>,
    seen: &'s mut Seen,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong(&self, what: &str) -> Wrong {
        let cut = self.at >= self.text.len();
        let what = if cut { "the text ends here".to_string() } else { what.to_string() };
        Wrong { at: self.at.min(self.text.len()), what, cut }
    }

    fn value(&mut self) -> Result<Node, Wrong> {
        match self.peek() {
            Some(b'{' | b'[') if self.path.len() >= DEPTH => self.unread(),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Node::Value(Kind::Text, self.string(false)?)),
            Some(b't') => self.word("true", Node::Value(Kind::Boolean, "true".into())),
            Some(b'f') => self.word("false", Node::Value(Kind::Boolean, "false".into())),
            Some(b'n') => self.word("null", Node::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("a value is missing here")),
        }
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, Wrong> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let same = rest.iter().zip(word.as_bytes()).take_while(|(a, b)| a == b).count();
        self.at += same;
        if same == word.len() { Ok(node) } else { Err(self.wrong("this is no value")) }
    }

    fn number(&mut self) -> Result<Node, Wrong> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        self.digits()?;
        if self.at - first > 1 && self.text.as_bytes().get(first) == Some(&b'0') {
            self.at = first + 1;
            return Err(self.wrong("a number does not begin with 0"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Node::Value(Kind::Number, self.text.get(start..self.at).unwrap_or_default().into()))
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.wrong("a digit is missing here")) }
    }

    fn string(&mut self, is_name: bool) -> Result<String, Wrong> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    let before = self.at;
                    match self.escape()? {
                        Ok(letter) => out.push(letter),
                        Err(what) => {
                            out.push(char::REPLACEMENT_CHARACTER);
                            let path = self.path.join(".");
                            self.seen.replace(before, || match (is_name, path.as_str()) {
                                (true, "") => format!("{what} in a field's name"),
                                (true, path) => format!("{what} in the name of a field of {path}"),
                                (false, path) => format!("{path}: {what}"),
                            });
                        }
                    }
                }
                _ => return Err(self.wrong("a text does not end on its line")),
            }
        }
    }

    /// The letter, or what stands there that is none PostgreSQL holds.
    fn escape(&mut self) -> Result<Result<char, &'static str>, Wrong> {
        self.at += 1;
        let letter = match self.peek() {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.wrong("this cannot stand behind a backslash")),
        };
        self.at += 1;
        Ok(Ok(letter))
    }

    fn unicode(&mut self) -> Result<Result<char, &'static str>, Wrong> {
        const HALF: &str = "half a character (a lone surrogate)";
        let high = self.hexadecimal()?;
        let pair = self.text.as_bytes().get(self.at..self.at + 2) == Some(b"\\u".as_slice());
        if (0xD800..0xDC00).contains(&high) && pair {
            let before = self.at;
            self.at += 2;
            let low = self.hexadecimal()?;
            if (0xDC00..0xE000).contains(&low) {
                let letter = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(letter).ok_or(HALF));
            }
            self.at = before;
        }
        Ok(match high {
            0 => Err("a zero character"),
            other => char::from_u32(other).ok_or(HALF),
        })
    }

    fn hexadecimal(&mut self) -> Result<u32, Wrong> {
        let digits = self.text.get(self.at..self.at + 4);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                self.at += 4;
                Ok(number)
            }
            None => {
                if self.at + 4 > self.text.len() {
                    self.at = self.text.len();
                }
                Err(self.wrong("four hexadecimal digits are missing here"))
            }
        }
    }

    fn object(&mut self) -> Result<Node, Wrong> {
        self.at += 1;
        let mut fields: Vec<(String, Node)> = Vec::new();
        let mut names = rustc_hash::FxHashMap::default();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Object(fields));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a field's name in quotes is missing here"));
            }
            let name = self.string(true)?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.wrong("a colon is missing here"));
            }
            self.at += 1;
            self.space();
            self.path.push(name.clone());
            let value = self.value()?;
            match names.get(&name).copied() {
                Some(at) => {
                    if self.seen.twice.is_none() {
                        self.seen.twice = Some(self.path.join("."));
                    }
                    if let Some(field) = fields.get_mut::<usize>(at) {
                        field.1 = value;
                    }
                }
                None => {
                    names.insert(name.clone(), fields.len());
                    fields.push((name, value));
                }
            }
            self.path.pop();
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(extended(fields));
                }
                _ => return Err(self.wrong("a comma or the object's end is missing here")),
            }
        }
    }

    fn array(&mut self) -> Result<Node, Wrong> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::Array(items));
        }
        self.path.push("[]".into());
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    self.path.pop();
                    return Ok(Node::Array(items));
                }
                _ => return Err(self.wrong("a comma or the array's end is missing here")),
            }
        }
    }

    /// Takes an object or array as it is, without going down.
    fn unread(&mut self) -> Result<Node, Wrong> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'{' | b'[') => open += 1,
                Some(b'}' | b']') => open -= 1,
                Some(b'"') => {
                    self.string(false)?;
                    continue;
                }
                None => return Err(self.wrong("")),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        if self.seen.deep.is_none() {
            let shown: Vec<&str> = self.path.iter().take(4).map(String::as_str).collect();
            self.seen.deep = Some(format!("{}…", shown.join(".")));
        }
        Ok(Node::Value(Kind::Json, self.text.get(start..self.at).unwrap_or_default().into()))
    }
}

/// A value that Extended JSON writes as an object.
fn extended(fields: Vec<(String, Node)>) -> Node {
    let [(name, Node::Value(inner, text))] = fields.as_slice() else { return Node::Object(fields) };
    let kind = match name.as_str() {
        "$oid" => Kind::ObjectId,
        "$uuid" => Kind::Uuid,
        "$numberLong" | "$numberInt" | "$numberDouble" | "$numberDecimal" => Kind::Number,
        "$date" => {
            // In its exact form the moment is a number of milliseconds, itself written as a field.
            let ms = text.parse::<i64>().ok().filter(|_| *inner == Kind::Number);
            return Node::Value(Kind::Moment, ms.map_or_else(|| text.clone(), moment));
        }
        _ => return Node::Object(fields),
    };
    Node::Value(kind, text.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Node, Wrong> {
        parse(text, &mut Seen::default())
    }

    fn text(value: &str) -> Node {
        Node::Value(Kind::Text, value.into())
    }

    #[test]
    fn documents_are_read_as_they_were_written() {
        let node = read(r#" {"a": 1.50, "b": [true, null, "x\u00e9\ud83d\ude00\n"], "c": {}} "#);
        let Node::Object(fields) = node.unwrap() else { unreachable!() };
        assert_eq!(fields[0].1, Node::Value(Kind::Number, "1.50".into()));
        let list = [Node::Value(Kind::Boolean, "true".into()), Node::Null, text("xé😀\n")];
        assert_eq!(fields[1].1, Node::Array(list.into()));
        let id = read(r#"{"$oid": "64b7f0c2a1b2c3d4e5f60718"}"#).unwrap();
        assert_eq!(id, Node::Value(Kind::ObjectId, "64b7f0c2a1b2c3d4e5f60718".into()));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, at, cut) in [
            ("{\"a\": 1", 7, true),
            ("{\"a\" 1}", 5, false),
            ("[1, 2", 5, true),
            ("{\"a\": tru", 9, true),
            ("{\"a\": \"x", 8, true),
            ("{\"a\": 01}", 7, false),
            ("{\"a\": 1} x", 9, false),
            ("", 0, true),
        ] {
            let wrong = read(text).unwrap_err();
            assert_eq!((wrong.at, wrong.cut), (at, cut), "{text}: {}", wrong.what);
        }
    }

    #[test]
    fn a_field_that_stands_twice_and_depth_are_told() {
        let mut seen = Seen::default();
        let node = parse(r#"{"a": {"b": 1, "b": 2}}"#, &mut seen).unwrap();
        assert_eq!(seen.twice.as_deref(), Some("a.b"));
        let inner = Node::Object(vec![("b".into(), Node::Value(Kind::Number, "2".into()))]);
        assert_eq!(node, Node::Object(vec![("a".into(), inner)]));
        for depth in [200, 200_000] {
            let deep = "[".repeat(depth) + &"]".repeat(depth);
            let mut seen = Seen::default();
            assert!(parse(&deep, &mut seen).is_ok());
            assert!(seen.deep.is_some());
        }
    }
}
