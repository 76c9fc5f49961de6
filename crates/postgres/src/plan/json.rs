use marula_core::{Error, ErrorKind, Json, Marked, Result};

use super::{MAX_LEVELS, SavedPlan, document, foreign, unwrap};

/// Reads a plan in JSON form: an object or an array with one, bare or wrapped.
///
/// # Errors
/// As [`super::parse`].
pub fn parse_json(text: &str) -> Result<SavedPlan> {
    parse_bare(unwrap::unwrap(text).trim())
}

pub(super) fn parse_bare(text: &str) -> Result<SavedPlan> {
    if nesting(text) > MAX_LEVELS * 2 + 16 {
        return Err(super::tree::too_deep());
    }
    // The parser recurses: 500 levels of plan are 1,000 of JSON.
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(32 << 20)
            .spawn_scoped(scope, || read(text))
            .map_err(Error::from)?
            .join()
            .map_err(|_| Error::new(ErrorKind::Internal, "the plan reader failed"))?
    })
}

fn read(text: &str) -> Result<SavedPlan> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    match documents.next() {
        Some(Ok(document)) => {
            foreign::named_json(&document)?;
            let (plan, statement) = document::from_document(document)?;
            Ok(SavedPlan { plan, statement })
        }
        Some(Err(error)) => Err(broken(text, &error)),
        None => Err(Error::new(ErrorKind::Syntax, "the plan is empty").hint(super::HOW_TO_SAVE)),
    }
}

fn broken(text: &str, error: &serde_json::Error) -> Error {
    let at = if error.is_eof() { text.len() } else { offset(text, error.line(), error.column()) };
    let start = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    // Around the trouble only: a plan may have fifty megabytes.
    let from = text[..start].rfind('\n').map_or(0, |line| line + 1).max(start.saturating_sub(200));
    let from = (from..=start).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let until = text[start..].find('\n').map_or(text.len(), |line| start + line).min(start + 200);
    let until = (start..=until).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let end = text[start..until].chars().next().map_or(0, char::len_utf8);
    let marked = Marked {
        name: format!("plan, line {}", error.line()),
        text: text[from..until].into(),
        start: start - from,
        end: start - from + end,
    };
    let message = if error.is_eof() {
        "the plan is cut off: its JSON ends in the middle".to_string()
    } else {
        format!("the plan is not valid JSON: {error}")
    };
    Error::new(ErrorKind::Syntax, message).mark(marked).hint(super::HOW_TO_SAVE)
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    start + column.saturating_sub(1)
}

/// How deep brackets and braces nest, outside strings.
fn nesting(text: &str) -> usize {
    let (mut open, mut deepest) = (0usize, 0usize);
    let (mut string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => string = true,
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
