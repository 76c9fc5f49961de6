//! Running migrations on a target, and remembering how far each is.
//!
//! [`compare`] puts a folder beside the history; [`apply`] and [`rollback`] take the lock, look
//! again, and let the engine's [`Ground`] run one migration after the other. A step and the note
//! that it is done are one transaction wherever the engine can; where it cannot, the note says
//! before the step what was there, so that it can be found out afterwards whether it took effect.

pub mod adopt;
mod compare;
pub(crate) mod record;
mod repair;
pub(crate) mod retry;
mod steer;
pub(crate) mod who;
pub(crate) mod witness;

use std::time::{Duration, Instant};

use marula_core::{
    Error, ErrorKind, Finding, MigrationState, MigrationStatus, Migrations, PlannedStep, Progress,
    Result,
};

pub use compare::{Compared, compare, reversible};
pub use record::{Batch, Current, Record, State, digest, file_name, key_of};
pub use repair::{Repair, repair};
pub use steer::Stop;

use crate::files::FileName;
use crate::migration::Migration;

/// Where the history is kept: PostgreSQL's schema, and what MongoDB's collections begin with.
pub const HISTORY: &str = "marula";

/// How migrations are run.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// The last version that is to run; all of them when it is not said.
    pub to: Option<String>,
    /// How long to wait while somebody else migrates; zero to give up at once.
    pub wait: Duration,
    /// How long a statement may wait for a lock before it is tried again.
    pub lock_timeout: Duration,
    /// How often what gets no lock is tried.
    pub tries: u32,
    /// How far replicas may be behind before a backfill waits for them.
    pub max_lag: Duration,
    /// The pause between two batches of a backfill, where the file does not say.
    pub pace: Duration,
    /// Whether to run what was slipped in before something that has run.
    pub out_of_order: bool,
    /// Whether data is looked through for what would fail before anything runs.
    pub check_data: bool,
    /// Asks for an end after the step or batch that runs.
    pub stop: Stop,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        ApplyOptions {
            to: None,
            wait: Duration::from_secs(600),
            lock_timeout: Duration::from_secs(2),
            tries: 30,
            max_lag: Duration::from_secs(10),
            pace: Duration::ZERO,
            out_of_order: false,
            check_data: true,
            stop: Stop::default(),
        }
    }
}

/// Which part of a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What is applied.
    Up,
    /// What takes it back.
    Down,
}

/// A migration that is to run, with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Which part.
    pub direction: Direction,
    /// What the history says of it, when it has begun or was run before.
    pub record: Option<&'a Record>,
}

impl<'a> Due<'a> {
    /// The steps of its part.
    pub fn steps(&self) -> &'a [crate::Step] {
        match self.direction {
            Direction::Up => &self.migration.up,
            Direction::Down => self.migration.down.as_deref().unwrap_or_default(),
        }
    }

    /// How its part wants to run.
    pub fn options(&self) -> &'a crate::Options {
        match self.direction {
            Direction::Up => &self.migration.options,
            Direction::Down => &self.migration.down_options,
        }
    }

    /// The state of the history while it runs.
    pub fn running(&self) -> State {
        match self.direction {
            Direction::Up => State::Applying,
            Direction::Down => State::Reverting,
        }
    }

    /// The state of the history when it is done.
    pub fn ended(&self) -> State {
        match self.direction {
            Direction::Up => State::Applied,
            Direction::Down => State::Reverted,
        }
    }

    /// What of the history tells how to go on, when it was left in the middle.
    pub fn left(&self) -> Option<&'a Record> {
        self.record.filter(|record| record.state == self.running())
    }

    /// How many steps are done.
    pub fn from(&self) -> usize {
        self.left().map_or(0, |record| record.done.len())
    }

    /// The file its part is in.
    pub fn path(&self) -> &'a std::path::Path {
        match (self.direction, &self.migration.down_path) {
            (Direction::Down, Some(path)) => path,
            _ => &self.migration.path,
        }
    }

    /// A step's place, for errors.
    pub fn place(&self, step: usize) -> String {
        let line = self.steps().get(step).map_or(0, |step| step.line);
        format!("{}:{line}", self.path().display())
    }
}

/// What an engine does for it. All of it is refused or run by name; nothing is guessed.
#[allow(async_fn_in_trait)]
pub trait Ground {
    /// The engine.
    fn engine(&self) -> marula_core::Engine;
    /// What the target remembers, in the order in which it was applied; empty when it has no
    /// history yet. Changes nothing.
    async fn records(&self) -> Result<Vec<Record>>;
    /// Who migrates at this moment, if anybody does. Changes nothing.
    async fn holder(&self) -> Result<Option<String>>;
    /// Looks for what would fail. Changes nothing.
    async fn preflight(&self, due: &[Due<'_>], options: &ApplyOptions) -> Result<()>;
    /// How each step from `due.from()` on would run.
    fn plan(&self, due: &Due<'_>) -> Result<Vec<PlannedStep>>;
    /// Takes the lock, or says who has it.
    async fn lock(&self, wait: Duration, stop: &Stop, progress: &dyn Progress) -> Result<()>;
    /// Gives it back.
    async fn unlock(&self);
    /// Makes the place of the history.
    async fn prepare(&self) -> Result<()>;
    /// Runs what is left of one migration.
    async fn run(
        &self,
        due: &Due<'_>,
        options: &ApplyOptions,
        progress: &dyn Progress,
    ) -> Result<()>;
    /// Writes a line of the history as it is given.
    async fn put(&self, record: &Record) -> Result<()>;
    /// Takes a line out of the history.
    async fn forget(&self, key: &str) -> Result<()>;
    /// What other tools remember here. Changes nothing.
    async fn foreign(&self) -> Result<Vec<adopt::Foreign>>;
    /// What is wrong with the target: invalid indexes, things half made. Changes nothing.
    async fn verify(&self) -> Result<Vec<Finding>>;
    /// Who we are, for the history.
    fn who(&self) -> &str;
    /// What the reader should know about what was done, since it was last asked.
    fn notes(&self) -> Vec<String>;
}

/// A migration that ran, and how long it took.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it is known by.
    pub key: String,
    /// Milliseconds.
    pub ms: f64,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What ran to its end, in order.
    pub ran: Vec<Ran>,
    /// What ended the run before its end.
    pub failure: Option<Error>,
}

/// What a target has, beside the folder.
///
/// # Errors
/// What the server says.
pub async fn status(ground: &impl Ground, folder: &[Migration]) -> Result<Migrations> {
    let records = ground.records().await?;
    let compared = compare(folder, &records, false);
    let holder = ground.holder().await?;
    Ok(Migrations { folder: String::new(), list: compared.list, drift: compared.drift, holder })
}

/// What `apply` would run: the status, with the statements of what is due.
///
/// # Errors
/// What the server says; `Refused` for a drift; `Usage` when `to` is not there.
pub async fn plan(
    ground: &impl Ground,
    folder: &[Migration],
    options: &ApplyOptions,
) -> Result<(Migrations, Vec<usize>)> {
    let records = ground.records().await?;
    let compared = compare(folder, &records, options.out_of_order);
    let due = due_up(folder, &records, &compared, options)?;
    adopt::refuse_forgotten(ground, folder, &records, &due).await?;
    ground.preflight(&due, &ApplyOptions { check_data: false, ..options.clone() }).await?;
    let mut list = compared.list;
    let mut indexes = Vec::new();
    for due in &due {
        let key = key_of(due.migration);
        indexes.extend(folder.iter().position(|migration| key_of(migration) == key));
        if let Some(status) = list.iter_mut().find(|status| status.key == key) {
            status.statements = ground.plan(due)?;
        }
    }
    let holder = ground.holder().await?;
    let all = Migrations { folder: String::new(), list, drift: compared.drift, holder };
    Ok((all, indexes))
}

/// Runs what has not run.
///
/// # Errors
/// `Refused` for a drift or somebody else's lock, what the preflight finds; what happens once
/// migrations run is in the outcome.
pub async fn apply(
    ground: &impl Ground,
    folder: &[Migration],
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let records = ground.records().await?;
    let compared = compare(folder, &records, options.out_of_order);
    let due = due_up(folder, &records, &compared, options)?;
    if due.is_empty() {
        return Ok(Outcome::default());
    }
    adopt::refuse_forgotten(ground, folder, &records, &due).await?;
    ground.preflight(&due, options).await?;
    ground.lock(options.wait, &options.stop, progress).await?;
    let outcome = under_lock(ground, options, progress, folder, async || {
        // Somebody may have migrated while we waited for the lock.
        let records = ground.records().await?;
        let compared = compare(folder, &records, options.out_of_order);
        let due = due_up(folder, &records, &compared, options)?;
        Ok(indexes(folder, &due))
    })
    .await;
    ground.unlock().await;
    outcome
}

/// How far back to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// So many migrations.
    Count(usize),
    /// Everything that was applied after this version, which stays.
    To(String),
}

/// Takes migrations back, the last applied first.
///
/// # Errors
/// `Refused` for a drift, for what has no way back (by name, before anything runs), for a
/// migration that is half applied.
pub async fn rollback(
    ground: &impl Ground,
    folder: &[Migration],
    back: &Back,
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let records = ground.records().await?;
    let due = due_down(folder, &records, back)?;
    if due.is_empty() {
        return Ok(Outcome::default());
    }
    ground.preflight(&due, options).await?;
    ground.lock(options.wait, &options.stop, progress).await?;
    let outcome = under_lock(ground, options, progress, folder, async || {
        let records = ground.records().await?;
        let due = due_down(folder, &records, back)?;
        Ok(indexes(folder, &due))
    })
    .await;
    ground.unlock().await;
    outcome
}

/// Runs one part of one migration, whatever else there is.
///
/// # Errors
/// As [`apply`], and what the migration fails with.
pub(crate) async fn once(
    ground: &impl Ground,
    migration: &Migration,
    direction: Direction,
    progress: &dyn Progress,
) -> Result<()> {
    let options = ApplyOptions::default();
    let records = ground.records().await?;
    let key = key_of(migration);
    let record = records.iter().find(|record| record.key == key);
    let due = Due { migration, direction, record };
    ground.preflight(&[due], &options).await?;
    ground.lock(options.wait, &options.stop, progress).await?;
    let ran = async {
        ground.prepare().await?;
        ground.run(&due, &options, progress).await
    };
    let ran = ran.await;
    ground.unlock().await;
    ran
}

/// Where what is due stands in the folder.
fn indexes(folder: &[Migration], due: &[Due<'_>]) -> Vec<(usize, Direction)> {
    let place = |due: &Due<'_>| folder.iter().position(|own| std::ptr::eq(own, due.migration));
    due.iter().filter_map(|due| Some((place(due)?, due.direction))).collect()
}

async fn under_lock(
    ground: &impl Ground,
    options: &ApplyOptions,
    progress: &dyn Progress,
    folder: &[Migration],
    look: impl AsyncFnOnce() -> Result<Vec<(usize, Direction)>>,
) -> Result<Outcome> {
    ground.prepare().await?;
    let due = look().await?;
    let mut outcome = Outcome::default();
    for (at, direction) in due {
        let migration = &folder[at];
        let began = Instant::now();
        if let Err(error) = options.stop.check() {
            outcome.failure = Some(error);
            break;
        }
        let key = key_of(migration);
        let records = ground.records().await?;
        let record = records.iter().find(|record| record.key == key);
        let due = Due { migration, direction, record };
        progress.step(&migration.title());
        if let Err(error) = ground.run(&due, options, progress).await {
            outcome.failure = Some(error);
            break;
        }
        outcome.ran.push(Ran { key, ms: began.elapsed().as_secs_f64() * 1000.0 });
    }
    Ok(outcome)
}

fn due_up<'a>(
    folder: &'a [Migration],
    records: &'a [Record],
    compared: &Compared,
    options: &ApplyOptions,
) -> Result<Vec<Due<'a>>> {
    refuse_drift(compared)?;
    if let Some(half) = records.iter().find(|record| record.state == State::Reverting) {
        let what = format!("{} is half rolled back", half.file);
        return Err(Error::new(ErrorKind::Refused, what)
            .hint("finish that first: marula migrate rollback goes on where it was left"));
    }
    let last = match &options.to {
        None => None,
        Some(to) => Some(named(folder, to)?),
    };
    let find = |key: &str| records.iter().find(|record| record.key == key);
    // What waits until it is named, and all behind it; what is half done goes on.
    let waits = |at: &usize| {
        let begun = find(&key_of(&folder[*at])).is_some_and(|one| one.state == State::Applying);
        last.is_none() && folder[*at].options.hold && !begun
    };
    let due = compared.due.iter().copied().filter(|at| last.is_none_or(|last| *at <= last));
    Ok(due
        .take_while(|at| !waits(at))
        .map(|at| {
            let migration = &folder[at];
            Due { migration, direction: Direction::Up, record: find(&key_of(migration)) }
        })
        .collect())
}

/// The first that has not run and waits until it is named, and how it is.
pub fn held(folder: &[Migration], status: &Migrations) -> Option<String> {
    let first = folder.iter().find(|migration| {
        let key = key_of(migration);
        let pending =
            |own: &&MigrationStatus| own.state == MigrationState::Pending && own.key == key;
        status.list.iter().any(|own| pending(&own))
    })?;
    first.options.hold.then(|| {
        format!(
            "{} waits until it is named, since something has to come before it (its first lines say \
             what): then marula migrate apply --to {}",
            file_name(first),
            key_of(first)
        )
    })
}

/// The index of the migration with this version.
fn named(folder: &[Migration], version: &str) -> Result<usize> {
    let same = |migration: &Migration| {
        key_of(migration) == version
            || migration
                .version
                .as_deref()
                .is_some_and(|own| FileName::order(own) == FileName::order(version))
    };
    folder.iter().position(same).ok_or_else(|| {
        let error =
            Error::new(ErrorKind::NotFound, format!("no migration has the version '{version}'"));
        let keys: Vec<String> = folder.iter().map(key_of).collect();
        let near = marula_core::nearest(version, keys.iter().map(String::as_str));
        match (near.first(), keys.last()) {
            (Some(near), _) => error.hint(format!("did you mean '{near}'?")),
            (None, Some(last)) => error.hint(format!("the last one is '{last}'")),
            (None, None) => error,
        }
    })
}

fn refuse_drift(compared: &Compared) -> Result<()> {
    let Some(first) = compared.drift.first() else { return Ok(()) };
    let more = match compared.drift.len() - 1 {
        0 => String::new(),
        1 => " (and one more file; see: marula migrate status)".to_string(),
        more => format!(" (and {more} more files; see: marula migrate status)"),
    };
    let error = Error::new(ErrorKind::Refused, format!("{}{more}; nothing ran", first.message));
    Err(first.ways.iter().fold(error, |error, way| error.hint(way.clone())))
}

fn due_down<'a>(
    folder: &'a [Migration],
    records: &'a [Record],
    back: &Back,
) -> Result<Vec<Due<'a>>> {
    if let Some(half) = records.iter().find(|record| record.state == State::Applying) {
        let what =
            format!("{} is half applied: {} of {} done", half.file, half.done.len(), half.steps);
        let key = &half.key;
        return Err(Error::new(ErrorKind::Refused, format!("{what}; a way back is written for the whole"))
            .hint("finish it, then roll back: marula migrate apply goes on where it was left")
            .hint("or mend the statement that failed in the file, and finish it then")
            .hint(format!("or take what is done back by hand (marula migrate status says what), then: marula migrate repair TARGET --forget {key}")));
    }
    let mut done: Vec<&Record> = records
        .iter()
        .filter(|record| record.state != State::Reverted && record.version.is_some())
        .collect();
    done.sort_by_key(|record| std::cmp::Reverse(record.position));
    let chosen = match back {
        Back::Count(count) => *count,
        Back::To(version) => done
            .iter()
            .position(|record| {
                record.key == *version || FileName::order(&record.key) == FileName::order(version)
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("'{version}' has not run here"))
                    .hint("name a version that is to stay; see: marula migrate status")
            })?,
    };
    let mut due = Vec::new();
    for record in done.into_iter().take(chosen) {
        let migration = folder.iter().find(|m| key_of(m) == record.key).ok_or_else(|| {
            Error::new(
                ErrorKind::Refused,
                format!(
                    "{} cannot be taken back: its file is not in the folder; nothing ran",
                    record.file
                ),
            )
            .hint("bring the file back, or name its folder: --dir")
        })?;
        if record.state == State::Applied && record.checksum != migration.checksum {
            let what = format!("{} was changed after it had run; nothing ran", record.file);
            return Err(Error::new(ErrorKind::Refused, what)
                .hint(format!("put {} back as it was when it ran", record.file))
                .hint(format!("or take the file as it is now: repair --accept {}", record.key)));
        }
        if !reversible(migration) {
            let what = format!(
                "{} cannot be taken back: it has no down part; nothing ran",
                file_name(migration)
            );
            return Err(Error::new(ErrorKind::Refused, what)
                .hint("write its down part if there can be one; what was dropped comes back from a backup only")
                .hint(format!("or stop before it: rollback --to {}", record.key)));
        }
        due.push(Due { migration, direction: Direction::Down, record: Some(record) });
    }
    Ok(due)
}

#[cfg(test)]
mod tests;
