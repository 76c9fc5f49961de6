//! Running a statement for its rows.

use std::time::Instant;

use futures_util::TryStreamExt;
use marula_core::{Result, Statement};
use tokio_postgres::SimpleQueryMessage;

use crate::{Session, error, names, sql, transaction};

/// What a run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The columns' names.
    pub columns: Vec<String>,
    /// How many rows there were.
    pub rows: u64,
    /// From sending the statement to its last row, in milliseconds.
    pub ms: f64,
}

/// Runs a statement in a read-only transaction and gives each row, in the server's text form,
/// as it comes; no more than a few are held.
///
/// The statement must have passed [`crate::guard`].
///
/// # Errors
/// `Timeout`, `ServerDied`, `NotFound` with the nearest names, or the server's own, with the
/// place marked.
pub async fn run(
    session: &Session,
    statement: &Statement,
    on_row: impl FnMut(&[Option<&str>]),
) -> Result<Ran> {
    match transaction::read_only(session, stream(session, statement, on_row)).await {
        Ok(ran) => Ok(ran),
        Err(error) => Err(names::suggest(session, error).await),
    }
}

async fn stream(
    session: &Session,
    statement: &Statement,
    mut on_row: impl FnMut(&[Option<&str>]),
) -> Result<Ran> {
    let client = session.client();
    let text = statement.text.as_str();
    // Only the simple protocol gives every type as text. It would take several statements at
    // once, so the extended protocol, which does not, sees the text first.
    let prepared = client.prepare(text).await.map_err(|e| error::from_statement(&e, text, 0))?;
    let columns = prepared.columns().iter().map(|column| column.name().to_string()).collect();
    let failed = |e: &tokio_postgres::Error| error::from_statement(e, text, 0);
    let with_values;
    let mut started = Instant::now();
    let command = if statement.parameters.is_empty() {
        text
    } else {
        let prepare = format!("PREPARE marula_run AS {text}");
        client.batch_execute(&prepare).await.map_err(|e| error::from_server(&e))?;
        let values: Vec<String> = statement
            .parameters
            .iter()
            .map(|p| p.value.as_deref().map_or("NULL".into(), sql::quote_literal))
            .collect();
        with_values = format!("EXECUTE marula_run({})", values.join(", "));
        started = Instant::now();
        with_values.as_str()
    };
    let mut messages =
        std::pin::pin!(client.simple_query_raw(command).await.map_err(|e| failed(&e))?);
    let mut rows = 0;
    let streamed = async {
        while let Some(message) = messages.try_next().await? {
            if let SimpleQueryMessage::Row(row) = message {
                let values: Vec<Option<&str>> =
                    (0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
                rows += 1;
                on_row(&values);
            }
        }
        Ok::<_, tokio_postgres::Error>(())
    }
    .await;
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    if !statement.parameters.is_empty() {
        // In a failed transaction this fails too; then the rollback does not remove it, and the
        // next run's PREPARE would find the name taken.
        if client.batch_execute("DEALLOCATE marula_run").await.is_err() {
            let _ = client.batch_execute("ROLLBACK; DEALLOCATE marula_run; BEGIN").await;
        }
    }
    streamed.map_err(|e| failed(&e))?;
    Ok(Ran { columns, rows, ms })
}
