//! A few rows of a statement's result, from anywhere in it.

use std::ops::ControlFlow;

use futures_util::TryStreamExt;
use marula_core::{Result, Statement};
use tokio_postgres::SimpleQueryMessage;

use crate::{Session, error, names, transaction};

/// How many rows are fetched at a time: what a large row too many costs is bounded by it.
const BATCH: u64 = 20;

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type's name: `int4`, `timestamptz`.
    pub type_name: String,
}

/// Reads rows after the first `skip` in a read-only transaction, and gives each, in the server's
/// text form, until `on_row` breaks. The statement is a cursor on the server: rows that nobody
/// wants are neither made nor sent. Gives the columns, and whether there may be more rows.
///
/// The statement must have passed [`crate::guard`] and have no parameters.
///
/// # Errors
/// `Timeout`, `ServerDied`, `NotFound` with the nearest names, or the server's own, with the
/// place marked.
pub async fn page(
    session: &Session,
    statement: &Statement,
    skip: u64,
    on_row: impl FnMut(&[Option<&str>]) -> ControlFlow<()>,
) -> Result<(Vec<Column>, bool)> {
    match transaction::read_only(session, fetch(session, &statement.text, skip, on_row)).await {
        Ok(page) => Ok(page),
        Err(error) => Err(names::suggest(session, error).await),
    }
}

async fn fetch(
    session: &Session,
    text: &str,
    skip: u64,
    mut on_row: impl FnMut(&[Option<&str>]) -> ControlFlow<()>,
) -> Result<(Vec<Column>, bool)> {
    const DECLARE: &str = "DECLARE marula_page NO SCROLL CURSOR FOR ";
    let client = session.client();
    // The extended protocol takes one statement only, whatever the text holds.
    let prepared = client.prepare(text).await.map_err(|e| error::from_statement(&e, text, 0))?;
    let columns = prepared.columns().iter().map(|column| Column {
        name: column.name().to_string(),
        type_name: column.type_().name().to_string(),
    });
    let columns = columns.collect();
    let failed = |e: &tokio_postgres::Error| error::from_statement(e, text, DECLARE.len());
    client.batch_execute(&format!("{DECLARE}{text}")).await.map_err(|e| failed(&e))?;
    if skip > 0 {
        let skip = skip.min(i64::MAX as u64);
        client
            .batch_execute(&format!("MOVE FORWARD {skip} IN marula_page"))
            .await
            .map_err(|e| failed(&e))?;
    }
    loop {
        let fetch = format!("FETCH FORWARD {BATCH} FROM marula_page");
        let messages = client.simple_query_raw(&fetch).await.map_err(|e| failed(&e))?;
        let mut messages = std::pin::pin!(messages);
        let mut rows = 0;
        while let Some(message) = messages.try_next().await.map_err(|e| failed(&e))? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let values: Result<Vec<Option<&str>>, _> =
                (0..row.len()).map(|at| row.try_get(at)).collect();
            rows += 1;
            if on_row(&values.map_err(|e| failed(&e))?).is_break() {
                return Ok((columns, true));
            }
        }
        if rows < BATCH {
            return Ok((columns, false));
        }
    }
}
