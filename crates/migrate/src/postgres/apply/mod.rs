//! Running migrations on a PostgreSQL server.
//!
//! One session does the work and holds the lock, so that whatever still runs on the server after
//! this program was killed keeps others out until it has ended.

mod batch;
mod data;
mod foreign;
mod history;
mod holders;
mod lag;
mod leftover;
mod lock;
mod outside;
mod pieces;
mod preflight;
mod rights;
mod run;
mod values;
mod verify;

pub(crate) use foreign::HISTORIES;

use std::sync::Mutex;
use std::time::Duration;

use marula_core::{Engine, Finding, PlannedStep, Progress, Result};
use marula_postgres::{ConnectSpec, Session, SessionOptions, from_server};

use crate::apply::witness::Witness;
use crate::apply::{self, ApplyOptions, Due, Record, Stop};

/// A PostgreSQL database that migrations run on.
pub struct Ground {
    session: Session,
    /// The role the session began with.
    role: String,
    who: String,
    notes: Mutex<Vec<String>>,
    /// What standbys have not replayed yet.
    lag: Mutex<crate::lag::Lag>,
    witness: Option<std::sync::Arc<dyn Witness<Session>>>,
}

impl Ground {
    /// Opens a session that writes and waits as long as it must.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn open(spec: &ConnectSpec) -> Result<Self> {
        let who = apply::who::who();
        let options = SessionOptions {
            read_only: false,
            statement_timeout: Duration::ZERO,
            lock_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            application_name: lock::application_name(&who),
        };
        let ground = Self::on(Session::open(spec, &options).await?).await?;
        ground.settle().await?;
        Ok(ground)
    }

    /// On a session that is there, to read what is done and plan what is not.
    ///
    /// # Errors
    /// What the server says.
    pub async fn on(session: Session) -> Result<Self> {
        let row = session.client().query_one("SELECT pg_catalog.current_setting('role')", &[]);
        let role = row.await.map_err(|error| from_server(&error))?.get::<_, String>(0);
        let who = apply::who::who();
        Ok(Ground {
            session,
            role,
            who,
            notes: Mutex::default(),
            lag: Mutex::default(),
            witness: None,
        })
    }

    /// The same with somebody who looks on.
    pub(crate) fn seen_by(mut self, witness: std::sync::Arc<dyn Witness<Session>>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// A step is about to run.
    async fn begins(&self, step: usize, open: bool) {
        if let Some(witness) = &self.witness {
            witness.before(&self.session, step, open).await;
        }
    }

    /// A step has run.
    async fn has_run(&self, step: usize, open: bool) {
        if let Some(witness) = &self.witness {
            witness.after(&self.session, step, open).await;
        }
    }

    /// A step's transaction has ended.
    async fn has_ended(&self, step: usize) {
        if let Some(witness) = &self.witness {
            witness.ended(step).await;
        }
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn note(&self, text: impl Into<String>) {
        let text = text.into();
        let mut notes = self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// Runs a text that gives no rows.
    async fn execute(&self, sql: &str) -> Result<()> {
        let done = self.session.client().batch_execute(sql).await;
        done.map_err(|error| from_server(&error))
    }

    /// Takes back what a migration set in the session.
    async fn settle(&self) -> Result<()> {
        let interval = match self.session.version().major {
            14.. => "SET client_connection_check_interval = 2000;",
            _ => "",
        };
        let role = marula_postgres::sql::quote_literal(&self.role);
        self.execute(&format!(
            "RESET SESSION AUTHORIZATION; RESET ALL;
             SELECT pg_catalog.set_config('role', {role}, false);
             SET default_transaction_read_only = off; SET statement_timeout = 0;
             SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
             SET standard_conforming_strings = on; SET client_min_messages = warning;
             SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10;
             SET tcp_keepalives_count = 6"
        ))
        .await?;
        // Not every platform can notice that its client is gone.
        let _ = self.execute(interval).await;
        Ok(())
    }
}

impl apply::Ground for Ground {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    async fn records(&self) -> Result<Vec<Record>> {
        history::read(&self.session).await
    }

    async fn holder(&self) -> Result<Option<String>> {
        lock::holder(&self.session).await
    }

    async fn preflight(&self, due: &[Due<'_>], options: &ApplyOptions) -> Result<()> {
        preflight::check(self, due, options).await
    }

    fn plan(&self, due: &Due<'_>) -> Result<Vec<PlannedStep>> {
        pieces::plan(due)
    }

    async fn lock(&self, wait: Duration, stop: &Stop, progress: &dyn Progress) -> Result<()> {
        lock::take(self, wait, stop, progress).await
    }

    async fn unlock(&self) {
        // A session that is gone holds nothing.
        let _ = self.execute(lock::RELEASE).await;
    }

    async fn prepare(&self) -> Result<()> {
        history::prepare(self).await
    }

    async fn run(
        &self,
        due: &Due<'_>,
        options: &ApplyOptions,
        progress: &dyn Progress,
    ) -> Result<()> {
        let ran = run::run(self, due, options, progress).await;
        if let (Some(witness), Err(error)) = (&self.witness, &ran) {
            witness.failed(error).await;
        }
        if ran.is_err() {
            let _ = self.execute("ROLLBACK").await;
        }
        let settled = self.settle().await;
        ran.and(settled)
    }

    async fn put(&self, record: &Record) -> Result<()> {
        history::put(&self.session, record).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        history::forget(&self.session, key).await
    }

    async fn foreign(&self) -> Result<Vec<apply::adopt::Foreign>> {
        foreign::find(self).await
    }

    async fn verify(&self) -> Result<Vec<Finding>> {
        verify::verify(self).await
    }

    fn who(&self) -> &str {
        &self.who
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
