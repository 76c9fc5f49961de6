//! What may be sent to a target: one statement that reads, and nothing that writes, reads
//! files, runs code, waits or signals in the guise of reading.
//!
//! Three fences stand one behind the other: [`check`] needs no server; [`check_in_catalog`]
//! resolves what the statement calls, through views, in the server's catalogue; and the session
//! itself is read-only with time limits.

mod bodies;
mod calls;
mod catalog;
mod forbidden;
mod harmless;
mod lookup;

pub use catalog::check_in_catalog;

use marula_core::{Error, ErrorKind, Result};
use pg_query::{NodeEnum, NodeRef, protobuf::Token};

use crate::sql::{self, ParsedStatement};

/// Parses `text` and makes sure that it is one statement that only reads. An `EXPLAIN` in front
/// is taken off; [`ParsedStatement::stripped_explain`] tells.
///
/// # Errors
/// `Syntax` with the place marked; `Refused` with what is not allowed, marked; nothing was sent.
pub fn check(text: &str) -> Result<ParsedStatement> {
    let mut statement = sql::parse(text)?;
    // EXPLAIN of an EXPLAIN does not parse, so once is enough.
    if let Some(NodeEnum::ExplainStmt(_)) = statement.root() {
        statement = sql::parse(&without_explain(statement.text())?)?.with_stripped_explain();
    }
    check_parsed(&statement)?;
    Ok(statement)
}

/// [`check`] for a statement that is parsed already.
///
/// # Errors
/// `Refused` with what is not allowed, marked.
pub fn check_parsed(statement: &ParsedStatement) -> Result<()> {
    match trouble(statement)? {
        Some(Trouble { reads: false, location, what }) => Err(refused(statement, location, &what)
            .hint("give a SELECT, VALUES, TABLE or WITH … SELECT")),
        Some(Trouble { location, what, .. }) => Err(refused(statement, location, &what)),
        None => Ok(()),
    }
}

/// Why a statement is no mere question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where, in bytes.
    pub location: i32,
    /// What is there: `DELETE is not allowed`, `pg_sleep() waits`.
    pub what: String,
    /// Whether it is a SELECT, with something in it that does more than read.
    pub reads: bool,
}

/// What keeps a statement from being one that only reads, as far as its text tells.
///
/// # Errors
/// `Usage` where there is no statement.
pub fn trouble(statement: &ParsedStatement) -> Result<Option<Trouble>> {
    let Some(root) = statement.root() else {
        return Err(Error::new(ErrorKind::Usage, "there is no statement in the text"));
    };
    if !matches!(root, NodeEnum::SelectStmt(_)) {
        let what = format!("{} is not allowed", verb(statement.text()));
        return Ok(Some(Trouble { location: 0, what, reads: false }));
    }
    let mut found: Option<(i32, String)> = None;
    let walked = sql::walk(root.to_ref(), |node| {
        if found.is_none() {
            found = trouble_at(node);
        }
    });
    if let (None, Err(unknown)) = (&found, walked) {
        let shown = format!("{:?}", unknown.0);
        let name = shown.split(['(', ' ']).next().unwrap_or_default().to_string();
        found = Some((0, format!("a query may not hold a {name}")));
    }
    Ok(found.map(|(location, what)| Trouble { location, what, reads: true }))
}

fn trouble_at(node: NodeRef<'_>) -> Option<(i32, String)> {
    match node {
        NodeRef::IntoClause(into) => Some((
            into.rel.as_ref().map_or(0, |r| r.location),
            "SELECT INTO makes a table".to_string(),
        )),
        NodeRef::SelectStmt(select) if !select.locking_clause.is_empty() => {
            Some((0, "FOR UPDATE and FOR SHARE lock rows".to_string()))
        }
        NodeRef::CommonTableExpr(query) => {
            match query.ctequery.as_ref().and_then(|query| query.node.as_ref()) {
                Some(NodeEnum::SelectStmt(_)) | None => None,
                Some(other) => {
                    let verb = match other {
                        NodeEnum::InsertStmt(_) => "an INSERT",
                        NodeEnum::UpdateStmt(_) => "an UPDATE",
                        NodeEnum::DeleteStmt(_) => "a DELETE",
                        NodeEnum::MergeStmt(_) => "a MERGE",
                        _ => "something else than a SELECT",
                    };
                    Some((query.location, format!("WITH {} holds {verb}", query.ctename)))
                }
            }
        }
        NodeRef::FuncCall(call) => {
            let name = calls::last_name(&call.funcname)?;
            let reason = forbidden::function(name)?;
            Some((call.location, format!("{name}() {reason}")))
        }
        NodeRef::RangeVar(relation) => {
            let reason = forbidden::relation(&relation.relname)?;
            Some((relation.location, format!("{} {reason}", relation.relname)))
        }
        _ => None,
    }
}

pub(crate) fn refused(statement: &ParsedStatement, location: i32, what: &str) -> Error {
    let error = Error::new(ErrorKind::Refused, format!("{what}: nothing was sent"))
        .hint("take it out: marula sends a target only what reads");
    match statement.mark(location) {
        Some(marked) => error.mark(marked),
        None => error,
    }
}

/// The first word of a statement, for messages.
fn verb(text: &str) -> String {
    let tokens = sql::tokens(text).unwrap_or_default();
    tokens
        .iter()
        .find(|t| !matches!(Token::try_from(t.token), Ok(Token::SqlComment | Token::CComment)))
        .and_then(|t| text.get(usize::try_from(t.start).ok()?..usize::try_from(t.end).ok()?))
        .map_or_else(|| "this statement".into(), str::to_uppercase)
}

/// What stands behind `EXPLAIN`, `EXPLAIN ANALYZE VERBOSE` or `EXPLAIN (…)`.
fn without_explain(text: &str) -> Result<String> {
    let tokens = sql::tokens(text)?;
    let mut open = 0usize;
    let start = tokens
        .iter()
        .filter(|t| !matches!(Token::try_from(t.token), Ok(Token::SqlComment | Token::CComment)))
        .skip(1)
        .find_map(|token| {
            let kind = Token::try_from(token.token);
            match kind {
                Ok(Token::Ascii40) if open > 0 || !starts_query(text, token.end) => open += 1,
                Ok(Token::Ascii41) if open > 0 => open -= 1,
                Ok(Token::Analyze | Token::Analyse | Token::Verbose) if open == 0 => {}
                _ if open > 0 => {}
                _ => return Some(token.start),
            }
            None
        })
        .and_then(|start| usize::try_from(start).ok())
        .and_then(|start| text.get(start..));
    start.map(str::to_string).ok_or_else(|| {
        Error::new(ErrorKind::Refused, "EXPLAIN of nothing: nothing was sent")
            .hint("write the SELECT alone")
    })
}

/// Whether the parenthesis before `at` opens a query rather than EXPLAIN's options.
fn starts_query(text: &str, at: i32) -> bool {
    let rest = usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    let rest = rest.trim_start().trim_start_matches('(').trim_start();
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    ["select", "with", "values", "table"].contains(&word.to_ascii_lowercase().as_str())
}
