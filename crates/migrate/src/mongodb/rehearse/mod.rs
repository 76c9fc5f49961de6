//! Rehearsing on MongoDB: the migration runs on a replica set of one member while clients go on
//! working.
//!
//! What the clients measured is the truth. Locks come from the server's counters, which miss none
//! (`serverStatus().locks` before and after each command: clients take no exclusive lock), and from
//! `$currentOp` every 8 ms, which says how long they were held; the oplog is summed up by `$bsonSize`.

mod drive;
mod load;
mod made_up;
mod record;
pub mod same;
mod secondary;
mod stage;
mod told;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document};
use marula_core::{Failure, MigrationForm, Progress, RehearsalRun, RehearsedLoad, Result};
use marula_mongodb::Session;

pub use stage::Stage;

use super::apply::Ground;
use crate::apply::Direction;
use crate::migration::{Migration, Step, StepKind};
use crate::rehearse::clients::{Ledger, Operation};
use crate::rehearse::{RehearseOptions, Told, course, ms};
use drive::Made;
use record::{Looker, Recorder};

/// The collection a command is about.
pub(crate) fn collection_of(command: &Document) -> Option<String> {
    let (name, value) = command.iter().next()?;
    match value {
        Bson::String(full) if name == "renameCollection" => {
            full.split_once('.').map(|(_, name)| name.to_owned())
        }
        Bson::String(name) => Some(name.clone()),
        _ => None,
    }
}

/// What clients and watcher brought back.
struct Seen {
    usual: Vec<Operation>,
    during: Vec<Operation>,
    watched: watch::Watched,
    /// Oplog of one writing operation, in bytes.
    oplog_per_write: f64,
}

/// Runs one migration under load on `copy`, and then its way back.
async fn one(
    stage: &Stage,
    copy: &Session,
    form: MigrationForm,
    migration: &Migration,
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<Told<RehearsalRun>> {
    let before = same::state(copy).await?;
    let load = match &options.workload {
        Some(given) => load::given(copy, given, &stage.touched).await?,
        None => load::mix(copy, &stage.touched).await?,
    };
    let made = Made::default();
    let ledger = Arc::new(Ledger::default());
    let clients =
        drive::clients(copy, &load, options.clients, options.rate, &ledger, &made).await?;
    progress.step("letting clients work");
    let start = watch::counters(copy).await?;
    tokio::time::sleep(options.warm_up).await;
    let end = watch::counters(copy).await?;
    let usual = ledger.take();
    let writes =
        usual.iter().filter(|o| load.kinds.get(o.kind).is_some_and(|k| k.writes())).count();
    let bytes = watch::oplog_bytes(copy, start.at, end.at).await?;
    let oplog_per_write = bytes as f64 / writes.max(1) as f64;

    let data = stage.server.folder().join("data");
    let watching = watch::watch(drive::named(copy, "marula watch").await?, data, ledger.clone());
    let behind = match &stage.secondary {
        Some(second) => Some(secondary::watch(copy, &second.spec(), ledger.clone()).await?),
        None => None,
    };
    let mut standing = Vec::new();
    let mut tasks = clients;
    for (hold, writes) in [(options.reader, false), (options.writer, true)] {
        if !hold.is_zero() && !load.stands.is_empty() {
            let (one, task) =
                drive::stand(copy, load.stands.clone(), writes, hold, &ledger).await?;
            standing.push(Arc::new(one));
            tasks.push(task);
        }
    }
    progress.step(&format!("running {} under load", migration.title()));
    let objects = migration.up.iter().map(object_of).collect();
    let recorder = Recorder::new(objects, standing);
    let looker = Arc::new(Looker(tokio::sync::Mutex::new(recorder)));
    let work = apply(copy, migration, Direction::Up, Some(looker.clone()), &marula_core::Quiet);
    let ran = course::within(options.limit, migration.up.len(), work).await;
    // Who was stalled gets the answer now.
    tokio::time::sleep(options.warm_up.min(Duration::from_millis(500))).await;
    ledger.stop();
    for task in tasks {
        let _ = task.await;
    }
    let noted = std::mem::take(&mut looker.0.lock().await.noted);
    let mut oplog = Vec::new();
    for noted in &noted {
        let (before, after) = &noted.counters;
        oplog.push(watch::oplog_bytes(copy, before.at, after.at).await?);
    }
    let watched = watching.await.unwrap_or_default();
    let seen = Seen { usual, during: ledger.take(), watched, oplog_per_write };
    let mut run = told::run(stage, migration, form, &load, &noted, &oplog, &seen);
    if let Some(behind) = behind {
        run.replication_lag_ms = behind.await.unwrap_or_default();
    }
    drive::tidy(copy, &load, &made).await;
    match ran {
        Err(error) => run.failure = Some(Failure::from(&error)),
        Ok(()) => {
            if migration.down.is_some() {
                progress.step("going back");
                let down = apply(copy, migration, Direction::Down, None, progress);
                let after = async { Ok(same::differences(&before, &same::state(copy).await?)) };
                run.way_back = Some(course::way_back(down, after).await?);
            }
        }
    }
    let there = !load.stands.is_empty();
    let shown = RehearsedLoad {
        from_workload: options.workload.is_some(),
        clients: options.clients,
        rate: options.rate,
        reader_ms: if there { ms(options.reader) } else { 0.0 },
        writer_ms: if there { ms(options.writer) } else { 0.0 },
        operations: load.kinds.iter().map(|kind| kind.about.clone()).collect(),
    };
    Ok((run, shown, load.notes))
}

/// The collection a step is about.
fn object_of(step: &Step) -> String {
    match &step.kind {
        StepKind::Backfill(fill) => fill.collection.clone(),
        StepKind::Command(command) => collection_of(command).unwrap_or_default(),
        StepKind::Sql(_) => String::new(),
    }
}

/// Runs a part as `marula migrate apply` does, on the copy's own history.
async fn apply(
    copy: &Session,
    migration: &Migration,
    direction: Direction,
    looker: Option<Arc<Looker>>,
    progress: &dyn Progress,
) -> Result<()> {
    let spec = copy.spec().with_database(copy.database().name());
    let mut ground = Ground::open(&spec).await?;
    if let Some(looker) = looker {
        ground = ground.seen_by(looker);
    }
    let here = here(migration, copy.database().name());
    crate::apply::once(&ground, &here, direction, progress).await
}

/// The same migration with names of the copy's database, which has one of its own.
fn here(migration: &Migration, database: &str) -> Migration {
    let mut here = migration.clone();
    for step in here.up.iter_mut().chain(here.down.iter_mut().flatten()) {
        let StepKind::Command(command) = &mut step.kind else { continue };
        if !command.contains_key("renameCollection") {
            continue;
        }
        for key in ["renameCollection", "to"] {
            let name = command.get_str(key).ok().and_then(|full| full.split_once('.'));
            if let Some(name) = name.map(|(_, name)| format!("{database}.{name}")) {
                command.insert(key, name);
            }
        }
    }
    here
}
