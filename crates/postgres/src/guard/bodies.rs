//! What stands inside functions: their text is read, never run.

use marula_core::{Error, ErrorKind, Result};
use pg_query::protobuf::Token;

use super::calls::{Calls, Name};
use super::{check_parsed, forbidden};
use crate::sql;

/// A refusal of what stands inside of something the statement uses.
pub(super) fn refuse(through: &str, what: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{through} {what}: nothing was sent"))
        .hint("take it out: marula sends a target only what reads")
}

/// What an SQL text (a view, a policy, an SQL function) calls.
pub(super) fn of_sql(text: &str, through: &str, calls: &mut Calls) -> Result<()> {
    let statements =
        sql::parse_all(text).map_err(|_| refuse(through, "holds SQL that cannot be read"))?;
    for statement in &statements {
        check_parsed(statement).map_err(|error| {
            let inner = error.message().trim_end_matches(": nothing was sent").to_string();
            refuse(through, &format!("is not allowed, because in it {inner}"))
        })?;
        if let Some(root) = statement.root() {
            calls.collect(root.to_ref());
        }
    }
    Ok(())
}

/// The body of an SQL function as a script: `RETURN x` and `BEGIN ATOMIC … END` are the forms
/// that the server keeps parsed.
pub(super) fn unfolded(body: &str) -> String {
    let text = body.trim();
    if let Some(value) = text.strip_prefix("RETURN ") {
        return format!("SELECT {value}");
    }
    match text.strip_prefix("BEGIN ATOMIC").and_then(|rest| rest.strip_suffix("END")) {
        Some(script) => script.to_string(),
        None => text.to_string(),
    }
}

/// What a PL/pgSQL function may call: every name before a parenthesis, and every name as a
/// relation.
pub(super) fn of_plpgsql(text: &str, through: &str, calls: &mut Calls) -> Result<()> {
    let Ok(tokens) = sql::tokens(text) else {
        return Err(refuse(through, "holds a body that cannot be read"));
    };
    let words: Vec<(Option<String>, Token)> = tokens
        .iter()
        .filter_map(|token| {
            let kind = Token::try_from(token.token).ok()?;
            let (start, end) =
                (usize::try_from(token.start).ok()?, usize::try_from(token.end).ok()?);
            let text = text.get(start..end)?;
            (!matches!(kind, Token::SqlComment | Token::CComment)).then(|| (name(text), kind))
        })
        .collect();
    for (at, (word, kind)) in words.iter().enumerate() {
        if matches!(kind, Token::Uident | Token::Usconst) {
            return Err(refuse(through, "hides names behind U& escapes"));
        }
        let Some(word) = word else { continue };
        if *kind == Token::Execute {
            return Err(refuse(through, "runs a text as SQL"));
        }
        if let Some(reason) = forbidden::relation(word) {
            return Err(refuse(through, &format!("reads {word}, which {reason}")));
        }
        let schema = (at >= 2 && words[at - 1].1 == Token::Ascii46)
            .then(|| words[at - 2].0.clone())
            .flatten();
        let named = Name { schema, name: word.clone() };
        if words.get(at + 1).is_some_and(|(_, next)| *next == Token::Ascii40) {
            if let Some(reason) = forbidden::function(word) {
                return Err(refuse(through, &format!("calls {word}(), which {reason}")));
            }
            calls.functions.insert((named.clone(), None));
        }
        calls.relations.insert(named);
    }
    Ok(())
}

/// A body in any other language: its words.
pub(super) fn of_other(text: &str, through: &str) -> Result<()> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    match words.filter_map(|word| Some((word, forbidden::function(word)?))).next() {
        Some((word, reason)) => Err(refuse(through, &format!("names {word}, which {reason}"))),
        None => Ok(()),
    }
}

/// A word as the server folds it; `None` when it is no name.
fn name(text: &str) -> Option<String> {
    if let Some(quoted) = text.strip_prefix('"') {
        return Some(quoted.strip_suffix('"').unwrap_or(quoted).replace("\"\"", "\""));
    }
    text.starts_with(|c: char| c.is_alphabetic() || c == '_').then(|| text.to_lowercase())
}
