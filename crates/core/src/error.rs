use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A result with marula's one error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of trouble it was; a face maps it to an exit code once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The call or the configuration is wrong.
    Usage,
    /// The statement, document or file does not parse.
    Syntax,
    /// A safety rule forbids it; nothing was sent.
    Refused,
    /// A name that does not exist: table, collection, field, target.
    NotFound,
    /// The engine, version or construct is not supported.
    Unsupported,
    /// The server cannot be reached.
    Unreachable,
    /// The server refused the user: password, TLS, rights.
    Denied,
    /// The server went away in the middle.
    ServerDied,
    /// A time limit was reached and the statement cancelled.
    Timeout,
    /// The server answered with an error of its own.
    Server,
    /// The lab could not do its work: no binaries, no space, did not start.
    Lab,
    /// The user interrupted.
    Interrupted,
    /// A file could not be read or written.
    Io,
    /// A defect of this program.
    Internal,
}

/// A place inside a text, to be marked for the reader. Offsets are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What the text is called: `query`, or a file's name.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where the trouble begins.
    pub start: usize,
    /// Where it ends; at least `start`.
    pub end: usize,
}

/// The one error: what happened, where, and what to do next.
///
/// Messages never hold secrets: whoever builds one from a connection string redacts it first.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Option<String>,
    code: Option<String>,
    marked: Option<Marked>,
    hints: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with what happened, in one sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            place: None,
            code: None,
            marked: None,
            hints: Vec::new(),
            source: None,
        }))
    }

    /// Where it happened: a target, a file, an object.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.place = Some(place.into());
        self
    }

    /// The server's own code: an SQLSTATE, or MongoDB's `codeName`.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// What to do next, as an imperative; may be given several times.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Puts another hint in the place of one that does not fit here.
    pub fn instead(mut self, old: &str, new: &str) -> Self {
        for hint in self.0.hints.iter_mut().filter(|hint| *hint == old) {
            *hint = new.to_string();
        }
        self
    }

    /// The place in a text that is to be marked.
    pub fn mark(mut self, marked: Marked) -> Self {
        self.0.marked = Some(marked);
        self
    }

    /// The error below this one.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error under another kind, for a caller that knows more.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What kind of trouble it was.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, when known.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The server's own code, when it gave one.
    pub fn server_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The place in a text, when there is one.
    pub fn marked(&self) -> Option<&Marked> {
        self.0.marked.as_ref()
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::new(ErrorKind::Io, error.to_string()).because(error)
    }
}

/// The names of `known` nearest to `wanted`, best first, at most three: for "did you mean".
///
/// Nearness is the Levenshtein distance without regard to case; a name further away than a
/// third of its length (and two letters, or all of its own letters) is not offered.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    let limit = (letters / 3).max(2).min(letters.saturating_sub(1));
    let mut scored: Vec<_> = known
        .into_iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= limit || (wanted.len() >= 4 && name.to_lowercase().contains(&wanted))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first_and_strangers_not_at_all() {
        let known = ["orders", "order_items", "customers", "events"];
        assert_eq!(nearest("ordres", known), ["orders"]);
        assert_eq!(nearest("order", known), ["orders", "order_items"]);
        assert!(nearest("zebra", known).is_empty());
    }

    #[test]
    fn an_error_says_where_what_and_the_servers_code() {
        let error =
            Error::new(ErrorKind::Server, "relation does not exist").at("shop").code("42P01");
        assert_eq!(error.to_string(), "shop: relation does not exist (42P01)");
    }
}
