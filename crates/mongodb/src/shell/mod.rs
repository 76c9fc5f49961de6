//! What people type: mongosh syntax, or a command as JSON. It is parsed and never evaluated:
//! constants are folded, everything else that would have to run is refused by name.

pub(crate) mod base64;
mod call;
mod chain;
mod cursor;
mod depth;
mod instead;
mod json;
mod refuse;
mod statement;
mod types;
mod value;

use bson::Bson;
use marula_core::{Error, ErrorKind, Marked, Result};

use crate::Command;
pub use json::from_document;

/// How deep brackets may nest. The server takes documents up to 200 levels deep.
pub const MAX_DEPTH: usize = 220;

/// What a text is called in errors.
const NAME: &str = "query";

/// What a text is read for: a refusal says what can be written there instead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A query somebody asks about.
    #[default]
    Query,
    /// A step of a migration.
    Migration,
}

/// The one command in `text`: mongosh syntax (`db.orders.find({…}).sort({…})`) or a command
/// document as JSON, extended JSON or a shell literal (`{"aggregate": "orders", …}`).
///
/// Constants may be bound before it (`const from = ISODate("…")`). Functions, unknown variables,
/// loops and everything else that would have to run is refused, with its place marked.
///
/// # Errors
/// `Syntax` when it does not parse, `Refused` or `Unsupported` for what is not a plain command,
/// `Usage` when there is no command or more than one.
pub fn parse(text: &str) -> Result<Command> {
    parse_for(text, Purpose::Query)
}

/// As [`parse`], with the refusals of that purpose.
///
/// # Errors
/// As [`parse`].
pub fn parse_for(text: &str, purpose: Purpose) -> Result<Command> {
    let mut commands = parse_many_for(text, purpose)?;
    match (commands.len(), commands.pop()) {
        (1, Some(command)) => Ok(command),
        (0, _) | (_, None) => Err(Error::new(ErrorKind::Usage, "there is no command in the text")
            .hint("write one, such as db.orders.find({status: \"paid\"})")),
        (count, _) => Err(Error::new(
            ErrorKind::Refused,
            format!("there are {count} commands in the text, and one is wanted"),
        )
        .hint("give them one at a time")),
    }
}

/// All commands in `text`, in order. See [`parse`].
///
/// # Errors
/// As [`parse`], except that any number of commands is fine.
pub fn parse_many(text: &str) -> Result<Vec<Command>> {
    parse_many_for(text, Purpose::Query)
}

/// As [`parse_many`], with the refusals of that purpose.
///
/// # Errors
/// As [`parse_many`].
pub fn parse_many_for(text: &str, purpose: Purpose) -> Result<Vec<Command>> {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.starts_with('{') || trimmed.starts_with('[') {
        return json::parse(trimmed).map(|command| vec![command]);
    }
    let text = text.to_string();
    on_deep_stack(move || statement::commands(&text, purpose))
}

/// One literal in mongosh syntax, with its constructors.
///
/// # Errors
/// `Syntax` when it does not parse, `Refused` for what is not a constant.
pub fn parse_literal(text: &str) -> Result<Bson> {
    let text = text.to_string();
    on_deep_stack(move || statement::literal(&text))
}

/// A value written as JSON, extended JSON, or a shell literal around extended JSON: what
/// extended JSON wraps (`{"$oid": …}`) becomes the value it stands for.
pub(crate) fn parse_json(text: &str) -> Result<Bson> {
    // Strict JSON is by far the most common form of large inputs, and has its own fast parser; it
    // takes null characters in names, which no document can hold.
    if !text.contains("\\u0000")
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(text)
        && let Ok(value) = Bson::try_from(value)
    {
        return Ok(value);
    }
    parse_literal(text).map(json::decode)
}

/// Runs `work` on a stack that the parser's recursion cannot exhaust at [`MAX_DEPTH`].
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn_scoped(scope, work)
            .map_err(Error::from)?
            .join()
            .unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Internal, "the parser stopped unexpectedly")
                    .hint("report the query as a defect"))
            })
    })
}

/// An error with its place in `text` marked.
fn marked(kind: ErrorKind, message: String, text: &str, start: usize, end: usize) -> Error {
    let start = floor(text, start);
    let end = floor(text, end.max(start));
    Error::new(kind, message).mark(Marked { name: NAME.into(), text: text.into(), start, end })
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Whether mongosh would send the number as an int32.
pub(crate) fn fits_int32(number: f64) -> bool {
    number.fract() == 0.0
        && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number)
        && !(number == 0.0 && number.is_sign_negative())
}

/// Whether `db.name` or `db.orders.name` is a method rather than a collection.
pub(crate) fn is_method(name: &str) -> bool {
    call::METHODS.contains(&name) || chain::DATABASE_METHODS.contains(&name)
}

/// Whether the pattern can stand between the slashes of a regular expression literal.
pub(crate) fn is_regex_body(pattern: &str) -> bool {
    let (mut escaped, mut class) = (false, false);
    for c in pattern.chars() {
        match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => return false,
            c if c.is_control() => return false,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => return false,
            _ => {}
        }
    }
    !escaped && !class
}
