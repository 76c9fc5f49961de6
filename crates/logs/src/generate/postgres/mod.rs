//! Logs of a made-up PostgreSQL server.

mod plans;
mod server;
mod story;
mod templates;
mod trouble;
mod truth;
mod write;

use std::io::{self, Write};

pub use truth::{StatementTruth, Truth};

/// The kinds of log the server can write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// To stderr with this `log_line_prefix`.
    Stderr(String),
    /// csvlog with 23 (to version 12), 24 (13) or 26 columns.
    Csv(usize),
    /// jsonlog.
    Json,
    /// Through syslog with this prefix; lines are split.
    Syslog(String),
    /// Google Cloud's export: the stderr line in `textPayload`.
    CloudSql,
}

/// What to make up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How the log is written.
    pub kind: Kind,
    /// The seed.
    pub seed: u64,
    /// Events, of one or more entries each; or the bytes after which to stop.
    pub length: Length,
    /// Only runs with their statements in one entry, as `log_min_duration_statement` writes
    /// them, and one in a hundred of something else: what a busy server's log looks like.
    pub plain: bool,
}

/// How much to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// This many events.
    Events(u64),
    /// Until there are this many bytes.
    Bytes(u64),
}

/// Writes a log; gives what is in it.
///
/// # Errors
/// When `out` cannot be written.
pub fn generate(plan: &Plan, out: &mut dyn Write) -> io::Result<Truth> {
    let mut story = story::Story::new(plan.seed, plan.plain);
    let mut entries = Vec::new();
    let (mut events, mut bytes) = (0, 0);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        let more = match plan.length {
            Length::Events(limit) => events < limit,
            Length::Bytes(limit) => bytes < limit,
        };
        if more {
            story.event(&mut entries);
        } else {
            story.end(&mut entries);
        }
        events += 1;
        for entry in entries.drain(..) {
            number += 1;
            line.clear();
            write::write(&plan.kind, &entry, number, &mut line);
            bytes += line.len() as u64;
            out.write_all(&line)?;
        }
        if !more {
            let mut truth = story.truth;
            truth.entries = number;
            return Ok(truth);
        }
    }
}
