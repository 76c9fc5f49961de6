//! What is written down of each statement as it runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use marula_core::{Error, MigrationWork as Work, Result};
use marula_postgres::Session;

use super::failed;
use super::look::{Look, look, own_locks, work};
use crate::apply::witness::{Looking, Witness};
use crate::postgres::Lock;
use crate::rehearse::Span;
use crate::rehearse::standing::Standing;

/// What is known of one statement when it has run.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// From its begin to its end, and to that of the transaction if it was its own.
    pub span: Option<Span>,
    /// When its last try began: what was before it is no work that was needed.
    pub began: Option<Instant>,
    /// How often it was tried.
    pub tries: u32,
    /// The locks that were held when it had run.
    pub held: Vec<(u32, Lock)>,
    /// What it did, by relation.
    pub work: BTreeMap<u32, Work>,
    /// The WAL's length before and after.
    pub wal: (f64, f64),
    /// The server's complaint.
    pub failed: Option<String>,
}

/// Writes down what statements do.
pub(super) struct Recorder {
    /// Each statement, by its index.
    pub noted: Vec<Noted>,
    /// What was there before the migration.
    pub origin: Look,
    /// Relations that came and went, by OID.
    pub names: BTreeMap<u32, String>,
    /// The migration's session, by the server's number for it.
    pub own_pid: i32,
    before: Look,
    in_the_way: Vec<Arc<Standing>>,
    pid: Arc<AtomicI32>,
}

const WAL: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";

impl Recorder {
    /// For so many statements; `in_the_way` begin anew before each.
    pub(super) async fn new(
        session: &Session,
        statements: usize,
        in_the_way: Vec<Arc<Standing>>,
        pid: Arc<AtomicI32>,
    ) -> Result<Recorder> {
        let client = session.client();
        let origin = look(client).await?;
        let names = origin.iter().map(|(oid, seen)| (*oid, seen.name.clone())).collect();
        Ok(Recorder {
            noted: vec![Noted::default(); statements],
            before: origin.clone(),
            origin,
            names,
            own_pid: 0,
            in_the_way,
            pid,
        })
    }

    /// A statement is about to run; `open`: in a transaction that has begun before it.
    pub(super) async fn before(&mut self, session: &Session, at: usize, open: bool) -> Result<()> {
        if self.own_pid == 0 {
            let row = session.client().query_one("SELECT pg_backend_pid()", &[]).await;
            self.own_pid = row.map_err(failed)?.get(0);
            self.pid.store(self.own_pid, Ordering::Relaxed);
            // Counters are then read as they are, and not as they were at a first look.
            let _ = session.client().batch_execute("SET stats_fetch_consistency = none").await;
        }
        let again = self.noted.get(at).is_some_and(|noted| noted.tries > 0);
        if let Some(noted) = self.noted.get_mut(at) {
            noted.tries += 1;
        }
        if !open {
            for standing in &self.in_the_way {
                match again {
                    false => standing.anew().await,
                    true => standing.stay_away(),
                }
            }
            // What was read so far is written down, so that it is not taken for this one's.
            let _ = session.client().batch_execute("SELECT pg_stat_force_next_flush()").await;
            self.before = look(session.client()).await?;
        }
        let wal = wal(session).await?;
        if let Some(noted) = self.noted.get_mut(at) {
            let now = Instant::now();
            let start = noted.span.map_or(now, |span| span.start);
            noted.span = Some(Span { start, end: now });
            noted.began = Some(now);
            noted.wal = (wal, wal);
        }
        Ok(())
    }

    /// It has run; `open`: its transaction goes on.
    pub(super) async fn after(&mut self, session: &Session, at: usize, open: bool) -> Result<()> {
        let now = look(session.client()).await?;
        let held = if open { own_locks(session).await? } else { Vec::new() };
        let wal = wal(session).await?;
        self.names.extend(now.iter().map(|(oid, seen)| (*oid, seen.name.clone())));
        let work = work(&self.origin, &self.before, &now);
        if let Some(noted) = self.noted.get_mut(at) {
            noted.work = work;
            noted.held = held;
            noted.wal.1 = wal;
        }
        self.before = now;
        self.ended(at);
        Ok(())
    }

    /// Its transaction has ended.
    pub(super) fn ended(&mut self, at: usize) {
        if let Some(span) = self.noted.get_mut(at).and_then(|noted| noted.span.as_mut()) {
            span.end = Instant::now();
        }
    }

    /// What was run last failed.
    pub(super) fn failed(&mut self, error: &Error) {
        let Some(at) = self.noted.iter().rposition(|noted| noted.span.is_some()) else { return };
        self.ended(at);
        if let Some(noted) = self.noted.get_mut(at) {
            noted.failed = Some(error.to_string());
        }
    }

    /// Nobody is to be watched any more.
    pub(super) fn close(&self) {
        self.pid.store(0, Ordering::Relaxed);
    }
}

async fn wal(session: &Session) -> Result<f64> {
    Ok(session.client().query_one(WAL, &[]).await.map_err(failed)?.get(0))
}

/// A recorder that looks on while a migration runs.
pub(super) struct Looker(pub tokio::sync::Mutex<Recorder>);

impl Witness<Session> for Looker {
    fn before<'a>(&'a self, session: &'a Session, step: usize, open: bool) -> Looking<'a> {
        // What cannot be looked at fails by itself when the step runs.
        Box::pin(async move {
            let _ = self.0.lock().await.before(session, step, open).await;
        })
    }

    fn after<'a>(&'a self, session: &'a Session, step: usize, open: bool) -> Looking<'a> {
        Box::pin(async move {
            let _ = self.0.lock().await.after(session, step, open).await;
        })
    }

    fn ended(&self, step: usize) -> Looking<'_> {
        Box::pin(async move { self.0.lock().await.ended(step) })
    }

    fn failed<'a>(&'a self, error: &'a Error) -> Looking<'a> {
        Box::pin(async move { self.0.lock().await.failed(error) })
    }
}
