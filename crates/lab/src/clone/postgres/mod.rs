//! A copy of what a statement touches, from a PostgreSQL server that is only read.
//!
//! The schema is read from the server's own catalogue, all in one snapshot. Rows go through
//! COPY; indexes and constraints are built after them under their own names; then the planner's
//! statistics and settings follow, so that it plans on the copy as it does on the target.

mod build;
mod data;
mod database;
mod draw;
mod keys;
mod objects;
mod sample;
mod schema;
mod statistics;
mod tables;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use marula_core::{Dataset, Depth, Error, ErrorKind, Progress, Result};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

pub(crate) use database::name as database_name;

use super::{CloneLimits, Join, Size, words};
use crate::bench::postgres::{Copied, PostgresBench};
use draw::drawn;
use tables::Table;

/// What to copy.
#[derive(Debug, Clone)]
pub struct Request {
    /// The relations the statement names, as `schema.name`.
    pub relations: Vec<String>,
    /// The equalities between columns in the statement.
    pub joins: Vec<Join>,
    /// The statement: functions, types and collations it names are copied, too.
    pub statement: String,
    /// How much may be copied.
    pub limits: CloneLimits,
}

/// Copying may take this long on the source in one statement.
const STATEMENT_LIMIT: Duration = Duration::from_secs(3600);

/// Copies what `request` names from `source` into a new database of the lab server at `lab`,
/// whose superuser the spec is of.
///
/// The source is read over connections of its own, in one read-only snapshot.
///
/// # Errors
/// `NotFound` when no relation of the request exists, `Unsupported` for a foreign table or a
/// column type the lab does not have, `Denied` without the right to read, `Lab` when the lab
/// server cannot make the copy.
pub async fn clone(
    source: &Session,
    lab: &ConnectSpec,
    request: &Request,
    progress: &dyn Progress,
) -> Result<PostgresBench> {
    copy(source, lab, request, Size::Limit(request.limits.bytes), progress).await
}

pub(crate) async fn copy(
    source: &Session,
    lab: &ConnectSpec,
    request: &Request,
    size: Size,
    progress: &dyn Progress,
) -> Result<PostgresBench> {
    progress.step("reading the schema of what the statement touches");
    let settings = database::settings(source.client()).await?;
    let reader = open_source(source, None).await?;
    let snapshot: String = reader
        .client()
        .query_one("SELECT pg_catalog.pg_export_snapshot()", &[])
        .await
        .map_err(failed)?
        .get(0);
    let tables = tables::read(reader.client(), &request.relations).await?;
    if tables.is_empty() && !request.relations.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("no table is called {}", request.relations.join(" or ")),
        ));
    }
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let names: Vec<String> = words(&request.statement).into_iter().collect();
    let needed = objects::find(reader.client(), &oids, &names).await?;
    let keys = keys::read(reader.client(), &oids).await?;
    let known = statistics::read(reader.client(), &oids, source.version().major).await?;

    let mut notes = Vec::new();
    let size = size.on_this_disk(tables.iter().map(|table| table.bytes).sum(), &mut notes)?;
    for table in tables.iter().filter(|table| table.row_security) {
        notes.push(format!(
            "{} has row-level security for this user: only the rows the user may see were copied, \
             and the copy has no policies, so what they cost is in none of the times",
            table.quoted
        ));
    }
    let database = database::create(reader.client(), lab, &mut notes).await?;
    let spec = lab.with_database(&database);
    let writer = Session::open(&spec, &SessionOptions::lab()).await?;
    schema::create(writer.client(), &tables, needed, &mut notes).await?;

    let plan = drawn(&tables, &keys, &request.joins, size);
    for edge in &plan.dropped {
        notes.push(format!("rows of the sample may miss theirs along {edge}"));
    }
    let same_major = source.version().major == writer.version().major;
    let copies = copies(&tables, &plan.conditions, same_major, writer.version().major);
    let lanes = request.limits.parallel.clamp(1, 8);
    let holder = build::hold(&spec).await?;
    let rows = rows(source, &snapshot, &spec, copies, lanes, progress).await?;
    drop(reader);
    build::trim(writer.client(), &tables, writer.version().major).await?;
    drop(holder);

    progress.step("building indexes and constraints on the copy");
    build::indexes(&spec, &keys.indexes, lanes, &mut notes).await?;
    build::constraints(writer.client(), &keys, &mut notes).await?;
    build::visibility(writer.client(), &tables, writer.version().major).await?;
    build::extended(writer.client(), &keys.statistics, &tables, &mut notes).await?;
    progress.step("copying the planner's statistics");
    let mut sampled = rows.clone();
    sampled.retain(|oid, _| plan.conditions.get(oid).is_some_and(Option::is_some));
    build::knowledge(writer.client(), &tables, &known, &sampled, &mut notes).await?;

    let copied: u64 = rows.values().sum();
    let full = plan.conditions.values().all(Option::is_none);
    let share = if full { 1.0 } else { share(&tables, &rows) };
    Ok(PostgresBench::new(Copied {
        lab: lab.clone(),
        database,
        version: writer.version(),
        dataset: Dataset {
            depth: if full { Depth::Full } else { Depth::Sample },
            share,
            rows: copied,
        },
        settings,
        request: request.clone(),
        notes,
    }))
}

/// A connection to the source in a read-only snapshot: a new one, or one that another has.
async fn open_source(source: &Session, snapshot: Option<&str>) -> Result<Session> {
    let options = SessionOptions {
        idle_timeout: Duration::ZERO,
        ..SessionOptions::read_only(STATEMENT_LIMIT)
    };
    let session = Session::open(source.spec(), &options).await?;
    // Names are then printed with their schemas, and rows come in the order they lie in.
    session
        .client()
        .batch_execute(
            "SET synchronize_seqscans = off; SET extra_float_digits = 3; SET datestyle = iso; \
             SET intervalstyle = postgres; SET search_path = ''; \
             BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )
        .await
        .map_err(failed)?;
    if let Some(snapshot) = snapshot {
        session
            .client()
            .batch_execute(&format!("SET TRANSACTION SNAPSHOT '{}'", snapshot.replace('\'', "")))
            .await
            .map_err(failed)?;
    }
    Ok(session)
}

fn copies(
    tables: &[Table],
    conditions: &BTreeMap<u32, Option<String>>,
    same_major: bool,
    major: u16,
) -> VecDeque<data::Copy> {
    let mut copies: Vec<data::Copy> = tables
        .iter()
        .filter(|table| table.has_rows())
        .map(|table| data::Copy {
            table: table.clone(),
            condition: conditions.get(&table.oid).cloned().flatten(),
            binary: same_major && table.copied().all(|column| column.portable),
            freeze: major >= 14 && table.visible_share() > MOSTLY_VISIBLE,
        })
        .collect();
    // The biggest first, so that no lane ends long after the others.
    copies.sort_by_key(|copy| std::cmp::Reverse(copy.table.bytes));
    copies.into()
}

/// A table of which more than this share of blocks is all-visible is written as vacuumed.
pub(super) const MOSTLY_VISIBLE: f64 = 0.5;

/// Copies all rows, several tables at a time; gives the rows by table.
async fn rows(
    source: &Session,
    snapshot: &str,
    lab: &ConnectSpec,
    copies: VecDeque<data::Copy>,
    lanes: usize,
    progress: &dyn Progress,
) -> Result<BTreeMap<u32, u64>> {
    let total: u64 = copies.iter().map(|copy| copy.table.bytes).sum();
    let lanes = lanes.min(copies.len());
    let queue = Mutex::new(copies);
    let copied = Mutex::new(BTreeMap::new());
    let done = AtomicU64::new(0);
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let lane = async || -> Result<()> {
        let from = open_source(source, Some(snapshot)).await?;
        let to = Session::open(lab, &SessionOptions::lab()).await?;
        while let Some(copy) = next() {
            progress.step(&format!("copying {}", copy.table.quoted));
            let advance = |bytes: u64| {
                let now = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                progress.advance(now.min(total), total);
            };
            let rows = data::copy(from.client(), to.client(), &copy, &advance)
                .await
                .map_err(|error| error.at(copy.table.quoted.clone()))?;
            if let Ok(mut copied) = copied.lock() {
                copied.insert(copy.table.oid, rows);
            }
        }
        Ok(())
    };
    try_join_all((0..lanes).map(|_| lane())).await?;
    Ok(copied.into_inner().unwrap_or_default())
}

/// The share of the rows that were copied, by the planner's count of what there is.
fn share(tables: &[Table], rows: &BTreeMap<u32, u64>) -> f64 {
    let counted = tables.iter().filter_map(|table| {
        let copied = *rows.get(&table.oid)? as f64;
        Some((copied, table.estimated_rows()?.max(copied)))
    });
    let (copied, all) = counted.fold((0.0, 0.0), |sum, (c, a)| (sum.0 + c, sum.1 + a));
    if all > 0.0 { copied / all } else { 1.0 }
}

/// A name as an identifier in SQL.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A driver's error.
pub(crate) fn failed(error: tokio_postgres::Error) -> Error {
    marula_postgres::from_server(&error)
}
