//! What is seen from outside while a migration runs: locks of its operations, the server's counters
//! of locks, the oplog, the disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bson::{Bson, Document, Timestamp, doc};
use marula_core::Result;
use marula_mongodb::Session;

use crate::rehearse::Span;
use crate::rehearse::clients::Ledger;
use crate::rehearse::folder_size;

/// How often operations are looked at.
const EVERY: Duration = Duration::from_millis(8);
/// How often the disk is.
const DISK: Duration = Duration::from_millis(100);
/// Locks that are remembered.
const MOST: usize = 200_000;

/// A lock of the migration, for as long as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SeenLock {
    /// The collection.
    pub object: String,
    /// `IS`, `IX`, `S`, `X`.
    pub lock: &'static str,
    /// Whether it had it, or waited for one.
    pub granted: bool,
    /// When.
    pub span: Span,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The migration's locks.
    pub locks: Vec<SeenLock>,
    /// The disk before it.
    pub disk_before: u64,
    /// The disk at its fullest.
    pub disk_peak: u64,
}

/// A mode by its full name: the server writes `r`, `w`, `R`, `W`.
pub(super) fn mode(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "r" => "IS",
        "w" => "IX",
        "R" => "S",
        "W" => "X",
        _ => return None,
    })
}

/// Watches the migration's operations until all are to stop.
pub(super) fn watch(
    session: Session,
    data: PathBuf,
    ledger: Arc<Ledger>,
) -> tokio::task::JoinHandle<Watched> {
    tokio::spawn(async move {
        let admin = session.client().database("admin");
        let ours = doc! { "$or": [{ "appName": "marula migrate" }, { "desc": { "$regex": "^IndexBuild" } }] };
        let ask = doc! { "aggregate": 1, "cursor": {}, "pipeline": [
            { "$currentOp": { "allUsers": true, "idleConnections": false } }, { "$match": ours },
            { "$project": { "ns": 1, "locks": 1, "waitingForLock": 1 } },
        ] };
        let before = folder_size(&data);
        let mut watched = Watched { disk_before: before, disk_peak: before, ..Watched::default() };
        let mut open: HashMap<(String, &'static str, bool), Span> = HashMap::new();
        let mut looked = Instant::now();
        while !ledger.is_stopped() {
            let reply = admin.run_command(ask.clone()).await.unwrap_or_default();
            let now = Instant::now();
            let cursor = reply.get_document("cursor").ok();
            let batch = cursor.and_then(|cursor| cursor.get_array("firstBatch").ok());
            for operation in batch.into_iter().flatten().filter_map(Bson::as_document) {
                let object = operation.get_str("ns").unwrap_or_default();
                let object = object.split_once('.').map_or(object, |(_, name)| name).to_owned();
                let waits = operation.get_bool("waitingForLock").unwrap_or(false);
                let Ok(locks) = operation.get_document("locks") else { continue };
                let of = ["Collection", "Database", "Global"];
                let held = of.iter().find_map(|scope| mode(locks.get_str(scope).ok()?));
                let Some(lock) = held else { continue };
                let new = Span { start: now, end: now };
                open.entry((object, lock, !waits)).or_insert(new).end = now;
            }
            close(&mut open, now, &mut watched);
            if looked.elapsed() > DISK {
                let data = data.clone();
                let size = tokio::task::spawn_blocking(move || folder_size(&data)).await;
                watched.disk_peak = watched.disk_peak.max(size.unwrap_or(0));
                looked = Instant::now();
            }
            ledger.pause(EVERY).await;
        }
        close(&mut open, Instant::now() + EVERY, &mut watched);
        watched.disk_peak = watched.disk_peak.max(folder_size(&data));
        watched
    })
}

fn close(
    open: &mut HashMap<(String, &'static str, bool), Span>,
    now: Instant,
    watched: &mut Watched,
) {
    let over = open.extract_if(|_, span| span.end != now);
    let over = over.map(|((object, lock, granted), span)| SeenLock { object, lock, granted, span });
    let over: Vec<SeenLock> = over.collect();
    if watched.locks.len() < MOST {
        watched.locks.extend(over);
    }
}

/// The server's counters at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    /// How often each lock was taken, by what it is on and its mode: `Collection`, `X`.
    pub taken: HashMap<(String, &'static str), i64>,
    /// Documents looked at by queries and updates.
    pub examined: i64,
    /// Documents that were updated or deleted.
    pub changed: i64,
    /// The end of the oplog.
    pub at: Option<Timestamp>,
}

/// Reads the server's counters.
pub(super) async fn counters(session: &Session) -> Result<Counters> {
    let admin = session.client().database("admin");
    let ask = doc! { "serverStatus": 1, "locks": 1, "metrics": 1 };
    let status = admin.run_command(ask).await.map_err(|error| session.map(error))?;
    let mut counters = Counters::default();
    for scope in ["Global", "Database", "Collection"] {
        let counts = status
            .get_document("locks")
            .and_then(|locks| locks.get_document(scope))
            .and_then(|scope| scope.get_document("acquireCount"));
        for (letter, count) in counts.into_iter().flatten() {
            if let Some(mode) = mode(letter) {
                counters.taken.insert((scope.to_owned(), mode), number(Some(count)));
            }
        }
    }
    let executor =
        status.get_document("metrics").and_then(|metrics| metrics.get_document("queryExecutor"));
    counters.examined = number(executor.ok().and_then(|e| e.get("scannedObjects")));
    let document = status.get_document("metrics").and_then(|m| m.get_document("document")).ok();
    let of = |name: &str| number(document.and_then(|document| document.get(name)));
    counters.changed = of("updated") + of("deleted");
    counters.at = status.get_timestamp("operationTime").ok();
    Ok(counters)
}

/// Bytes of the oplog's entries on a database between two moments.
pub(super) async fn oplog_bytes(
    session: &Session,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<u64> {
    let (Some(from), Some(to)) = (from, to) else { return Ok(0) };
    let local = session.client().database("local");
    let ask = doc! { "aggregate": "oplog.rs", "cursor": {}, "pipeline": [
        { "$match": { "ts": { "$gt": from, "$lte": to }, "op": { "$ne": "n" } } },
        { "$group": { "_id": null, "bytes": { "$sum": { "$bsonSize": "$$ROOT" } } } },
    ] };
    let reply = local.run_command(ask).await.map_err(|error| session.map(error))?;
    let cursor = reply.get_document("cursor").ok();
    let first = cursor.and_then(|c| c.get_array("firstBatch").ok()?.first()?.as_document());
    Ok(number(first.and_then(|first| first.get("bytes"))).unsigned_abs())
}

/// A number of whatever sort.
pub(super) fn number(value: Option<&Bson>) -> i64 {
    match value {
        Some(Bson::Int32(n)) => i64::from(*n),
        Some(Bson::Int64(n)) => *n,
        Some(Bson::Double(n)) => *n as i64,
        _ => 0,
    }
}

/// Documents of a collection by its metadata; 0 when it is not there.
pub(super) async fn count(session: &Session, name: &str) -> u64 {
    let collection = session.database().collection::<Document>(name);
    collection.estimated_document_count().await.unwrap_or(0)
}

/// How many indexes a collection has; 0 when it is not there.
pub(super) async fn indexes(session: &Session, name: &str) -> usize {
    let collection = session.database().collection::<Document>(name);
    collection.list_index_names().await.map_or(0, |names| names.len())
}
