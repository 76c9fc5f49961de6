//! Running migrations on a MongoDB deployment.
//!
//! A lease keeps others out. Where there are transactions (replica sets, sharded clusters) a
//! change of data and the note that it is done are one; on a standalone server only what may
//! safely run twice is run, and what may not is refused by name before it begins.

mod batch;
mod data;
mod foreign;
mod history;
mod idempotent;
mod lag;
mod lock;
mod outside;
mod pieces;
mod preflight;
mod room;
mod run;
mod send;
mod verify;
mod waiting;
mod written;

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use bson::{Document, doc};
use marula_core::{Engine, Finding, PlannedStep, Progress, Result};
use marula_mongodb::{ConnectSpec, Session, SessionOptions};
use mongodb::ClientSession;

use crate::apply::witness::Witness;
use crate::apply::{self, ApplyOptions, Due, Record, Stop};

/// What kind of deployment it is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deployment {
    /// Whether several documents can change together.
    transactions: bool,
    /// Whether it takes writes.
    writable: bool,
    /// Whether it is a router in front of shards.
    sharded: bool,
}

/// A MongoDB database that migrations run on.
pub struct Ground {
    session: Session,
    deployment: Deployment,
    who: String,
    lease: lock::Lease,
    /// What transactions run in; whoever takes the lease from us ends it.
    work: tokio::sync::Mutex<ClientSession>,
    /// Steps whose data was looked through: key and index.
    checked: Mutex<HashSet<(String, usize)>>,
    notes: Mutex<Vec<String>>,
    witness: Option<std::sync::Arc<dyn Witness<Session>>>,
}

impl Ground {
    /// Opens a session that writes and waits as long as it must.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn open(spec: &ConnectSpec) -> Result<Self> {
        let options = SessionOptions {
            read_only: false,
            timeout: Duration::from_secs(7 * 24 * 3600),
            application_name: "marula migrate".into(),
        };
        Self::on(Session::open(spec, &options).await?).await
    }

    /// On a session that is there, to read what is done and plan what is not.
    ///
    /// # Errors
    /// What the server says.
    pub async fn on(session: Session) -> Result<Self> {
        let admin = session.client().database("admin");
        let hello = admin.run_command(doc! { "isMaster": 1 }).await;
        let hello = hello.map_err(|error| session.map(error))?;
        let sharded = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        let deployment = Deployment {
            sharded,
            transactions: sharded || hello.contains_key("setName"),
            writable: hello.get_bool("ismaster").unwrap_or(false),
        };
        let work = session.client().start_session().await.map_err(|error| session.map(error))?;
        Ok(Ground {
            session,
            deployment,
            who: apply::who::who(),
            lease: lock::Lease::default(),
            work: tokio::sync::Mutex::new(work),
            checked: Mutex::default(),
            notes: Mutex::default(),
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

    fn collection(&self, name: &str) -> mongodb::Collection<Document> {
        self.session.database().collection(name)
    }
}

impl apply::Ground for Ground {
    fn engine(&self) -> Engine {
        Engine::Mongodb
    }

    async fn records(&self) -> Result<Vec<Record>> {
        history::read(self).await
    }

    async fn holder(&self) -> Result<Option<String>> {
        lock::holder(self).await
    }

    async fn preflight(&self, due: &[Due<'_>], options: &ApplyOptions) -> Result<()> {
        preflight::check(self, due, options).await
    }

    fn plan(&self, due: &Due<'_>) -> Result<Vec<PlannedStep>> {
        pieces::plan(due, self.deployment)
    }

    async fn lock(&self, wait: Duration, stop: &Stop, progress: &dyn Progress) -> Result<()> {
        lock::take(self, wait, stop, progress).await
    }

    async fn unlock(&self) {
        lock::release(self).await;
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
        ran
    }

    async fn put(&self, record: &Record) -> Result<()> {
        history::put(self, record).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        history::forget(self, key).await
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
