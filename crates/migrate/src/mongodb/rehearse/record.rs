//! What is written down of each command as it runs.

use std::time::Instant;

use bson::Document;
use marula_core::{Error, Result};
use marula_mongodb::Session;

use super::drive::Standing;
use super::watch::{self, Counters};
use crate::rehearse::Span;

/// What is known of one command when it has run.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// From its begin to its end.
    pub span: Option<Span>,
    /// How often it was tried.
    pub tries: u32,
    /// The collection it is about.
    pub object: String,
    /// Its documents before.
    pub documents: u64,
    /// Indexes it built.
    pub built: bool,
    /// Documents it changed.
    pub changed: i64,
    /// The server's counters before and after.
    pub counters: (Counters, Counters),
    /// The server's complaint.
    pub failed: Option<String>,
}

/// Writes down what commands do.
pub(super) struct Recorder<'a> {
    /// Each command, by its index.
    pub noted: Vec<Noted>,
    in_the_way: Vec<&'a Standing>,
    watched: bool,
}

impl<'a> Recorder<'a> {
    /// For so many commands; `in_the_way` begin anew before each.
    pub(super) fn new(commands: usize, in_the_way: Vec<&'a Standing>) -> Recorder<'a> {
        Recorder { noted: vec![Noted::default(); commands], in_the_way, watched: true }
    }

    /// For what nobody watches.
    pub(super) fn quiet(commands: usize) -> Recorder<'static> {
        Recorder { noted: vec![Noted::default(); commands], in_the_way: Vec::new(), watched: false }
    }

    /// A command is about to run; `open`: in a transaction that has begun before it.
    pub(super) async fn before(
        &mut self,
        session: &Session,
        at: usize,
        object: &str,
        open: bool,
    ) -> Result<()> {
        if !self.watched {
            return Ok(());
        }
        if !open {
            for standing in &self.in_the_way {
                standing.anew().await;
            }
        }
        let documents = watch::count(session, object).await;
        let counters = watch::counters(session).await?;
        if let Some(noted) = self.noted.get_mut(at) {
            noted.object = object.to_owned();
            noted.documents = documents;
            noted.counters = (counters.clone(), counters);
            let now = Instant::now();
            let start = noted.span.map_or(now, |span| span.start);
            noted.span = Some(Span { start, end: now });
        }
        Ok(())
    }

    /// It is tried for the so-manieth time.
    pub(super) fn tried(&mut self, at: usize, attempt: u32) {
        if let Some(noted) = self.noted.get_mut(at) {
            noted.tries = attempt;
        }
    }

    /// The server's reply to it, or to a part of it.
    pub(super) fn replied(&mut self, at: usize, reply: &Document) {
        let Some(noted) = self.noted.get_mut(at) else { return };
        let get = |name: &str| watch::number(reply.get(name));
        noted.built |= get("numIndexesAfter") > get("numIndexesBefore");
        noted.changed += match reply.get("nModified") {
            Some(changed) => watch::number(Some(changed)),
            // A delete counts what it took out.
            None => get("n"),
        };
    }

    /// It has run.
    pub(super) async fn after(&mut self, session: &Session, at: usize) -> Result<()> {
        self.ended(at);
        if !self.watched {
            return Ok(());
        }
        let counters = watch::counters(session).await?;
        if let Some(noted) = self.noted.get_mut(at) {
            noted.counters.1 = counters;
        }
        Ok(())
    }

    /// It failed.
    pub(super) fn failed(&mut self, at: usize, error: &Error) {
        self.ended(at);
        if let Some(noted) = self.noted.get_mut(at) {
            noted.failed = Some(error.to_string());
        }
    }

    fn ended(&mut self, at: usize) {
        if let Some(span) = self.noted.get_mut(at).and_then(|noted| noted.span.as_mut()) {
            span.end = Instant::now();
        }
    }
}
