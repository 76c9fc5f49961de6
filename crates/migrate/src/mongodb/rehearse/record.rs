//! What is written down of each command as it runs.

use std::sync::Arc;
use std::time::Instant;

use marula_core::{Error, Result};
use marula_mongodb::Session;

use super::watch::{self, Counters};
use crate::apply::witness::{Looking, Witness};
use crate::rehearse::Span;
use crate::rehearse::standing::Standing;

/// What is known of one command when it has run.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// From its begin to its end.
    pub span: Option<Span>,
    /// When its last try began: what was before it is no work that was needed.
    pub began: Option<Instant>,
    /// How often it was tried.
    pub tries: u32,
    /// The collection it is about.
    pub object: String,
    /// Its documents before.
    pub documents: u64,
    /// Its indexes before.
    pub indexes: usize,
    /// Whether it has more of them now.
    pub built: bool,
    /// The server's counters before and after.
    pub counters: (Counters, Counters),
    /// The server's complaint.
    pub failed: Option<String>,
}

/// Writes down what commands do.
pub(super) struct Recorder {
    /// Each command, by its index.
    pub noted: Vec<Noted>,
    objects: Vec<String>,
    in_the_way: Vec<Arc<Standing>>,
}

impl Recorder {
    /// For commands on these collections; `in_the_way` begin anew before each.
    pub(super) fn new(objects: Vec<String>, in_the_way: Vec<Arc<Standing>>) -> Recorder {
        Recorder { noted: vec![Noted::default(); objects.len()], objects, in_the_way }
    }

    /// A command is about to run; `open`: in a transaction that has begun before it.
    async fn before(&mut self, session: &Session, at: usize, open: bool) -> Result<()> {
        let again = self.noted.get(at).is_some_and(|noted| noted.tries > 0);
        if !open {
            for standing in &self.in_the_way {
                match again {
                    false => standing.anew().await,
                    true => standing.stay_away(),
                }
            }
        }
        let object = self.objects.get(at).cloned().unwrap_or_default();
        let documents = watch::count(session, &object).await;
        let indexes = watch::indexes(session, &object).await;
        let counters = watch::counters(session).await?;
        if let Some(noted) = self.noted.get_mut(at) {
            noted.tries += 1;
            if !again {
                noted.object = object;
                noted.documents = documents;
                noted.indexes = indexes;
                noted.counters = (counters.clone(), counters);
            }
            let now = Instant::now();
            let start = noted.span.map_or(now, |span| span.start);
            noted.span = Some(Span { start, end: now });
            noted.began = Some(now);
        }
        Ok(())
    }

    /// It has run.
    async fn after(&mut self, session: &Session, at: usize) -> Result<()> {
        self.ended(at);
        let object = self.objects.get(at).cloned().unwrap_or_default();
        let indexes = watch::indexes(session, &object).await;
        let counters = watch::counters(session).await?;
        if let Some(noted) = self.noted.get_mut(at) {
            noted.built = indexes > noted.indexes;
            noted.counters.1 = counters;
        }
        Ok(())
    }

    fn ended(&mut self, at: usize) {
        if let Some(span) = self.noted.get_mut(at).and_then(|noted| noted.span.as_mut()) {
            span.end = Instant::now();
        }
    }
}

/// A recorder that looks on while a migration runs.
pub(super) struct Looker(pub tokio::sync::Mutex<Recorder>);

impl Witness<Session> for Looker {
    fn before<'a>(&'a self, session: &'a Session, step: usize, open: bool) -> Looking<'a> {
        // What cannot be looked at fails by itself when the command runs.
        Box::pin(async move {
            let _ = self.0.lock().await.before(session, step, open).await;
        })
    }

    fn after<'a>(&'a self, session: &'a Session, step: usize, _: bool) -> Looking<'a> {
        Box::pin(async move {
            let _ = self.0.lock().await.after(session, step).await;
        })
    }

    fn ended(&self, step: usize) -> Looking<'_> {
        Box::pin(async move { self.0.lock().await.ended(step) })
    }

    fn failed<'a>(&'a self, error: &'a Error) -> Looking<'a> {
        Box::pin(async move {
            let mut recorder = self.0.lock().await;
            let last = recorder.noted.iter().rposition(|noted| noted.span.is_some());
            let Some(at) = last else { return };
            recorder.ended(at);
            if let Some(noted) = recorder.noted.get_mut(at) {
                noted.failed = Some(error.to_string());
            }
        })
    }
}
