//! The words of DBML: names, texts, settings and blocks.

use marula_core::{Error, ErrorKind, Marked, Result};

/// Reads DBML word by word.
pub(super) struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    /// How far it has read, in bytes.
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    /// From the beginning of a text, which messages call `name`.
    pub(super) fn new(text: &'a str, name: &'a str) -> Self {
        Reader { text, name, at: 0 }
    }

    pub(super) fn error(&self, at: usize, what: &str) -> Error {
        let text = self.text;
        let end = text.get(at..).and_then(|rest| rest.chars().next());
        Error::new(ErrorKind::Syntax, what.to_string())
            .mark(Marked {
                name: self.name.into(),
                text: text.into(),
                start: at,
                end: at + end.map_or(0, char::len_utf8),
            })
            .hint("see dbml.dbdiagram.io/docs for how it is written")
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks and comments; with `lines` over line ends, too.
    pub(super) fn blank(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            let trimmed = match lines {
                true => rest.trim_start(),
                false => rest.trim_start_matches([' ', '\t', '\r']),
            };
            self.at += rest.len() - trimmed.len();
            let skip = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += skip;
        }
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.blank(true);
        self.rest().chars().next()
    }

    pub(super) fn take(&mut self, wanted: char) -> Result<()> {
        match self.peek() {
            Some(found) if found == wanted => {
                self.at += wanted.len_utf8();
                Ok(())
            }
            Some(_) => Err(self.error(self.at, &format!("{wanted} is expected"))),
            None => Err(self.error(self.at, &format!("the file is cut off: {wanted} is expected"))),
        }
    }

    /// A plain or quoted word.
    pub(super) fn word(&mut self) -> Result<Option<(usize, String)>> {
        self.blank(true);
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        if let Some(inner) = rest.strip_prefix("'''") {
            let Some(end) = inner.find("'''") else {
                return Err(self.error(start, "this text has no end"));
            };
            self.at += end + 6;
            return Ok(Some((start, inner[..end].trim().to_string())));
        }
        if matches!(first, '"' | '\'' | '`') {
            let mut out = String::new();
            let mut letters = rest.char_indices().skip(1);
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\\' => out.extend(letters.next().map(|(_, letter)| letter)),
                    found if found == first => {
                        self.at += at + 1;
                        return Ok(Some((start, out)));
                    }
                    other => out.push(other),
                }
            }
            return Err(self.error(start, "this text has no end"));
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error(start, "a name is expected"));
        }
        self.at += end;
        Ok(Some((start, rest[..end].to_string())))
    }

    pub(super) fn name(&mut self) -> Result<String> {
        let at = self.at;
        match self.word()? {
            Some((_, word)) => Ok(word),
            None => Err(self.error(at, "the file is cut off: a name is expected")),
        }
    }

    /// `schema.table`: the last part.
    pub(super) fn qualified(&mut self) -> Result<String> {
        let mut name = self.name()?;
        while self.rest().starts_with('.') {
            self.at += 1;
            if self.rest().starts_with('(') {
                break;
            }
            name = self.name()?;
        }
        Ok(name)
    }

    /// What stands in brackets, each setting by itself.
    pub(super) fn settings(&mut self) -> Result<Vec<String>> {
        self.blank(false);
        if !self.rest().starts_with('[') {
            return Ok(Vec::new());
        }
        let start = self.at;
        self.at += 1;
        let mut found = vec![String::new()];
        let mut quote: Option<char> = None;
        let rest = self.rest();
        for (at, letter) in rest.char_indices() {
            let Some(last) = found.last_mut() else { break };
            match (quote, letter) {
                (None, ']') => {
                    self.at += at + 1;
                    let all = found.iter().map(|one| one.trim().to_string());
                    return Ok(all.filter(|one| !one.is_empty()).collect());
                }
                (None, ',') => found.push(String::new()),
                (None, '\'' | '"' | '`') => {
                    quote = Some(letter);
                    last.push(letter);
                }
                (Some(open), letter) if open == letter => {
                    quote = None;
                    last.push(letter);
                }
                (_, letter) => last.push(letter),
            }
        }
        Err(self.error(start, "this bracket is not closed"))
    }

    /// Passes over the rest of a statement: a name, settings, and a block or a text.
    pub(super) fn pass(&mut self) -> Result<()> {
        let mut depth = 0usize;
        while let Some(letter) = self.peek() {
            match letter {
                '{' | '[' => depth += 1,
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                    if depth == 0 && letter == '}' {
                        return Ok(());
                    }
                    continue;
                }
                '\'' | '"' | '`' => {
                    self.word()?;
                    if depth == 0 && letter == '\'' {
                        return Ok(());
                    }
                    continue;
                }
                _ => {}
            }
            self.at += letter.len_utf8();
        }
        match depth {
            0 => Ok(()),
            _ => Err(self.error(self.at, "the file is cut off: } is expected")),
        }
    }
}
