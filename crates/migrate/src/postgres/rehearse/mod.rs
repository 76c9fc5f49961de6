//! Rehearsing on PostgreSQL: the migration runs on a copy while clients go on working.
//!
//! [`Stage`] holds the throw-away server; [`crate::rehearse::rehearse`] runs migrations on copies of its database.
//! Locks are recorded by OID from another session every 5 ms, and by the migration's own session
//! before each commit, where none can be missed; a rewrite is a changed relfilenode, a scan half of
//! a table's rows read in sequence. Who waited for which lock is in the server's own log
//! (`log_lock_waits` with a `deadlock_timeout` of 1 ms).

mod drive;
mod load;
mod look;
mod made_up;
mod record;
mod same;
mod stage;
mod standby;
mod told;
mod touched;
mod watch;
mod workload;

use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use marula_core::{Error, Failure, MigrationForm, Progress, RehearsalRun, RehearsedLoad, Result};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

pub use stage::Stage;

use super::apply::Ground;
use crate::apply::Direction;
use crate::migration::Migration;
use crate::rehearse::clients::{Ledger, Operation};
use crate::rehearse::{RehearseOptions, Told, course, ms};
use drive::Made;
use load::Load;
use record::{Looker, Recorder};

/// A driver's error.
pub(super) fn failed(error: tokio_postgres::Error) -> Error {
    marula_postgres::from_server(&error)
}

/// Runs a part as `marula migrate apply` does, on the copy's own history.
async fn apply(
    copy: &ConnectSpec,
    migration: &Migration,
    direction: Direction,
    looker: Option<Arc<Looker>>,
    progress: &dyn Progress,
) -> Result<()> {
    let mut ground = Ground::open(copy).await?;
    if let Some(looker) = looker {
        ground = ground.seen_by(looker);
    }
    crate::apply::once(&ground, migration, direction, progress).await
}

/// What clients and watcher brought back.
struct Seen {
    usual: Vec<Operation>,
    during: Vec<Operation>,
    watched: watch::Watched,
    waits: Vec<watch::LoggedWait>,
    clock: watch::Clock,
    /// WAL of one writing operation, in bytes.
    wal_per_write: f64,
}

/// Runs one migration under load on `copy`, and then its way back.
async fn one(
    stage: &Stage,
    copy: &ConnectSpec,
    form: MigrationForm,
    migration: &Migration,
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<Told<RehearsalRun>> {
    let own = Session::open(copy, &SessionOptions::lab()).await?;
    let catalog =
        marula_postgres::catalog::read(&own, marula_postgres::catalog::Scope::All).await?;
    let load = match &options.workload {
        Some(given) => workload::load(&own, given, &catalog, stage).await?,
        None => load::mix(&own, &catalog, &stage.touched, &migration.text).await?,
    };
    progress.step("summing up what is there");
    let before = state(copy).await?;
    let made = Made::default();
    let offset = std::fs::metadata(stage.server.log()).map_or(0, |about| about.len());

    let ledger = Arc::new(Ledger::default());
    let clock = watch::Clock::now();
    let clients =
        drive::clients(copy, &load, options.clients, options.rate, &ledger, &made).await?;
    progress.step("letting clients work");
    let wal_before = wal(&own).await?;
    tokio::time::sleep(options.warm_up).await;
    let wal_after = wal(&own).await?;
    let usual = ledger.take();
    let writes = usual.iter().filter(|o| is_write(&load, o)).count();
    let wal_per_write = (wal_after - wal_before) / writes.max(1) as f64;

    let pid = Arc::new(AtomicI32::new(0));
    let data = stage.server.folder().join("data");
    let watching = watch::watch(copy, pid.clone(), data, ledger.clone()).await?;
    let behind = match &stage.standby {
        Some(standby) => Some(standby::watch(copy, &standby.spec(), ledger.clone()).await?),
        None => None,
    };
    let mut standing = Vec::new();
    let mut tasks = clients;
    for (hold, begin, statements) in [
        (options.reader, "BEGIN ISOLATION LEVEL REPEATABLE READ", load.reads.clone()),
        (options.writer, "BEGIN", load.writes.clone()),
    ] {
        if !hold.is_zero() && !statements.is_empty() {
            let (one, task) = drive::stand(copy, begin, statements, hold, &ledger).await?;
            standing.push(Arc::new(one));
            tasks.push(task);
        }
    }
    progress.step(&format!("running {} under load", migration.title()));
    let recorder = Recorder::new(&own, migration.up.len(), standing, pid).await?;
    let looker = Arc::new(Looker(tokio::sync::Mutex::new(recorder)));
    let work = apply(copy, migration, Direction::Up, Some(looker.clone()), &marula_core::Quiet);
    let ran = course::within(options.limit, migration.up.len(), work).await;
    let recorder = looker.0.lock().await;
    recorder.close();
    // Who was stalled gets the answer now.
    tokio::time::sleep(options.warm_up.min(std::time::Duration::from_millis(500))).await;
    ledger.stop();
    for task in tasks {
        let _ = task.await;
    }
    let watched = watching.await.unwrap_or_default();
    let seen = Seen {
        usual,
        during: ledger.take(),
        watched,
        waits: watch::logged(&stage.server.log(), offset),
        clock,
        wal_per_write,
    };
    let mut run = told::run(stage, migration, form, &load, &recorder, &seen);
    if let Some(behind) = behind {
        run.replication_lag_ms = behind.await.unwrap_or_default();
    }
    let mut notes = load.notes.clone();
    notes.extend(told::troubled(&load, &seen.usual));
    drop(recorder);
    drive::tidy(&own, &load, &made).await;
    match ran {
        Err(error) => run.failure = Some(Failure::from(&error)),
        Ok(()) => {
            if migration.down.is_some() {
                progress.step("going back");
                let down = apply(copy, migration, Direction::Down, None, progress);
                let after = async { Ok(same::differences(&before, &state(copy).await?)) };
                run.way_back = Some(course::way_back(down, after).await?);
            }
        }
    }
    let shown = RehearsedLoad {
        from_workload: options.workload.is_some(),
        clients: options.clients,
        rate: options.rate,
        reader_ms: if load.reads.is_empty() { 0.0 } else { ms(options.reader) },
        writer_ms: if load.writes.is_empty() { 0.0 } else { ms(options.writer) },
        operations: load.kinds.iter().map(|kind| kind.about.clone()).collect(),
    };
    Ok((run, shown, notes))
}

fn is_write(load: &Load, operation: &Operation) -> bool {
    load.kinds.get(operation.kind).is_some_and(|kind| kind.about.name != "read")
}

async fn wal(session: &Session) -> Result<f64> {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
    Ok(session.client().query_one(sql, &[]).await.map_err(failed)?.get(0))
}

/// What a database holds, as a session of its own sees it: names depend on what is set.
async fn state(spec: &ConnectSpec) -> Result<same::State> {
    let session = Session::open(spec, &SessionOptions::lab()).await?;
    same::state(session.client()).await
}
