use marula_core::Marked;
use pg_query::protobuf::{ScanToken, Token};

/// A mark in a query.
pub(super) fn marked(text: &str, start: usize, end: usize) -> Marked {
    let start = floor(text, start.min(text.len()));
    let end = floor(text, end.clamp(start, text.len()));
    Marked { name: "query".into(), text: text.into(), start, end }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The word, number or sign that begins at `start`.
pub(super) fn word_at(text: &str, start: usize) -> Option<Marked> {
    let rest = text.get(start..)?;
    let first = rest.chars().next()?;
    let length = if first == '"' || first == '\'' {
        rest.get(1..)?.find(first).map_or(rest.len(), |at| at + 2)
    } else if first.is_alphanumeric() || first == '_' {
        rest.find(|c: char| !(c.is_alphanumeric() || "_.$\"".contains(c))).unwrap_or(rest.len())
    } else {
        first.len_utf8()
    };
    Some(marked(text, start, start + length))
}

/// Where a parser's error lies. The parser says what was near but not where, so the shortest
/// run of tokens that fails in the same way is looked for, by halving.
pub(super) fn of_error(
    text: &str,
    message: &str,
    tokens: &[ScanToken],
    fails: impl Fn(usize) -> bool,
) -> Marked {
    let end = text.trim_end().len();
    if message.contains("at end of input") {
        return marked(text, end, end);
    }
    let ends: Vec<(usize, usize)> = tokens
        .iter()
        .filter(|token| {
            !matches!(Token::try_from(token.token), Ok(Token::SqlComment | Token::CComment))
        })
        .filter_map(|t| Some((usize::try_from(t.start).ok()?, usize::try_from(t.end).ok()?)))
        .collect();
    if ends.is_empty() {
        // The scanner failed: what it complains of reaches to the end of the text.
        let near = message
            .split_once("at or near \"")
            .and_then(|(_, near)| near.strip_suffix('"'))
            .filter(|near| !near.is_empty());
        let start = near.and_then(|near| text.rfind(near)).unwrap_or(end);
        return marked(text, start, text[start..].find('\n').map_or(end, |line| start + line));
    }
    let (mut low, mut high) = (0, ends.len() - 1);
    while low < high {
        let middle = (low + high) / 2;
        if fails(ends[middle].1) { high = middle } else { low = middle + 1 }
    }
    marked(text, ends[low].0, ends[low].1)
}

/// The second of several statements: from the first semicolon with something behind it.
pub(super) fn second_statement(text: &str) -> Option<Marked> {
    let parts = super::parser::scan(text).ok()?;
    let mut seen = false;
    for token in parts {
        match Token::try_from(token.token) {
            Ok(Token::Ascii59) => seen = true,
            Ok(Token::SqlComment | Token::CComment) => {}
            _ if seen => return word_at(text, usize::try_from(token.start).ok()?),
            _ => {}
        }
    }
    None
}
