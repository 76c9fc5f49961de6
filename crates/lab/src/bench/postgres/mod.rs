//! The bench on a PostgreSQL lab server.
//!
//! Indexes are switched by marking them invalid, which hides them from the planner, and extended
//! statistics by moving their data aside. What cannot be switched (ANALYZE, VACUUM, other DDL)
//! gets a database of its own, a copy of the pristine one: a *world* for each set of such changes.

mod change;
mod database;
mod extended;
mod processor;
mod run;
mod world;
mod write;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use marula_core::{
    Build, Change, Dataset, Engine, Error, ErrorKind, LabServer, Plan, Quiet, Result, Statement,
    Version,
};
use marula_postgres::explain::{self, Mode};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::{Bench, Run};
use crate::clone::Size;
use crate::clone::postgres::{Request, copy, failed};
pub use write::WriteSpeed;

use change::{Kind, is_drop, kind_of};
use world::World;

/// What a clone hands over.
pub(crate) struct Copied {
    pub lab: ConnectSpec,
    pub database: String,
    pub version: Version,
    pub dataset: Dataset,
    pub settings: Vec<(String, String)>,
    pub request: Request,
    pub notes: Vec<String>,
}

/// A copy of what a statement touches, on a PostgreSQL lab server.
pub struct PostgresBench {
    copied: Copied,
    /// By the ids of the changes that are not switches; the pristine one has none.
    worlds: BTreeMap<Vec<String>, World>,
    /// Applied changes, by id, with whether they are on.
    changes: BTreeMap<String, (Change, bool)>,
}

impl PostgresBench {
    pub(crate) fn new(copied: Copied) -> Self {
        let pristine = World::new(copied.database.clone());
        PostgresBench {
            copied,
            worlds: BTreeMap::from([(Vec::new(), pristine)]),
            changes: BTreeMap::new(),
        }
    }

    /// The database that holds the copy, without any change.
    pub fn database(&self) -> &str {
        &self.copied.database
    }

    /// Where the copy can be looked at.
    pub fn spec(&self) -> ConnectSpec {
        self.copied.lab.with_database(&self.copied.database)
    }

    /// The session in which statements run, with exactly the active changes in effect.
    ///
    /// # Errors
    /// When the lab server is gone, or a change cannot be made.
    pub async fn session(&mut self) -> Result<&Session> {
        self.ready().await?.session()
    }

    /// The changes that were made here, whether they are on or off.
    pub fn applied(&self) -> Vec<Change> {
        self.changes.values().map(|(change, _)| change.clone()).collect()
    }

    /// The names of the indexes `change` made, or hides.
    pub fn names(&self, change: &Change) -> Vec<String> {
        self.worlds.values().find_map(|world| world.names(change)).unwrap_or_default()
    }

    /// Drops the databases of this bench.
    ///
    /// # Errors
    /// When the lab server is gone.
    pub async fn close(mut self) -> Result<()> {
        let names: Vec<String> = self.worlds.values().map(|w| w.database.clone()).collect();
        self.worlds.clear();
        let admin = Session::open(&self.copied.lab, &SessionOptions::lab()).await?;
        for name in names {
            database::drop_database(&admin, &name).await?;
        }
        Ok(())
    }

    /// The ids of the active changes that need a world of their own.
    fn wanted_world(&self) -> Vec<String> {
        self.changes
            .iter()
            .filter(|(_, (change, on))| *on && kind_of(change) == Kind::Lasting)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The world with exactly the active changes in effect.
    async fn ready(&mut self) -> Result<&mut World> {
        let key = self.wanted_world();
        if !self.worlds.contains_key(&key) {
            let made = self.make_world(&key).await?;
            self.worlds.insert(key.clone(), made);
        }
        let Some(world) = self.worlds.get_mut(&key) else {
            return Err(Error::new(ErrorKind::Internal, "a world was lost"));
        };
        world.connect(&self.copied.lab, &self.copied.settings).await?;
        for (change, on) in self.changes.values() {
            world.switch(change, *on).await?;
        }
        Ok(world)
    }

    /// Copies the pristine world and makes the lasting changes `ids` in the copy.
    async fn make_world(&mut self, ids: &[String]) -> Result<World> {
        let Some(pristine) = self.worlds.get_mut(&Vec::new()) else {
            return Err(Error::new(ErrorKind::Internal, "the pristine world was lost"));
        };
        let mut made = pristine.duplicate(&self.copied.lab, self.copied.version).await?;
        made.connect(&self.copied.lab, &self.copied.settings).await?;
        for id in ids {
            if let Some((change, _)) = self.changes.get(id) {
                made.make(change).await?;
            }
        }
        Ok(made)
    }

    /// Switches everything off in the pristine world, so that it can be copied as the target is.
    async fn pristine(&mut self) -> Result<Session> {
        let Some(world) = self.worlds.get_mut(&Vec::new()) else {
            return Err(Error::new(ErrorKind::Internal, "the pristine world was lost"));
        };
        world.connect(&self.copied.lab, &self.copied.settings).await?;
        for (change, _) in self.changes.values() {
            match kind_of(change) {
                // It would be copied as if it were the target's own.
                Kind::Extended => {
                    world.unmake(change, &self.copied.lab, &self.copied.settings).await?;
                }
                _ => world.switch(change, false).await?,
            }
        }
        let session = Session::open(&self.spec(), &SessionOptions::lab()).await?;
        database::set_all(&session, &self.copied.settings).await?;
        Ok(session)
    }
}

impl Bench for PostgresBench {
    fn server(&self) -> LabServer {
        LabServer { engine: Engine::Postgres, version: self.copied.version }
    }

    fn dataset(&self) -> Dataset {
        self.copied.dataset.clone()
    }

    fn notes(&self) -> &[String] {
        &self.copied.notes
    }

    async fn run(&mut self, statement: &Statement, limit: Duration) -> Result<Run> {
        let world = self.ready().await?;
        let session = world.session()?;
        let done = run::run(session, statement, limit).await;
        if matches!(&done, Ok(run) if run.timed_out) && world.is_closed() {
            world.disconnect();
        }
        done
    }

    async fn plan(&mut self, statement: &Statement, limit: Duration) -> Result<Plan> {
        let session = self.ready().await?.session()?;
        if limit > Duration::ZERO {
            run::set_limit(session, limit).await?;
            match explain::explain(session, statement, Mode::Analyze).await {
                Err(error) if error.kind() == ErrorKind::Timeout => {}
                other => return other,
            }
        }
        run::set_limit(session, Duration::from_secs(60)).await?;
        explain::explain(session, statement, Mode::Estimate).await
    }

    async fn apply(&mut self, change: &Change) -> Result<Option<Build>> {
        self.changes.insert(change.id.0.clone(), (change.clone(), true));
        let started = Instant::now();
        let made = self.ready().await.map(|world| world.built(change));
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                self.changes.remove(&change.id.0);
                return Err(error);
            }
        };
        let ms = match made.ms {
            Some(ms) => ms,
            None => started.elapsed().as_secs_f64() * 1000.0,
        };
        let builds = kind_of(change) != Kind::Setting && !is_drop(change);
        Ok(builds.then_some(Build { ms, bytes: made.bytes }))
    }

    async fn set_active(&mut self, change: &Change, active: bool) -> Result<()> {
        match self.changes.get_mut(&change.id.0) {
            Some((_, on)) => {
                *on = active;
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::Internal,
                format!("change {} was not applied", change.id.0),
            )),
        }
    }

    async fn revert(&mut self, change: &Change) -> Result<()> {
        let Some((change, _)) = self.changes.remove(&change.id.0) else { return Ok(()) };
        let gone: Vec<Vec<String>> =
            self.worlds.keys().filter(|key| key.contains(&change.id.0)).cloned().collect();
        let names: Vec<String> = gone
            .iter()
            .filter_map(|key| self.worlds.remove(key))
            .map(|world| world.database.clone())
            .collect();
        if !names.is_empty() {
            let admin = Session::open(&self.copied.lab, &SessionOptions::lab()).await?;
            for name in names {
                database::drop_database(&admin, &name).await?;
            }
        }
        for world in self.worlds.values_mut() {
            world.unmake(&change, &self.copied.lab, &self.copied.settings).await?;
        }
        Ok(())
    }

    fn uses(&self, plan: &Plan, change: &Change) -> Option<bool> {
        if kind_of(change) != Kind::Switch || is_drop(change) {
            return None;
        }
        let names = self.worlds.values().find_map(|world| world.names(change))?;
        Some(plan.summary.indexes.iter().any(|used| {
            names.iter().any(|name| used == name || used.ends_with(&format!(".{name}")))
        }))
    }

    async fn shrink(&mut self, share: f64) -> Result<Self> {
        let session = self.pristine().await?;
        let lab = self.copied.lab.clone();
        let request = self.copied.request.clone();
        copy(&session, &lab, &request, Size::Share(share), &Quiet).await
    }
}

/// Runs statements that give nothing back.
pub(crate) async fn execute(session: &Session, sql: &str) -> Result<()> {
    session.client().batch_execute(sql).await.map_err(failed)
}
