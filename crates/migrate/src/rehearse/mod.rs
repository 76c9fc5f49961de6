//! Rehearsing migrations under load: what both engines share.
//!
//! The engines' halves ([`crate::postgres::rehearse`], [`crate::mongodb::rehearse`]) copy what a
//! migration touches to a throw-away server, start clients ([`clients`]) and a watcher there, and
//! run the migration statement by statement; the course of it all is one ([`rehearse`]). What the clients measured is the truth: every
//! operation is put to the statement it waited for longest ([`impact`]), and what grows with the
//! data is worked out for the target's size ([`extrapolate`]).

pub(crate) mod clients;
pub(crate) mod course;
pub(crate) mod extrapolate;
pub(crate) mod impact;
pub(crate) mod standing;

use std::time::{Duration, Instant};

use marula_core::Workload;

pub use course::{Stage, Told, rehearse, run_on};

/// How a rehearsal runs.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// Clients that work meanwhile, each with a connection of its own.
    pub clients: u32,
    /// Operations a second of all of them together.
    pub rate: f64,
    /// How long they work before the migration begins, and a part of it after its end.
    pub warm_up: Duration,
    /// How long the reader in every statement's way keeps its snapshot; zero leaves it out.
    pub reader: Duration,
    /// How long the writer lies idle in its transaction; zero leaves it out.
    pub writer: Duration,
    /// A statement that takes longer is cancelled.
    pub limit: Duration,
    /// What the clients run in place of the default mix.
    pub workload: Option<Workload>,
}

impl Default for RehearseOptions {
    fn default() -> Self {
        RehearseOptions {
            clients: 8,
            rate: 800.0,
            warm_up: Duration::from_secs(2),
            reader: Duration::from_secs(1),
            writer: Duration::from_millis(500),
            limit: Duration::from_secs(600),
            workload: None,
        }
    }
}

/// A stretch of time on the rehearsal's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

impl Span {
    /// How long two stretches run side by side.
    pub(crate) fn overlap(&self, other: &Span) -> Duration {
        self.end.min(other.end).saturating_duration_since(self.start.max(other.start))
    }

    /// From the first one's begin to the last one's end, in milliseconds.
    pub(crate) fn all_ms(spans: &[Span]) -> f64 {
        match (spans.first(), spans.last()) {
            (Some(first), Some(last)) => Span { start: first.start, end: last.end }.ms(),
            _ => 0.0,
        }
    }

    /// Its length in milliseconds.
    pub(crate) fn ms(&self) -> f64 {
        ms(self.end.saturating_duration_since(self.start))
    }
}

/// A time in milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The bytes of a folder's files, at every depth.
pub(crate) fn folder_size(folder: &std::path::Path) -> u64 {
    let mut open = vec![folder.to_path_buf()];
    let mut bytes = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(about) if about.is_dir() => open.push(entry.path()),
                Ok(about) => bytes += about.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
