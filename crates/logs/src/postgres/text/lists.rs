use super::lexer::{Token, is_value, next};

/// Words that are values.
pub(super) fn is_value_word(word: &[u8]) -> bool {
    [b"null".as_slice(), b"true", b"false", b"default"]
        .iter()
        .any(|value| word.eq_ignore_ascii_case(value))
}

/// What brackets are open, and which of them hold a list that is told by its first member.
#[derive(Default)]
pub(super) struct Lists {
    depth: u32,
    /// Depths (below 64) whose members are all values so far.
    values: u64,
    /// Depths at which rows of VALUES stand.
    rows: u64,
    last: Last,
    /// The comma's own skipping has begun at this depth: `More` was told.
    told: u64,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Last {
    In,
    Array,
    Values,
    #[default]
    Other,
}

/// What a comma led to.
pub(super) struct More {
    /// Members were skipped, for the first time in this list.
    pub skipped: bool,
    /// The comma itself is to be told: it leads to something else.
    pub keep_comma: bool,
}

fn bit(depth: u32) -> u64 {
    if depth < 64 { 1 << depth } else { 0 }
}

impl Lists {
    #[inline]
    pub fn word(&mut self, word: &[u8]) {
        self.last = match word.len() {
            2 if word.eq_ignore_ascii_case(b"in") => Last::In,
            5 if word.eq_ignore_ascii_case(b"array") => Last::Array,
            6 if word.eq_ignore_ascii_case(b"values") => Last::Values,
            _ => Last::Other,
        };
        // Rows of VALUES end with the next word.
        self.rows &= !bit(self.depth);
    }

    #[inline]
    pub fn other(&mut self) {
        self.last = Last::Other;
    }

    /// A bracket was opened that ends before `at`.
    pub fn open(&mut self, text: &[u8], at: usize, bracket: u8) {
        if self.last == Last::Values && bracket == b'(' {
            self.rows |= bit(self.depth);
        }
        let list = match (self.last, bracket) {
            (Last::In, b'(') | (Last::Array, b'[') => member(text, at).is_some(),
            _ => false,
        };
        self.depth += 1;
        let here = bit(self.depth);
        self.told &= !here;
        self.rows &= !here;
        self.values = if list { self.values | here } else { self.values & !here };
        self.last = Last::Other;
    }

    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.last = Last::Other;
    }

    /// A comma ends before `at`: skips the members behind it that are told by the first.
    pub fn comma(&mut self, text: &[u8], at: usize) -> (usize, More) {
        self.last = Last::Other;
        let here = bit(self.depth);
        let skip: fn(&[u8], usize) -> Option<usize> = if self.values & here != 0 {
            member
        } else if self.rows & here != 0 {
            row
        } else {
            return (at, More { skipped: false, keep_comma: true });
        };
        let mut end = at;
        let mut any = false;
        let mut keep_comma = true;
        while let Some(skipped) = skip(text, end) {
            any = true;
            end = skipped;
            match next(text, end) {
                Some(comma) if text.get(comma.start) == Some(&b',') => end = comma.end,
                _ => {
                    keep_comma = false;
                    break;
                }
            }
        }
        let skipped = any && self.told & here == 0;
        if any {
            self.told |= here;
        }
        (end, More { skipped, keep_comma })
    }
}

/// Where a member of a list of values ends: a value, or a row of values; a comma or the closing
/// bracket must follow.
fn member(text: &[u8], at: usize) -> Option<usize> {
    let first = next(text, at)?;
    let end = if text.get(first.start) == Some(&b'(') && first.token == Token::Sign {
        let mut end = value(text, first.end)?;
        loop {
            let sign = next(text, end)?;
            match text.get(sign.start..sign.end)? {
                b"," => end = value(text, sign.end)?,
                b")" => break sign.end,
                _ => return None,
            }
        }
    } else {
        value(text, at)?
    };
    let follows = next(text, end)?;
    matches!(text.get(follows.start..follows.end)?, b"," | b")" | b"]").then_some(end)
}

/// Where a value with its sign and cast ends.
fn value(text: &[u8], at: usize) -> Option<usize> {
    let mut token = next(text, at)?;
    if matches!(text.get(token.start..token.end)?, b"-" | b"+") {
        token = next(text, token.end)?;
    }
    if token.open || !is_value(token.token, text.get(token.start..token.end)?) {
        return None;
    }
    let mut end = token.end;
    while let Some(cast) = next(text, end)
        && text.get(cast.start..cast.end) == Some(b"::")
    {
        let mut name = next(text, cast.end)?;
        while text.get(name.end) == Some(&b'.') {
            name = next(text, name.end + 1)?;
        }
        if !matches!(name.token, Token::Word | Token::Quoted) || name.open {
            return None;
        }
        end = name.end;
        if text.get(end..end + 2) == Some(b"[]") {
            end += 2;
        }
    }
    Some(end)
}

/// Where a row of VALUES ends, whatever stands in it.
fn row(text: &[u8], at: usize) -> Option<usize> {
    let mut token = next(text, at)?;
    if text.get(token.start) != Some(&b'(') {
        return None;
    }
    let mut depth = 1usize;
    while depth > 0 {
        token = next(text, token.end)?;
        if token.open || token.start == token.end {
            return None;
        }
        match text.get(token.start) {
            Some(b'(') => depth += 1,
            Some(b')') => depth -= 1,
            _ => {}
        }
    }
    Some(token.end)
}
