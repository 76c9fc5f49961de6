//! Rehearsing on PostgreSQL: the migration runs on a copy while clients go on working.
//!
//! [`Stage`] holds the throw-away server; [`rehearse`] runs migrations on copies of its database.
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
use std::time::Instant;

use marula_core::{
    Error, ErrorKind, Failure, MigrationForm, Progress, Rehearsal, RehearsalRun, RehearsedLoad,
    Result, WayBack,
};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

pub use stage::Stage;

use super::apply::Ground;
use super::fix;
use super::schema::Schema;
use crate::apply::{ApplyOptions, Direction, Due, Ground as _, key_of};
use crate::migration::Migration;
use crate::rehearse::clients::{Ledger, Operation};
use crate::rehearse::{RehearseOptions, Span, ms};
use drive::{Made, Standing};
use load::Load;
use record::{Looker, Recorder};

/// A driver's error.
pub(super) fn failed(error: tokio_postgres::Error) -> Error {
    marula_postgres::from_server(&error)
}

/// Runs migrations in order under load, as written and, when asked, in their safe form, each form
/// on a copy of its own.
///
/// # Errors
/// When the lab's server fails; what a migration's statement fails with is in its run.
pub async fn rehearse(
    stage: &Stage,
    migrations: &[Migration],
    safe_too: bool,
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    let mut notes = stage.notes.clone();
    let mut forms = vec![(MigrationForm::Written, migrations.to_vec())];
    if safe_too {
        match safe(stage, migrations)? {
            Some(safe) => forms.push((MigrationForm::Safe, safe)),
            None => notes.push("there is nothing that --fix would write in another way".into()),
        }
    }
    let mut told = Vec::new();
    let mut shown = RehearsedLoad::default();
    for (form, migrations) in &forms {
        let copy = stage.fresh().await?;
        let ran = run_on(stage, &copy, *form, migrations, options, progress).await;
        let _ = stage.drop(&copy).await;
        let (runs, load, more) = ran?;
        notes.extend(more);
        told.extend(runs);
        shown = load;
    }
    notes.dedup();
    let rehearsal =
        Rehearsal { server: stage.server(), dataset: stage.dataset(), load: shown, runs: told };
    Ok((rehearsal, notes))
}

/// The safe form of each, where there is one; `None` when there is none at all.
fn safe(stage: &Stage, migrations: &[Migration]) -> Result<Option<Vec<Migration>>> {
    let catalog = stage.target.as_ref().unwrap_or(&stage.catalog);
    let mut schema = Schema::from_catalog(catalog);
    let mut all = Vec::new();
    let mut any = false;
    for migration in migrations {
        let fixed = fix::fix(migration, &schema, stage.server().version)?;
        super::lint::follow(&mut schema, std::slice::from_ref(migration));
        let Some(fixed) = fixed else {
            all.push(migration.clone());
            continue;
        };
        let path = &migration.path;
        let mut safe = crate::files::parse(path, &fixed.text, migration.tool, migration.engine)?;
        if fixed.beside.is_some() {
            safe.options.transaction = false;
        }
        if migration.down_path.is_some() {
            safe.down.clone_from(&migration.down);
            safe.down_options = migration.down_options.clone();
        }
        any = true;
        all.push(safe);
    }
    Ok(any.then_some(all))
}

/// Runs migrations in order under load on a copy that [`Stage::fresh`] gave; what clients did, and
/// what the reader should know, come with it.
///
/// # Errors
/// When the lab's server fails.
pub async fn run_on(
    stage: &Stage,
    copy: &ConnectSpec,
    form: MigrationForm,
    migrations: &[Migration],
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Vec<RehearsalRun>, RehearsedLoad, Vec<String>)> {
    let mut notes = Vec::new();
    let mut runs = Vec::new();
    let mut shown = RehearsedLoad::default();
    for (at, migration) in migrations.iter().enumerate() {
        let (run, load, more) = one(stage, copy, form, migration, options, progress).await?;
        let went = run.failure.is_none();
        let back = run.way_back.as_ref().is_some_and(|back| back.failed.is_none());
        notes.extend(more);
        runs.push(run);
        shown = load;
        if !went {
            break;
        }
        // The next one meets what this one made.
        if back && at + 1 < migrations.len() {
            apply(copy, migration, Direction::Up, None, progress).await?;
        }
    }
    Ok((runs, shown, notes))
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
    let options = ApplyOptions::default();
    let records = ground.records().await?;
    let key = key_of(migration);
    let record = records.iter().find(|record| record.key == key);
    let due = Due { migration, direction, record };
    ground.preflight(&[due], &options).await?;
    ground.lock(options.wait, &options.stop, progress).await?;
    let run = async {
        ground.prepare().await?;
        ground.run(&due, &options, progress).await
    };
    let ran = run.await;
    ground.unlock().await;
    ran
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
) -> Result<(RehearsalRun, RehearsedLoad, Vec<String>)> {
    let own = Session::open(copy, &SessionOptions::lab()).await?;
    let catalog =
        marula_postgres::catalog::read(&own, marula_postgres::catalog::Scope::All).await?;
    let load = match &options.workload {
        Some(given) => workload::load(&own, given, &catalog, stage).await?,
        None => {
            load::mix(&own, &catalog, &stage.touched, &touched::words_of(&migration.text)).await?
        }
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
            let (one, task) = Standing::start(copy, begin, statements, hold, &ledger).await?;
            standing.push(Arc::new(one));
            tasks.push(task);
        }
    }
    progress.step(&format!("running {} under load", migration.title()));
    let recorder = Recorder::new(&own, migration.up.len(), standing, pid).await?;
    let looker = Arc::new(Looker(tokio::sync::Mutex::new(recorder)));
    let work = apply(copy, migration, Direction::Up, Some(looker.clone()), &marula_core::Quiet);
    let limit = options.limit.saturating_mul(u32::try_from(migration.up.len().max(1)).unwrap_or(1));
    let ran = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let what = format!("took longer than {} s", limit.as_secs());
        Err(Error::new(ErrorKind::Timeout, what).hint("give it more with --limit"))
    });
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
                run.way_back = Some(way_back(copy, migration, &before, progress).await?);
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

/// Runs the down part without load, and compares.
async fn way_back(
    copy: &ConnectSpec,
    migration: &Migration,
    before: &same::State,
    progress: &dyn Progress,
) -> Result<WayBack> {
    let began = Instant::now();
    let ran = apply(copy, migration, Direction::Down, None, progress).await;
    let duration_ms = ms(began.elapsed());
    if let Err(error) = ran {
        let failed = Some(error.to_string());
        return Ok(WayBack { duration_ms, restored: false, differences: Vec::new(), failed });
    }
    let differences = same::differences(before, &state(copy).await?);
    Ok(WayBack { duration_ms, restored: differences.is_empty(), differences, failed: None })
}

/// From the first statement's begin to the last one's end.
fn whole(spans: &[Span]) -> f64 {
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => Span { start: first.start, end: last.end }.ms(),
        _ => 0.0,
    }
}
