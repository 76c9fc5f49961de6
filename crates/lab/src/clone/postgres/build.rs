//! What follows the rows: indexes, constraints, statistics, visibility.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use futures_util::future::try_join_all;
use marula_core::Result;
use marula_postgres::{ConnectSpec, Session, SessionOptions};
use tokio_postgres::Client;

use super::keys::Keys;
use super::objects::Object;
use super::statistics::{self, ColumnStatistics};
use super::tables::Table;
use super::{MOSTLY_VISIBLE, failed};

/// A session that sees nothing of what is copied after it: while it is open, VACUUM cannot
/// mark copied rows as visible to all.
pub(super) async fn hold(lab: &ConnectSpec) -> Result<Session> {
    let session = Session::open(lab, &SessionOptions::lab()).await?;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_catalog.pg_class";
    session.client().batch_execute(begin).await.map_err(failed)?;
    Ok(session)
}

/// Cuts off the empty pages that COPY leaves at the end of a table since 16 (it extends tables
/// by many pages at once): on small tables they would change the planner's costs.
pub(super) async fn trim(lab: &Client, tables: &[Table], major: u16) -> Result<()> {
    const SMALL: f64 = 1000.0;
    if major < 16 {
        return Ok(());
    }
    for table in tables.iter().filter(|t| t.has_rows() && t.blocks < SMALL) {
        let trim = format!("VACUUM (TRUNCATE, INDEX_CLEANUP OFF) {}", table.quoted);
        lab.batch_execute(&trim).await.map_err(failed)?;
    }
    Ok(())
}

/// Builds indexes, several at a time.
pub(super) async fn indexes(
    lab: &ConnectSpec,
    indexes: &[Object],
    lanes: usize,
    notes: &mut Vec<String>,
) -> Result<()> {
    let queue: Mutex<VecDeque<&Object>> = Mutex::new(indexes.iter().collect());
    let found = Mutex::new(Vec::new());
    let lane = async || -> Result<()> {
        let session = Session::open(lab, &SessionOptions::lab()).await?;
        // The source's schema names its objects in full; index methods may need some memory.
        let set = "SET search_path = ''; SET maintenance_work_mem = '256MB'; \
                   SET client_min_messages = error; SET max_parallel_maintenance_workers = 1";
        session.client().batch_execute(set).await.map_err(failed)?;
        while let Some(index) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
            let note = note(session.client().batch_execute(&index.ddl).await, &index.name)?;
            if let (Some(note), Ok(mut found)) = (note, found.lock()) {
                found.push(note);
            }
        }
        Ok(())
    };
    try_join_all((0..lanes.min(indexes.len())).map(|_| lane())).await?;
    notes.extend(found.into_inner().unwrap_or_default());
    Ok(())
}

/// Adds constraints. What the source has checked is not checked again: it is added unchecked,
/// and then marked as checked.
pub(super) async fn constraints(lab: &Client, keys: &Keys, notes: &mut Vec<String>) -> Result<()> {
    lab.batch_execute("SET maintenance_work_mem = '256MB'").await.map_err(failed)?;
    for constraint in &keys.then {
        notes.extend(note(lab.batch_execute(&constraint.ddl).await, &constraint.name)?);
    }
    const MARK: &str = "UPDATE pg_catalog.pg_constraint SET convalidated = true
      WHERE NOT convalidated AND contype IN ('c', 'f') AND conname::text <> ALL($1)";
    lab.execute(MARK, &[&keys.unchecked]).await.map_err(failed)?;
    Ok(())
}

/// Creates extended statistics, and gathers those that held something: their values cannot be
/// copied.
pub(super) async fn extended(
    lab: &Client,
    extended: &[(Object, u32, bool)],
    tables: &[Table],
    notes: &mut Vec<String>,
) -> Result<()> {
    let mut gather = Vec::new();
    for (object, table, filled) in extended {
        notes.extend(note(lab.batch_execute(&object.ddl).await, &object.name)?);
        if *filled && !gather.contains(table) {
            gather.push(*table);
        }
    }
    for table in tables.iter().filter(|table| gather.contains(&table.oid)) {
        let analyze = format!("ANALYZE {}", table.quoted);
        notes.extend(note(lab.batch_execute(&analyze).await, &table.quoted)?);
    }
    Ok(())
}

/// Makes the planner know what it knows on the source, and no more. `sampled` are the rows of
/// the tables of which not all were copied.
pub(super) async fn knowledge(
    lab: &Client,
    tables: &[Table],
    known: &[ColumnStatistics],
    sampled: &BTreeMap<u32, u64>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let quoted: Vec<String> = tables.iter().map(|table| table.quoted.clone()).collect();
    statistics::clear(lab, &quoted).await?;
    for column in known {
        if let Err(error) = statistics::write(lab, column).await {
            notes.push(format!("statistics of {} are not copied: {error}", column.place()));
        }
    }
    for table in tables.iter().filter(|table| table.kind != 'v') {
        statistics::write_counts(lab, table, share_of(table, sampled)).await?;
    }
    Ok(())
}

/// The share of a table's rows that were copied, by the planner's count; 1 when all were,
/// however wrong that count is.
fn share_of(table: &Table, sampled: &BTreeMap<u32, u64>) -> f64 {
    match (sampled.get(&table.oid), table.estimated_rows()) {
        (Some(rows), Some(estimated)) if estimated > 0.0 => *rows as f64 / estimated,
        _ => 1.0,
    }
}

/// Marks mostly visible tables so on servers whose COPY does not.
pub(super) async fn visibility(lab: &Client, tables: &[Table], major: u16) -> Result<()> {
    if major >= 14 {
        return Ok(());
    }
    for table in tables.iter().filter(|t| t.has_rows() && t.visible_share() > MOSTLY_VISIBLE) {
        lab.batch_execute(&format!("VACUUM {}", table.quoted)).await.map_err(failed)?;
    }
    Ok(())
}

/// A note when the server refused; an error when it is gone.
fn note(
    done: std::result::Result<(), tokio_postgres::Error>,
    name: &str,
) -> Result<Option<String>> {
    match done {
        Ok(()) => Ok(None),
        Err(error) if error.as_db_error().is_none() => Err(failed(error)),
        Err(error) => {
            Ok(Some(format!("{name} is missing in the lab: {}", failed(error).message())))
        }
    }
}
