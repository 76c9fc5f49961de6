//! How each statement of a file runs: what belongs together, what must stand alone.

use std::ops::Range;

use marula_core::{Engine, Error, ErrorKind, PlannedStep, Result};
use marula_postgres::sql::ParsedStatement;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use crate::apply::Due;
use crate::migration::{Step, StepKind};
use crate::postgres::classify;

/// Statements that are done together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    /// Which.
    pub steps: Range<usize>,
    /// How.
    pub how: How,
}

/// How statements run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum How {
    /// In one transaction with the note that they are done.
    Together,
    /// The file's own BEGIN … COMMIT, with the note before the COMMIT.
    OwnTransaction,
    /// Outside any transaction; what was there before is noted first.
    Outside,
    /// An UPDATE or DELETE by ranges of the primary key, so many rows at a time.
    Batches(u64),
}

/// The statement of a step.
pub(super) fn statement(step: &Step) -> Option<&ParsedStatement> {
    match &step.kind {
        StepKind::Sql(statement) => Some(statement),
        _ => None,
    }
}

fn root(step: &Step) -> Option<&NodeEnum> {
    statement(step)?.root()
}

/// Cuts a part into pieces.
///
/// # Errors
/// `Refused` for what could not be resumed or would end the file's own transaction.
pub(super) fn cut(due: &Due<'_>) -> Result<Vec<Piece>> {
    let steps = due.steps();
    let options = due.options();
    if options.transaction && options.batch.is_none() {
        return whole(due, steps);
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < steps.len() {
        let piece = match root(&steps[at]) {
            Some(NodeEnum::TransactionStmt(transaction)) => {
                let end = end_of_transaction(due, steps, at, transaction)?;
                Piece { steps: at..end, how: How::OwnTransaction }
            }
            Some(NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_)) if options.batch.is_some() => {
                Piece { steps: at..at + 1, how: How::Batches(options.batch.unwrap_or(1000)) }
            }
            _ if statement(&steps[at]).is_some_and(classify::outside_transaction) => {
                Piece { steps: at..at + 1, how: How::Outside }
            }
            _ => Piece { steps: at..at + 1, how: How::Together },
        };
        forgetful(due, steps, &piece)?;
        at = piece.steps.end;
        pieces.push(piece);
    }
    Ok(pieces)
}

/// One transaction for all.
fn whole(due: &Due<'_>, steps: &[Step]) -> Result<Vec<Piece>> {
    for (at, step) in steps.iter().enumerate() {
        let trouble = match root(step) {
            Some(NodeEnum::TransactionStmt(transaction)) if !is_savepoint(transaction) => {
                "the file runs in one transaction, and opens or ends one of its own here"
            }
            _ if statement(step).is_some_and(classify::outside_transaction) => {
                "this cannot run in a transaction, and the file runs in one"
            }
            _ => continue,
        };
        return Err(Error::new(ErrorKind::Refused, format!("{trouble}; nothing ran"))
            .at(due.place(at))
            .hint("switch the transaction off: -- migrate:up transaction:false (dbmate too), -- +goose NO TRANSACTION, -- no-transaction (sqlx)")
            .hint("or let it be done: marula migrate lint FILE --fix"));
    }
    Ok(match steps.len() {
        0 => Vec::new(),
        all => vec![Piece { steps: 0..all, how: How::Together }],
    })
}

fn is_savepoint(transaction: &pb::TransactionStmt) -> bool {
    use pb::TransactionStmtKind as Kind;
    matches!(
        Kind::try_from(transaction.kind),
        Ok(Kind::TransStmtSavepoint | Kind::TransStmtRelease | Kind::TransStmtRollbackTo)
    )
}

/// Where the transaction that begins at `at` ends, behind its COMMIT.
fn end_of_transaction(
    due: &Due<'_>,
    steps: &[Step],
    at: usize,
    transaction: &pb::TransactionStmt,
) -> Result<usize> {
    use pb::TransactionStmtKind as Kind;
    let wrong = |step: usize, what: &str, hint: &str| {
        Err(Error::new(ErrorKind::Refused, format!("{what}; nothing ran"))
            .at(due.place(step))
            .hint(hint))
    };
    match Kind::try_from(transaction.kind) {
        Ok(Kind::TransStmtBegin | Kind::TransStmtStart) => {}
        _ => return wrong(at, "there is no transaction open here", "write BEGIN before it"),
    }
    for (behind, step) in steps.iter().enumerate().skip(at + 1) {
        let Some(NodeEnum::TransactionStmt(transaction)) = root(step) else {
            if statement(step).is_some_and(classify::outside_transaction) {
                return wrong(behind, "this cannot run in a transaction", "move it behind COMMIT");
            }
            continue;
        };
        if is_savepoint(transaction) {
            continue;
        }
        return match Kind::try_from(transaction.kind) {
            Ok(Kind::TransStmtCommit) if !transaction.chain => Ok(behind + 1),
            _ => wrong(behind, "a transaction of a migration ends in COMMIT", "write COMMIT"),
        };
    }
    wrong(at, "the transaction that begins here does not end in the file", "write COMMIT")
}

/// Refuses what a statement leaves in the session for others, and what a resumed run would lack.
fn forgetful(due: &Due<'_>, steps: &[Step], piece: &Piece) -> Result<()> {
    if steps.len() == piece.steps.len() {
        return Ok(());
    }
    for at in piece.steps.clone() {
        let what = match root(&steps[at]) {
            Some(NodeEnum::CreateStmt(create))
                if create.relation.as_ref().is_some_and(|r| r.relpersistence == "t") =>
            {
                "a temporary table"
            }
            Some(NodeEnum::CreateTableAsStmt(create))
                if create
                    .into
                    .as_ref()
                    .and_then(|into| into.rel.as_ref())
                    .is_some_and(|r| r.relpersistence == "t") =>
            {
                "a temporary table"
            }
            Some(NodeEnum::PrepareStmt(_)) => "a prepared statement",
            Some(NodeEnum::DeclareCursorStmt(_)) => "a cursor",
            Some(NodeEnum::DiscardStmt(discard))
                if discard.target == pb::DiscardMode::DiscardAll as i32 =>
            {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "DISCARD ALL would give the lock away that keeps others from migrating; nothing ran",
                )
                .at(due.place(at))
                .hint("leave it out: the session is cleaned after each migration"));
            }
            _ => continue,
        };
        if piece.how == How::OwnTransaction {
            continue;
        }
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{what} lives as long as its session, and the file is not one transaction: interrupted, it could not go on; nothing ran"),
        )
        .at(due.place(at))
        .hint("let the file run in one transaction, or use an ordinary table and drop it at the end"));
    }
    Ok(())
}

/// Whether a statement sets something for the session, which a resumed run must set again.
pub(super) fn sets_session(step: &Step) -> bool {
    match root(step) {
        Some(NodeEnum::VariableSetStmt(set)) => !set.is_local,
        // What pg_dump writes: SELECT pg_catalog.set_config('search_path', '', false).
        Some(NodeEnum::SelectStmt(select)) => {
            select.from_clause.is_empty()
                && select.target_list.len() == 1
                && step.text.contains("set_config")
        }
        _ => false,
    }
}

/// Whether the statement sets `statement_timeout`, for the session or the transaction.
pub(super) fn sets_statement_timeout(step: &Step) -> bool {
    matches!(root(step), Some(NodeEnum::VariableSetStmt(set))
        if set.name.eq_ignore_ascii_case("statement_timeout"))
}

/// Whether the statement sets `lock_timeout` for the session.
pub(super) fn sets_lock_timeout(step: &Step) -> bool {
    match root(step) {
        Some(NodeEnum::VariableSetStmt(set)) => {
            !set.is_local && set.name.eq_ignore_ascii_case("lock_timeout")
        }
        _ => sets_session(step) && step.text.contains("lock_timeout"),
    }
}

/// How each step that is left would run, in words.
pub(super) fn plan(due: &Due<'_>) -> Result<Vec<PlannedStep>> {
    let whole = due.options().transaction && due.options().batch.is_none();
    let mut planned = Vec::new();
    for piece in cut(due)? {
        let how = match &piece.how {
            How::Together if whole => "in the file's transaction".to_string(),
            How::Together => "in a transaction of its own".to_string(),
            How::OwnTransaction => "in the transaction the file opens".to_string(),
            How::Outside => "outside any transaction".to_string(),
            How::Batches(rows) => format!("in batches of {rows} rows"),
        };
        for step in &due.steps()[piece.steps] {
            planned.push(PlannedStep {
                text: crate::secrets::shown(Engine::Postgres, &step.text),
                line: step.line,
                how: how.clone(),
            });
        }
    }
    Ok(planned.split_off(due.from().min(planned.len())))
}
