//! The course of a rehearsal, the same on both engines.

use std::time::{Duration, Instant};

use marula_core::{
    Dataset, Error, ErrorKind, LabServer, MigrationForm, Progress, Rehearsal, RehearsalRun,
    RehearsedLoad, Result, WayBack,
};

use super::{RehearseOptions, ms};
use crate::apply::Direction;
use crate::lint::Fixed;
use crate::migration::Migration;

/// A run, what clients did meanwhile, and what the reader should know.
pub type Told<R> = (R, RehearsedLoad, Vec<String>);

/// What an engine does for it: a server of our own with a pristine database, of which every form of
/// the migrations gets a copy.
#[allow(async_fn_in_trait)]
pub trait Stage {
    /// One of the copies.
    type Copy;
    /// The server.
    fn server(&self) -> LabServer;
    /// The data.
    fn dataset(&self) -> Dataset;
    /// What the reader should know of how it was made.
    fn notes(&self) -> &[String];
    /// The safe form of each migration, where there is one; `None` when there is none at all.
    fn safe(&self, migrations: &[Migration]) -> Result<Option<Vec<Migration>>>;
    /// A copy of the pristine database.
    async fn fresh(&self) -> Result<Self::Copy>;
    /// Drops a copy.
    async fn drop(&self, copy: &Self::Copy) -> Result<()>;
    /// Runs one migration under load on a copy, and then its way back.
    async fn one(
        &self,
        copy: &Self::Copy,
        form: MigrationForm,
        migration: &Migration,
        options: &RehearseOptions,
        progress: &dyn Progress,
    ) -> Result<Told<RehearsalRun>>;
    /// Runs a part of a migration as `marula migrate apply` does, on the copy's own history.
    async fn apply(
        &self,
        copy: &Self::Copy,
        migration: &Migration,
        direction: Direction,
        progress: &dyn Progress,
    ) -> Result<()>;
}

/// Runs migrations in order under load, as written and, when asked, in their safe form, each form
/// on a copy of its own.
///
/// # Errors
/// When the lab's server fails; what a migration's step fails with is in its run.
pub async fn rehearse(
    stage: &impl Stage,
    migrations: &[Migration],
    safe_too: bool,
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    let mut notes = stage.notes().to_vec();
    let mut forms = vec![(MigrationForm::Written, migrations.to_vec())];
    if safe_too {
        match stage.safe(migrations)? {
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

/// Runs migrations in order under load on a copy that [`Stage::fresh`] gave.
///
/// # Errors
/// When the lab's server fails.
pub async fn run_on<S: Stage>(
    stage: &S,
    copy: &S::Copy,
    form: MigrationForm,
    migrations: &[Migration],
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<Told<Vec<RehearsalRun>>> {
    let mut notes = Vec::new();
    let mut runs = Vec::new();
    let mut shown = RehearsedLoad::default();
    for (at, migration) in migrations.iter().enumerate() {
        let (run, load, more) = stage.one(copy, form, migration, options, progress).await?;
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
            stage.apply(copy, migration, Direction::Up, progress).await?;
        }
    }
    Ok((runs, shown, notes))
}

/// The safe form of each migration by an engine's `fix`, which is asked in order; `None` when there
/// is none at all.
pub(crate) fn safe(
    migrations: &[Migration],
    mut fix: impl FnMut(&Migration) -> Result<Option<Fixed>>,
) -> Result<Option<Vec<Migration>>> {
    let mut all = Vec::new();
    let mut any = false;
    for migration in migrations {
        let Some(fixed) = fix(migration)? else {
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

/// Lets a migration of so many steps run no longer than each may.
pub(crate) async fn within(
    each: Duration,
    steps: usize,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    let limit = each.saturating_mul(u32::try_from(steps.max(1)).unwrap_or(1));
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let what = format!("took longer than {} s", limit.as_secs());
        Err(Error::new(ErrorKind::Timeout, what).hint("give it more with --limit"))
    })
}

/// Runs the down part without load; then `differences` are looked for.
pub(crate) async fn way_back(
    down: impl Future<Output = Result<()>>,
    differences: impl Future<Output = Result<Vec<String>>>,
) -> Result<WayBack> {
    let began = Instant::now();
    let ran = down.await;
    let duration_ms = ms(began.elapsed());
    if let Err(error) = ran {
        let failed = Some(error.to_string());
        return Ok(WayBack { duration_ms, restored: false, differences: Vec::new(), failed });
    }
    let differences = differences.await?;
    Ok(WayBack { duration_ms, restored: differences.is_empty(), differences, failed: None })
}
