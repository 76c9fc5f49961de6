//! PostgreSQL's logs.
//!
//! Every format gives [`entry::Entry`]s to the [`interpret::Interpreter`], which makes runs,
//! errors and events of them. Messages are understood in English only; of other languages the
//! entries and errors are counted and the language is told.

mod advise;
mod cloud;
mod csv;
mod entry;
mod interpret;
mod json;
mod jsonlog;
mod languages;
mod live;
mod messages;
mod parameters;
mod pgbouncer;
mod plans;
mod prefix;
mod sessions;
mod stderr;
mod syslog;
mod text;
mod time;

use std::sync::Arc;

use marula_core::Result;

use crate::{Clue, Format, Guess};

pub use advise::{advise, passed_over};
pub use live::{PostgresLog, between, read_counters, total};
pub(crate) use parameters::parameters;
pub(crate) use text::key;

/// Checks a `log_line_prefix`.
///
/// # Errors
/// `Usage` when it holds an escape that does not exist.
pub(crate) fn check_prefix(text: &str) -> Result<()> {
    prefix::Prefix::parse(text).map(|_| ())
}

/// The language of a log's messages, where it is not English: then only its entries and errors
/// are understood.
pub(crate) fn language(head: &[u8]) -> Option<&'static str> {
    languages::language(head)
}

/// PostgreSQL's formats that make sense of a head.
pub(crate) fn detect(clue: &Clue<'_>) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let mut guess = |format: Arc<dyn Format>, share| guesses.push(Guess { format, share });
    let given = clue.prefix.and_then(|text| prefix::Prefix::parse(text).ok());
    let (head, given) = (clue.head, given.as_ref());
    // In this order: of equals, the first wins.
    guess(Arc::new(csv::Csv), csv::share(head));
    guess(Arc::new(jsonlog::JsonLog), jsonlog::share(head));
    if let Some((syslog, share)) = syslog::detect(head, given, clue.written) {
        guess(Arc::new(syslog), share);
    }
    if let Some((cloud, share)) = cloud::detect(head, given) {
        guess(Arc::new(cloud), share);
    }
    guess(Arc::new(pgbouncer::PgBouncer), pgbouncer::share(head));
    let stderr = match given {
        Some(prefix) => Some((prefix.clone(), prefix::share_of(prefix, head))),
        None => prefix::infer(head),
    };
    if let Some((prefix, share)) = stderr {
        guess(Arc::new(stderr::Stderr::new(prefix)), share);
    }
    guesses
}
