//! Applying a migration that a human confirmed: the one file, with the history, the lock and the
//! resumption of `marula migrate apply`.

use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Finding, PlannedStep, Progress, Result};
use marula_migrate::Migration;
use marula_migrate::apply::{self, ApplyOptions, Due, Ground, Record, Stop};
use marula_migrate::{mongodb, postgres};
use secrecy::ExposeSecret;

use crate::Found;
use crate::aside::aside;
use crate::plans::Plan;
use crate::tools::Call;
use crate::tools::parse_migration;

/// How long to wait while somebody else migrates.
const WAIT: Duration = Duration::from_secs(10);

/// Runs it, and gives what ran and what to know.
///
/// # Errors
/// What the preflight finds, and what ended the run; the same file can be planned again and goes
/// on where it was left.
pub(crate) async fn apply(
    call: &Call,
    plan: &Plan,
    found: &Found,
) -> Result<(Vec<String>, Vec<String>)> {
    let migration = parse_migration(Some(&plan.name), &plan.text, plan.engine)?;
    let (connection, told) = (found.connection.clone(), call.progress.told());
    let alias = found.alias.clone();
    let engine = found.engine;
    let done = aside(move || async move {
        let text = connection.expose_secret();
        match engine {
            Engine::Postgres => {
                let environment = marula_postgres::Environment::from_process();
                let spec = marula_postgres::ConnectSpec::parse(text, &environment)?;
                run(postgres::apply::Ground::open(&spec).await?, &migration, &*told).await
            }
            Engine::Mongodb => {
                let spec = marula_mongodb::ConnectSpec::parse(text)?;
                run(mongodb::apply::Ground::open(&spec).await?, &migration, &*told).await
            }
        }
    });
    done.await.map_err(|error| match error.place() {
        // The library knows the address only, which is nobody's business.
        Some(place) if place.starts_with(&plan.name) => error,
        _ => error.at(alias),
    })
}

async fn run(
    ground: impl Ground,
    migration: &Migration,
    progress: &dyn Progress,
) -> Result<(Vec<String>, Vec<String>)> {
    let key = apply::key_of(migration);
    let ground = One { ground, key: key.clone() };
    in_order(&ground, migration).await?;
    let options = ApplyOptions { wait: WAIT, ..ApplyOptions::default() };
    let one = std::slice::from_ref(migration);
    let outcome = apply::apply(&ground, one, &options, progress).await?;
    let notes = ground.notes();
    if let Some(failure) = outcome.failure {
        return Err(failure.hint("plan the same file again: it goes on where it was left"));
    }
    if outcome.ran.is_empty() {
        return Ok((vec![format!("{key} had run already")], notes));
    }
    let ran = outcome.ran.iter().map(|ran| format!("{} ({:.1} s)", ran.key, ran.ms / 1e3));
    Ok((ran.collect(), notes))
}

/// Nothing is slipped in before what has run.
async fn in_order(ground: &One<impl Ground>, migration: &Migration) -> Result<()> {
    let number = |version: &Option<String>| version.as_ref()?.parse::<u128>().ok();
    let Some(own) = number(&migration.version) else { return Ok(()) };
    let records = ground.ground.records().await?;
    let known = records.iter().any(|record| record.key == ground.key);
    let later = records.iter().find(|record| number(&record.version).is_some_and(|one| one > own));
    match later {
        Some(later) if !known => Err(Error::new(
            ErrorKind::Refused,
            format!("{} has run already, and {} comes before it", later.key, ground.key),
        )
        .hint("give the file a later version in its name and plan it again")),
        _ => Ok(()),
    }
}

/// A target of whose history only one migration is of interest: the others' files are not here.
struct One<G> {
    ground: G,
    key: String,
}

impl<G: Ground> Ground for One<G> {
    fn engine(&self) -> Engine {
        self.ground.engine()
    }

    async fn records(&self) -> Result<Vec<Record>> {
        let mut records = self.ground.records().await?;
        records.retain(|record| record.key == self.key);
        Ok(records)
    }

    async fn holder(&self) -> Result<Option<String>> {
        self.ground.holder().await
    }

    async fn preflight(&self, due: &[Due<'_>], options: &ApplyOptions) -> Result<()> {
        self.ground.preflight(due, options).await
    }

    fn plan(&self, due: &Due<'_>) -> Result<Vec<PlannedStep>> {
        self.ground.plan(due)
    }

    async fn lock(&self, wait: Duration, stop: &Stop, progress: &dyn Progress) -> Result<()> {
        self.ground.lock(wait, stop, progress).await
    }

    async fn unlock(&self) {
        self.ground.unlock().await;
    }

    async fn prepare(&self) -> Result<()> {
        self.ground.prepare().await
    }

    async fn run(
        &self,
        due: &Due<'_>,
        options: &ApplyOptions,
        progress: &dyn Progress,
    ) -> Result<()> {
        self.ground.run(due, options, progress).await
    }

    async fn put(&self, record: &Record) -> Result<()> {
        self.ground.put(record).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.ground.forget(key).await
    }

    async fn foreign(&self) -> Result<Vec<apply::adopt::Foreign>> {
        self.ground.foreign().await
    }

    async fn verify(&self) -> Result<Vec<Finding>> {
        self.ground.verify().await
    }

    fn who(&self) -> &str {
        self.ground.who()
    }

    fn notes(&self) -> Vec<String> {
        self.ground.notes()
    }
}
