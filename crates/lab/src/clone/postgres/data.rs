//! The rows: COPY out of the source, straight into COPY of the lab.

use std::io::Cursor;

use futures_util::{SinkExt, StreamExt};
use marula_core::Result;
use tokio_postgres::Client;

use super::failed;
use super::tables::Table;

/// Bytes gathered before they are handed on: the source sends each row on its own.
const CHUNK: usize = 256 * 1024;

/// One table's copy.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub table: Table,
    /// Which rows, in terms of `t`; all of them when `None`.
    pub condition: Option<String>,
    /// Binary is read and written faster, and is exact; it needs servers of one major version.
    pub binary: bool,
    /// Rows are written as visible to all, as on a target that was vacuumed.
    pub freeze: bool,
}

impl Copy {
    fn columns(&self) -> String {
        self.table.copied().map(|c| c.quoted.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn out(&self) -> String {
        let format = if self.binary { "binary" } else { "text" };
        let (table, columns) = (&self.table.quoted, self.columns());
        // A materialized view is not copied by its name before 18; heirs are copied themselves.
        if self.condition.is_none() && self.table.kind == 'r' {
            return format!("COPY {table} ({columns}) TO STDOUT (FORMAT {format})");
        }
        let condition = self.condition.as_ref().map(|c| format!(" WHERE {c}")).unwrap_or_default();
        format!(
            "COPY (SELECT {columns} FROM ONLY {table} t{condition}) TO STDOUT (FORMAT {format})"
        )
    }

    fn into(&self) -> String {
        let format = if self.binary { "binary" } else { "text" };
        let freeze = if self.freeze { ", FREEZE" } else { "" };
        format!(
            "COPY {} ({}) FROM STDIN (FORMAT {format}{freeze})",
            self.table.quoted,
            self.columns()
        )
    }
}

/// Copies one table; gives the rows copied. `advance` hears of the bytes that went by.
pub(super) async fn copy(
    source: &Client,
    lab: &Client,
    copy: &Copy,
    advance: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    // A table emptied in the same transaction is written without a log, and may be frozen.
    lab.batch_execute(&format!("BEGIN; TRUNCATE ONLY {}", copy.table.quoted))
        .await
        .map_err(failed)?;
    let rows = if copy.table.copied().next().is_some() {
        pipe(source, lab, copy, advance).await?
    } else {
        0
    };
    lab.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(rows)
}

async fn pipe(
    source: &Client,
    lab: &Client,
    copy: &Copy,
    advance: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    let stream = source.copy_out(&copy.out()).await.map_err(failed)?;
    let sink = lab.copy_in(&copy.into()).await.map_err(failed)?;
    let mut stream = std::pin::pin!(stream);
    let mut sink = std::pin::pin!(sink);
    let mut chunk: Vec<u8> = Vec::with_capacity(CHUNK + 8192);
    while let Some(row) = stream.next().await {
        chunk.extend_from_slice(&row.map_err(failed)?);
        if chunk.len() >= CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK + 8192));
            advance(full.len() as u64);
            sink.feed(Cursor::new(full)).await.map_err(failed)?;
        }
    }
    if !chunk.is_empty() {
        advance(chunk.len() as u64);
        sink.feed(Cursor::new(chunk)).await.map_err(failed)?;
    }
    sink.as_mut().finish().await.map_err(failed)
}
