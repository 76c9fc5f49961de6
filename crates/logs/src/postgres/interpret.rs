use marula_core::{Engine, EventKind};

use super::entry::{Entry, Severity};
use super::messages::{self, Duration, Said};
use super::plans;
use super::sessions::{Lone, Pending, PendingPlan, RunSeen, Sessions};
use super::text;
use crate::{Edges, Failure, Happening, Run, Tally};

/// Makes runs, errors and events of entries.
pub(super) struct Interpreter<'t> {
    pub tally: &'t mut Tally,
    sessions: Sessions,
}

impl<'t> Interpreter<'t> {
    pub fn new(tally: &'t mut Tally) -> Self {
        Interpreter { tally, sessions: Sessions::default() }
    }

    /// What the chunk leaves open.
    pub fn edges(self) -> Edges {
        self.sessions.edges()
    }

    /// The next entry.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        self.tally.entry(entry.at);
        match entry.severity {
            Severity::Log => self.log(entry),
            Severity::Chatter => {}
            Severity::Warning => self.failure(entry, "WARNING"),
            Severity::Error => self.failure(entry, "ERROR"),
            Severity::Fatal => self.failure(entry, "FATAL"),
            Severity::Panic => self.failure(entry, "PANIC"),
        }
    }

    fn log(&mut self, entry: &Entry<'_>) {
        match messages::said(entry.message) {
            Said::Duration(micros, duration) => self.duration(entry, micros, &duration),
            Said::Statement { text, extended } => {
                let pending = Pending::new(entry, text);
                self.sessions.statement(entry.pid, pending, extended, self.tally);
            }
            Said::Event { kind, amount, about } => {
                self.happening(entry, kind, amount, about);
                if kind == EventKind::TempFile && !entry.statement.is_empty() {
                    let run = Run {
                        at: entry.at,
                        origin: entry.origin,
                        text: entry.statement,
                        temp_bytes: amount.map(|bytes| bytes as u64),
                        tabbed: entry.tabbed,
                        offset: entry.offset,
                        ..Run::default()
                    };
                    let key = text::key(run.text);
                    self.tally.reads(&run, key, || text::shape(run.text, key));
                }
            }
            Said::Waiting { about } => {
                self.sessions.waiting(entry, about, self.tally);
            }
            Said::Acquired { ms, about } => {
                self.sessions.acquired(entry.pid);
                self.happening(entry, EventKind::LockWait, Some(ms), about);
            }
            Said::CheckpointStarts { reason } => self.sessions.reason(entry.pid, reason),
            Said::CheckpointEnds { ms } => {
                let reason = self.sessions.take_reason(entry.pid);
                self.happening(entry, EventKind::Checkpoint, ms, &reason);
            }
            Said::Other => self.sessions.other(entry.pid, self.tally),
        }
    }

    fn duration(&mut self, entry: &Entry<'_>, micros: u64, duration: &Duration<'_>) {
        let mut run = Run {
            at: entry.at,
            micros,
            origin: entry.origin,
            parameters: messages::parameters_of(entry.detail),
            tabbed: entry.tabbed,
            offset: entry.offset,
            ..Run::default()
        };
        match duration {
            Duration::Statement(text) => {
                run.text = text;
                let key = text::key(run.text);
                let seen = RunSeen { key, at: entry.at.map(|at| at.0), micros };
                if let Some(plan) = self.sessions.run(entry.pid, seen, self.tally) {
                    plan.join(&mut run, |run| {
                        self.tally.run(run, key, || text::shape(run.text, key));
                    });
                } else {
                    self.tally.run(&run, key, || text::shape(run.text, key));
                }
            }
            // Parsing and binding are no runs of their own: pgBadger leaves them out, too.
            Duration::Step => {}
            Duration::Alone if matches!(entry.tag, b"PARSE" | b"BIND") => {}
            Duration::Alone => {
                self.sessions.alone(entry.pid, Lone::new(entry, micros), self.tally);
            }
            Duration::Plan(text) => match plans::split(text) {
                Some(plan) => {
                    let plan = PendingPlan::new(entry, micros, &plan);
                    self.sessions.plan(entry.pid, plan, self.tally);
                }
                None => self.sessions.other(entry.pid, self.tally),
            },
        }
    }

    fn failure(&mut self, entry: &Entry<'_>, severity: &'static str) {
        self.sessions.other(entry.pid, self.tally);
        let mut detail = Vec::new();
        for (name, text) in
            [("DETAIL", entry.detail), ("HINT", entry.hint), ("CONTEXT", entry.context)]
        {
            if !text.is_empty() {
                if !detail.is_empty() {
                    detail.push(b'\n');
                }
                detail.extend_from_slice(name.as_bytes());
                detail.extend_from_slice(b":  ");
                detail.extend_from_slice(text);
            }
        }
        if let Some((kind, about)) = messages::failed(entry.message) {
            let about = if kind == EventKind::Deadlock && about.is_empty() {
                messages::locked(entry.context)
            } else {
                about
            };
            self.happening(entry, kind, None, about);
        }
        self.tally.failure(&Failure {
            engine: Engine::Postgres,
            at: entry.at,
            origin: entry.origin,
            severity,
            code: entry.code,
            message: entry.message,
            detail: &detail,
            statement: entry.statement,
        });
    }

    fn happening(&mut self, entry: &Entry<'_>, kind: EventKind, amount: Option<f64>, about: &[u8]) {
        let (at, origin, text) = (entry.at, entry.origin, entry.message);
        self.tally.happening(&Happening { kind, at, origin, amount, about, text });
    }
}
