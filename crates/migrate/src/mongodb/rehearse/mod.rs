//! Rehearsing on MongoDB: the migration runs on a replica set of one member while clients go on
//! working.
//!
//! What the clients measured is the truth. Locks come from the server's counters, which miss none
//! (`serverStatus().locks` before and after each command: clients take no exclusive lock), and from
//! `$currentOp` every 8 ms, which says how long they were held; the oplog is summed up by `$bsonSize`.

mod drive;
mod execute;
mod load;
mod made_up;
mod record;
pub mod same;
mod stage;
mod told;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bson::{Bson, Document};
use marula_core::{
    Failure, MigrationForm, Progress, Rehearsal, RehearsalRun, RehearsedLoad, Result, WayBack,
};
use marula_mongodb::Session;

pub use stage::Stage;

use super::fix;
use crate::migration::Migration;
use crate::rehearse::clients::{Ledger, Operation};
use crate::rehearse::{RehearseOptions, ms};
use drive::{Made, Standing};
use record::Recorder;

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

/// Runs migrations in order under load, as written and, when asked, in their safe form, each form
/// on a copy of its own.
///
/// # Errors
/// When the lab's server fails; what a migration's command fails with is in its run.
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
        let _ = copy.database().drop().await;
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
    let mut schema = stage.schema();
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
        if migration.down_path.is_some() {
            safe.down.clone_from(&migration.down);
            safe.down_options = migration.down_options.clone();
        }
        any = true;
        all.push(safe);
    }
    Ok(any.then_some(all))
}

/// What clients and watcher brought back.
struct Seen {
    usual: Vec<Operation>,
    during: Vec<Operation>,
    watched: watch::Watched,
    /// Oplog of one writing operation, in bytes.
    oplog_per_write: f64,
}

/// Runs migrations in order under load on a copy that [`Stage::fresh`] gave; what clients did, and
/// what the reader should know, come with it.
///
/// # Errors
/// When the lab's server fails.
pub async fn run_on(
    stage: &Stage,
    copy: &Session,
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
            let mut recorder = Recorder::quiet(migration.up.len());
            execute::execute(copy, &migration.up, &migration.options, &mut recorder).await?;
        }
    }
    Ok((runs, shown, notes))
}

/// Runs one migration under load on `copy`, and then its way back.
async fn one(
    stage: &Stage,
    copy: &Session,
    form: MigrationForm,
    migration: &Migration,
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(RehearsalRun, RehearsedLoad, Vec<String>)> {
    let before = same::state(copy).await?;
    let load = match &options.workload {
        Some(given) => load::given(copy, given, &stage.touched).await?,
        None => load::mix(copy, &stage.touched).await?,
    };
    let session = drive::named(copy, watch::MIGRATION).await?;
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
    let mut standing = Vec::new();
    let mut tasks = clients;
    for (hold, writes) in [(options.reader, false), (options.writer, true)] {
        if !hold.is_zero() && !load.stands.is_empty() {
            let (one, task) =
                Standing::start(copy, load.stands.clone(), writes, hold, &ledger).await?;
            standing.push(one);
            tasks.push(task);
        }
    }
    progress.step(&format!("running {} under load", migration.title()));
    let mut recorder = Recorder::new(migration.up.len(), standing.iter().collect());
    let work = execute::execute(&session, &migration.up, &migration.options, &mut recorder);
    let limit = options.limit.saturating_mul(u32::try_from(migration.up.len().max(1)).unwrap_or(1));
    let ran = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        use marula_core::{Error, ErrorKind};
        Err(Error::new(ErrorKind::Timeout, format!("took longer than {} s", limit.as_secs()))
            .hint("give it more with --limit"))
    });
    // Who was stalled gets the answer now.
    tokio::time::sleep(options.warm_up.min(Duration::from_millis(500))).await;
    ledger.stop();
    for task in tasks {
        let _ = task.await;
    }
    let noted = std::mem::take(&mut recorder.noted);
    let mut oplog = Vec::new();
    for noted in &noted {
        let (before, after) = &noted.counters;
        oplog.push(watch::oplog_bytes(copy, before.at, after.at).await?);
    }
    let watched = watching.await.unwrap_or_default();
    let seen = Seen { usual, during: ledger.take(), watched, oplog_per_write };
    let mut run = told::run(stage, migration, form, &load, &noted, &oplog, &seen);
    drive::tidy(copy, &load, &made).await;
    match ran {
        Err(error) => run.failure = Some(Failure::from(&error)),
        Ok(()) => {
            if migration.down.is_some() {
                progress.step("going back");
                run.way_back = Some(way_back(&session, migration, &before).await?);
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

/// Runs the down part without load, and compares.
async fn way_back(
    session: &Session,
    migration: &Migration,
    before: &same::State,
) -> Result<WayBack> {
    let steps = migration.down.as_deref().unwrap_or_default();
    let mut recorder = Recorder::quiet(steps.len());
    let began = Instant::now();
    let ran = execute::execute(session, steps, &migration.down_options, &mut recorder).await;
    let duration_ms = ms(began.elapsed());
    if let Err(error) = ran {
        let failed = Some(error.to_string());
        return Ok(WayBack { duration_ms, restored: false, differences: Vec::new(), failed });
    }
    let differences = same::differences(before, &same::state(session).await?);
    Ok(WayBack { duration_ms, restored: differences.is_empty(), differences, failed: None })
}
