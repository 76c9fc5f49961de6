use marula_core::Engine;

use super::events::join;
use crate::Failure;

/// What errors are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorKey {
    pub engine: Engine,
    pub severity: String,
    pub code: String,
    pub message: String,
}

/// Errors of one key.
#[derive(Debug, Clone)]
pub struct ErrorTally {
    pub count: u64,
    pub span: Option<(i64, i64)>,
    pub sample: String,
    pub statement: String,
}

/// Bytes kept of a message, and of a sample or statement.
const MESSAGE: usize = 500;
const SAMPLE: usize = 8000;

fn text(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).replace('\0', "\u{fffd}")
}

/// The message with its values replaced by `…`: numbers, what stands in single quotes, and what
/// stands in double quotes behind a colon (names in double quotes stay).
pub fn message_shape(message: &[u8]) -> String {
    let message = text(message, MESSAGE);
    let mut shape = String::with_capacity(message.len());
    let mut rest = message.as_str();
    while let Some(letter) = rest.chars().next() {
        let behind = shape.chars().next_back();
        let value_quote = letter == '\'' && behind.is_none_or(|b| !b.is_alphanumeric())
            || letter == '"' && shape.ends_with(": ");
        if value_quote && let Some(end) = rest[1..].find(letter) {
            shape.push(letter);
            shape.push('…');
            shape.push(letter);
            rest = &rest[end + 2..];
        } else if letter.is_ascii_digit()
            && behind.is_none_or(|b| !b.is_alphanumeric() && b != '_' && b != '$')
        {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != ':' && c != '-')
                .unwrap_or(rest.len());
            let number = rest[..end].trim_end_matches(['.', ':', '-']);
            shape.push('…');
            rest = &rest[number.len()..];
        } else {
            shape.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    shape
}

impl ErrorKey {
    pub(super) fn new(failure: &Failure<'_>) -> Self {
        ErrorKey {
            engine: failure.engine,
            severity: failure.severity.to_owned(),
            code: text(failure.code, 100),
            message: message_shape(failure.message),
        }
    }
}

impl ErrorTally {
    pub(super) fn new(failure: &Failure<'_>) -> Self {
        let mut sample = text(failure.message, SAMPLE);
        if !failure.detail.is_empty() {
            sample.push('\n');
            sample.push_str(&text(failure.detail, SAMPLE));
        }
        ErrorTally {
            count: 1,
            span: failure.at.map(|at| (at.0, at.0)),
            sample,
            statement: text(failure.statement, SAMPLE),
        }
    }

    pub(super) fn add(&mut self, failure: &Failure<'_>) {
        self.count += 1;
        self.span = join(self.span, failure.at.map(|at| (at.0, at.0)));
        if self.statement.is_empty() {
            self.statement = text(failure.statement, SAMPLE);
        }
    }

    /// Adds what came later.
    pub fn merge(&mut self, later: ErrorTally) {
        self.count += later.count;
        self.span = join(self.span, later.span);
        if self.statement.is_empty() {
            self.statement = later.statement;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_names_stay() {
        for (message, shape) in [
            (
                "relation \"orders\" does not exist at character 15",
                "relation \"orders\" does not exist at character …",
            ),
            (
                "invalid input syntax for type integer: \"abc\"",
                "invalid input syntax for type integer: \"…\"",
            ),
            (
                "process 4711 still waiting for ShareLock on transaction 12 after 1000.123 ms",
                "process … still waiting for ShareLock on transaction … after … ms",
            ),
            ("value '2024-01-01 10:00' of t1 isn't a date", "value '…' of t1 isn't a date"),
        ] {
            assert_eq!(message_shape(message.as_bytes()), shape);
        }
    }
}
