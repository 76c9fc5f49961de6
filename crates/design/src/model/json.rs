//! JSON with places, read as far as it goes.

use std::collections::HashSet;

use super::tree::{DEEPEST, Fault, Key, Kind, Parsed, Tree, add};

/// Reads JSON. Where it is cut off or broken, what stands before that is kept.
pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0, faults: Vec::new(), broken: false };
    let tree = reader.value(0);
    reader.blank();
    if !reader.broken && reader.at < text.len() {
        reader.fail("something follows the end of the model", "leave it out");
    }
    Parsed { tree, faults: reader.faults }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    faults: Vec<Fault>,
    /// Whether reading has ended before the end.
    broken: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn fail(&mut self, what: &str, hint: &str) {
        if !self.broken {
            self.broken = true;
            let end = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
                Some(letter) => self.at + letter.len_utf8(),
                None => self.at,
            };
            let (what, hint) = match end == self.at {
                true => ("the file is cut off here".into(), "get the whole file".into()),
                false => (what.to_string(), hint.to_string()),
            };
            self.faults.push(Fault { range: self.at..end, what, hint });
        }
    }

    fn value(&mut self, depth: usize) -> Option<Tree> {
        self.blank();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        if depth == DEEPEST {
            self.faults.push(Fault {
                range: start..start,
                what: format!("nested more than {DEEPEST} levels deep; left out"),
                hint: "a model is flat: lists of entities, relations and queries".into(),
            });
        }
        (depth < DEEPEST).then(|| Tree::new(value, start..self.at))
    }

    fn word(&mut self) -> Option<Kind> {
        for (word, value) in
            [("true", Kind::Bool(true)), ("false", Kind::Bool(false)), ("null", Kind::Null)]
        {
            if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
                self.at += word.len();
                return Some(value);
            }
        }
        self.fail("this is not JSON: a value is expected", "write a text in double quotes");
        None
    }

    fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.text.get(start..self.at).and_then(|text| serde_json::from_str(text).ok()) {
            Some(number) => Some(Kind::Number(number)),
            None => {
                self.at = start;
                self.fail("this is no number", "write it as 1200 or 0.5");
                None
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(byte) if byte < 0x20 => {
                    self.fail("a text ends with its line", "close the quotes, or write \\n");
                    return None;
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = self.text.len();
                    self.fail("", "");
                    return None;
                }
            }
        }
        self.at += 1;
        match self.text.get(start..self.at).map(serde_json::from_str::<String>) {
            Some(Ok(text)) => Some(text),
            _ => {
                self.at = start;
                self.fail("this text has an escape that JSON does not know", "write \\\\ for a \\");
                None
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.peek() == Some(b']') {
                self.at += 1;
                break;
            }
            if depth >= DEEPEST {
                self.skip()?;
            } else {
                items.extend(self.value(depth + 1));
            }
            if self.broken {
                break;
            }
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {}
                _ => {
                    self.fail("a comma or ] is expected", "put a comma between the items");
                    break;
                }
            }
        }
        Some(Kind::List(items))
    }

    fn map(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let (mut parts, mut names) = (Vec::new(), HashSet::new());
        loop {
            self.blank();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"') => {}
                _ => {
                    self.fail("a name in double quotes is expected", "write \"name\": value");
                    break;
                }
            }
            let start = self.at;
            let Some(name) = self.string() else { break };
            let key = Key { name, range: start..self.at };
            self.blank();
            if self.peek() != Some(b':') {
                self.fail("a colon is expected", "write \"name\": value");
                break;
            }
            self.at += 1;
            if depth >= DEEPEST {
                self.skip()?;
            } else if let Some(value) = self.value(depth + 1) {
                add(&mut parts, &mut names, key, value, &mut self.faults);
            }
            if self.broken {
                break;
            }
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ => {
                    self.fail("a comma or } is expected", "put a comma between the parts");
                    break;
                }
            }
        }
        Some(Kind::Map(parts))
    }

    /// Passes over a value that is nested too deeply, without going down.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0usize;
        loop {
            self.blank();
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open == 0 => return Some(()),
                Some(b'}' | b']') => {
                    open -= 1;
                    self.at += 1;
                }
                Some(b',') if open == 0 => return Some(()),
                Some(_) => {
                    self.at += 1;
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                }
                None => {
                    self.fail("", "");
                    return None;
                }
            }
            if open == 0 && !matches!(self.peek(), Some(b'"' | b'{' | b'[')) {
                self.blank();
                if matches!(self.peek(), Some(b',' | b'}' | b']') | None) {
                    return Some(());
                }
            }
        }
    }
}
