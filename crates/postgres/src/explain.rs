//! Plans from a server.

use marula_core::{Json, Plan, Result, Statement};
use tokio_postgres::types::ToSql;

use crate::text_value::TextValue;
use crate::{Session, error, names, plan, transaction};

/// Whether the statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is planned only.
    Estimate,
    /// It runs, and what it does is measured.
    Analyze,
}

/// How the server plans the statement, and with [`Mode::Analyze`] what really happened. Both in
/// a read-only transaction that is rolled back. Parameters are bound as text.
///
/// The statement must have passed [`crate::guard`].
///
/// # Errors
/// `Timeout`, `ServerDied`, `Denied`, `NotFound` with the nearest names, or the server's own,
/// with the place marked in the statement.
pub async fn explain(session: &Session, statement: &Statement, mode: Mode) -> Result<Plan> {
    // VERBOSE tells the schema of each relation and the columns' tables.
    let options = match mode {
        Mode::Estimate => "VERBOSE, SETTINGS, FORMAT JSON",
        Mode::Analyze => "ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON",
    };
    let prefix = format!("EXPLAIN ({options}) ");
    let text = format!("{prefix}{}", statement.text);
    let values: Vec<TextValue<'_>> =
        statement.parameters.iter().map(|p| TextValue(p.value.as_deref())).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
    let explained = transaction::read_only(session, async {
        let answer = session.client().query_one(&text, &values).await;
        answer
            .and_then(|row| row.try_get::<_, Json>(0))
            .map_err(|e| error::from_statement(&e, &statement.text, prefix.len()))
    })
    .await;
    let document = match explained {
        Ok(document) => document,
        Err(error) => return Err(names::suggest(session, error).await),
    };
    let (mut plan, _) = plan::from_document(document)?;
    plan.version = Some(session.version());
    Ok(plan)
}
