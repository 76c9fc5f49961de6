//! One database of the bench, with what was built in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use marula_core::{Change, Error, ErrorKind, Result, Version};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::change::{Kind, dropped, for_lab, is_drop, kind_of, session_setting};
use super::database::set_all;
use super::execute;
use crate::clone::postgres::{database_name, failed, quote};

/// What making a change took.
#[derive(Debug, Clone, Default)]
pub(super) struct Built {
    pub ms: Option<f64>,
    pub bytes: u64,
    /// OIDs and names of the indexes it made.
    pub indexes: Vec<(u32, String)>,
    /// OIDs of the statistics it gathered.
    pub statistics: Vec<u32>,
}

/// Building an index counts the rows of its table anew. What the planner believed before must
/// hold for the runs without the index, so the counts are taken back.
pub(super) const REMEMBER: &str = "DROP TABLE IF EXISTS pg_temp.marula_counts;
  CREATE TEMP TABLE marula_counts AS SELECT oid, relpages, reltuples, relallvisible
  FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm', 'p')";
pub(super) const RECALL: &str = "UPDATE pg_catalog.pg_class c
  SET relpages = m.relpages, reltuples = m.reltuples, relallvisible = m.relallvisible
  FROM pg_temp.marula_counts m WHERE m.oid = c.oid AND (c.relpages, c.reltuples, c.relallvisible)
    IS DISTINCT FROM (m.relpages, m.reltuples, m.relallvisible);
  DROP TABLE pg_temp.marula_counts";

/// One database, its session, and the state of the switches in it.
pub(super) struct World {
    pub database: String,
    session: Option<Session>,
    built: BTreeMap<String, Built>,
    /// Indexes that are shown, settings that are set.
    on: BTreeSet<String>,
}

impl World {
    pub fn new(database: String) -> Self {
        World { database, session: None, built: BTreeMap::new(), on: BTreeSet::new() }
    }

    pub async fn connect(
        &mut self,
        lab: &ConnectSpec,
        settings: &[(String, String)],
    ) -> Result<()> {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(());
        }
        if self.session.is_some() {
            // It broke under us: the server may be gone. A new connection tells.
            self.session = None;
        }
        let session =
            Session::open(&lab.with_database(&self.database), &SessionOptions::lab()).await?;
        set_all(&session, settings).await?;
        self.session = Some(session);
        Ok(())
    }

    pub fn disconnect(&mut self) {
        self.session = None;
    }

    pub fn is_closed(&self) -> bool {
        self.session.as_ref().is_none_or(Session::is_closed)
    }

    pub fn session(&self) -> Result<&Session> {
        self.session
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the bench is not connected"))
    }

    /// What making `change` took in this world.
    pub fn built(&self, change: &Change) -> Built {
        self.built.get(&change.id.0).cloned().unwrap_or_default()
    }

    /// The names of the indexes `change` made in this world.
    pub fn names(&self, change: &Change) -> Option<Vec<String>> {
        let built = self.built.get(&change.id.0)?;
        Some(built.indexes.iter().map(|(_, name)| name.clone()).collect())
    }

    /// The OIDs of the indexes `change` made or hides in this world.
    pub fn oids(&self, change: &Change) -> Vec<u32> {
        let built = self.built.get(&change.id.0);
        built.map_or_else(Vec::new, |built| built.indexes.iter().map(|(oid, _)| *oid).collect())
    }

    /// Makes `change` in this world and notes what it built.
    pub async fn make(&mut self, change: &Change) -> Result<()> {
        if is_drop(change) {
            return self.hide(change).await;
        }
        let session = self.session()?;
        execute(session, "SET statement_timeout = 0; SET maintenance_work_mem = '256MB'").await?;
        let before: u32 = session
            .client()
            .query_one("SELECT coalesce(max(indexrelid::int8), 0)::oid FROM pg_index", &[])
            .await
            .map_err(failed)?
            .get(0);
        let switch = kind_of(change) == Kind::Switch;
        if switch {
            execute(session, REMEMBER).await?;
        }
        let started = Instant::now();
        for sql in &change.up {
            execute(session, &for_lab(sql)).await?;
        }
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        if switch {
            execute(session, RECALL).await?;
        }
        const NEW: &str = "SELECT c.oid, c.relname::text, pg_relation_size(c.oid)
          FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid::int8 > $1::oid::int8 AND n.nspname NOT LIKE 'pg\\_%'";
        let rows = session.client().query(NEW, &[&before]).await.map_err(failed)?;
        let bytes = rows.iter().map(|row| row.get::<_, i64>(2).unsigned_abs()).sum();
        let indexes = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let built = Built { ms: Some(ms), bytes, indexes, ..Built::default() };
        self.note(change, built);
        Ok(())
    }

    /// Notes that `change` was made here and is on.
    pub(super) fn note(&mut self, change: &Change, built: Built) {
        self.built.insert(change.id.0.clone(), built);
        self.on.insert(change.id.0.clone());
    }

    /// Brings a switchable change into the wanted state.
    pub async fn switch(&mut self, change: &Change, on: bool) -> Result<()> {
        let id = &change.id.0;
        match kind_of(change) {
            Kind::Lasting => Ok(()),
            Kind::Setting if on != self.on.contains(id) => {
                for sql in &change.up {
                    let Some((set, reset)) = session_setting(sql) else {
                        return Err(Error::new(
                            ErrorKind::Unsupported,
                            format!("'{sql}' cannot be set for a session"),
                        ));
                    };
                    execute(self.session()?, if on { &set } else { &reset }).await?;
                }
                self.mark(id, on);
                Ok(())
            }
            Kind::Extended if on && !self.built.contains_key(id) => self.gather(change).await,
            Kind::Extended if on != self.on.contains(id) => {
                let built = self.built(change);
                self.show_statistics(&built.statistics, on).await?;
                self.mark(id, on);
                Ok(())
            }
            Kind::Switch if on && !self.built.contains_key(id) => self.make(change).await,
            Kind::Switch if on != self.on.contains(id) => {
                let oids: Vec<u32> = self.built.get(id).map_or_else(Vec::new, |built| {
                    built.indexes.iter().map(|(oid, _)| *oid).collect()
                });
                // The planner passes invalid indexes by, but writes keep them up.
                // What is to be dropped is there while the change is off.
                self.show(&oids, on != is_drop(change)).await?;
                self.mark(id, on);
                Ok(())
            }
            Kind::Setting | Kind::Extended | Kind::Switch => Ok(()),
        }
    }

    async fn show(&self, oids: &[u32], shown: bool) -> Result<()> {
        const SHOW: &str = "UPDATE pg_index SET indisvalid = $1 WHERE indexrelid = ANY($2)";
        self.session()?.client().execute(SHOW, &[&shown, &oids]).await.map_err(failed)?;
        Ok(())
    }

    /// Takes existing indexes away: out of the planner's sight, so that they can come back.
    async fn hide(&mut self, change: &Change) -> Result<()> {
        const FIND: &str = "SELECT c.oid, c.relname::text FROM pg_class c
          WHERE c.oid = to_regclass($1) AND c.relkind IN ('i', 'I')";
        let mut indexes = Vec::new();
        for name in change.up.iter().filter_map(|sql| dropped(sql)) {
            let found = self.session()?.client().query_opt(FIND, &[&name]).await.map_err(failed)?;
            let Some(row) = found else {
                let message = format!("the copy has no index {name}");
                return Err(Error::new(ErrorKind::Lab, message));
            };
            indexes.push((row.get(0), row.get(1)));
        }
        let oids: Vec<u32> = indexes.iter().map(|(oid, _)| *oid).collect();
        self.show(&oids, false).await?;
        self.note(change, Built { indexes, ..Built::default() });
        Ok(())
    }

    fn mark(&mut self, id: &str, on: bool) {
        if on {
            self.on.insert(id.to_owned());
        } else {
            self.on.remove(id);
        }
    }

    /// Takes a change that was made here back for good.
    pub async fn unmake(
        &mut self,
        change: &Change,
        lab: &ConnectSpec,
        settings: &[(String, String)],
    ) -> Result<()> {
        if kind_of(change) == Kind::Setting {
            return self.switch(change, false).await;
        }
        if !self.built.contains_key(&change.id.0) {
            return Ok(());
        }
        self.connect(lab, settings).await?;
        if kind_of(change) == Kind::Extended {
            // Whole again, so that nothing of it is left behind.
            self.switch(change, true).await?;
        }
        let built = self.built.remove(&change.id.0).unwrap_or_default();
        self.on.remove(&change.id.0);
        if is_drop(change) {
            let oids: Vec<u32> = built.indexes.iter().map(|(oid, _)| *oid).collect();
            return self.show(&oids, true).await;
        }
        self.drop_statistics(&built.statistics).await?;
        for (oid, _) in built.indexes {
            let session = self.session()?;
            let name: Option<String> = session
                .client()
                .query_one("SELECT to_regclass($1::oid::regclass::text)::text", &[&oid])
                .await
                .map_err(failed)?
                .get(0);
            if let Some(name) = name {
                execute(session, &format!("DROP INDEX IF EXISTS {name}")).await?;
            }
        }
        Ok(())
    }

    /// A second database like this one. Nobody may be connected to it meanwhile.
    pub async fn duplicate(&mut self, lab: &ConnectSpec, version: Version) -> Result<World> {
        self.session = None;
        // Settings were of the session.
        self.on.retain(|id| self.built.contains_key(id));
        let admin = Session::open(lab, &SessionOptions::lab()).await?;
        let name = database_name();
        let strategy = if version.major >= 15 { " STRATEGY file_copy" } else { "" };
        let create = format!(
            "CREATE DATABASE {} TEMPLATE {}{strategy}",
            quote(&name),
            quote(&self.database)
        );
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match admin.client().batch_execute(&create).await {
                Ok(()) => break,
                // Our session's server process is still on its way out.
                Err(error)
                    if error.code().is_some_and(|code| code.code() == "55006")
                        && Instant::now() < until =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => return Err(failed(error).with_kind(ErrorKind::Lab)),
            }
        }
        Ok(World { database: name, session: None, built: self.built.clone(), on: self.on.clone() })
    }
}
