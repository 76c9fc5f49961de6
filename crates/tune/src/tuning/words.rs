//! How the search speaks of statements, times and errors.

use marula_core::{Engine, Error, ErrorKind, Statement};

use super::book::SLOWER;

/// Whether an error ends all measuring.
pub(crate) fn fatal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ServerDied | ErrorKind::Interrupted | ErrorKind::Unreachable | ErrorKind::Io
    )
}

/// A statement's beginning, in one line.
pub(super) fn short(statement: &Statement) -> String {
    const LETTERS: usize = 60;
    let mut words = String::new();
    for word in statement.text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > LETTERS {
            break;
        }
    }
    let cut: String = words.chars().take(LETTERS).collect();
    let engine = if statement.engine == Engine::Postgres { "" } else { "db." };
    let engine = if cut.starts_with(engine) { "" } else { engine };
    if cut.len() < words.len() { format!("{engine}{cut} …") } else { format!("{engine}{cut}") }
}

pub(crate) fn seconds(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// The share by which a statement may get slower, for messages.
pub(super) fn allowance() -> String {
    format!("{:.0} %", (SLOWER - 1.0) * 100.0)
}
