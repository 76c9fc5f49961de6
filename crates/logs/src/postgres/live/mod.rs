//! What a running server tells: the counters of pg_stat_statements, in all or between two reads.

mod counted;
mod delta;
mod log;
mod tell;

pub use log::PostgresLog;

use marula_core::{Digest, Error, ErrorKind, Result};
use marula_postgres::Session;
use marula_postgres::counters::{self, Snapshot};

use crate::{Request, SortBy};

/// Reads the counters of all statements.
///
/// # Errors
/// `NotFound` without the extension, `Denied` without the right to see other users' statements,
/// `Usage` for filters that counters know nothing of.
pub async fn read_counters(session: &Session, request: &Request) -> Result<Snapshot> {
    check(request)?;
    // Who asks for its own statements alone needs no right to see the others'.
    let own = matches!(request.filter.users.as_slice(), [user] if user == session.spec().user());
    counters::read(session, own).await
}

/// All that was counted since the counters were last reset, and what the reader should know.
pub fn total(snapshot: &Snapshot, name: &str, request: &Request) -> (Digest, Vec<String>) {
    let mut notes = Vec::new();
    if let Some(times) = snapshot.evictions.filter(|times| *times > 0) {
        notes.push(format!(
            "the server threw the least used statements away {times} times \
             (pg_stat_statements.max = {}): these sums are too small by what they ran",
            snapshot.max
        ));
    }
    notes.extend(left_out(snapshot));
    let span = snapshot.reset.map(|from| marula_core::Span { from, to: snapshot.at });
    let counted = snapshot.counters.values().map(counted::Counted::whole).collect();
    (tell::digest(counted, span, snapshot, name, request), notes)
}

/// What was counted between two reads, and what the reader should know.
pub fn between(
    before: &Snapshot,
    after: &Snapshot,
    name: &str,
    request: &Request,
) -> (Digest, Vec<String>) {
    let (counted, mut notes) = delta::delta(before, after);
    notes.extend(left_out(after));
    let span = Some(marula_core::Span { from: before.at, to: after.at });
    (tell::digest(counted, span, after, name, request), notes)
}

fn left_out(snapshot: &Snapshot) -> Vec<String> {
    let mut notes = Vec::new();
    if snapshot.nested > 0 {
        notes.push(format!(
            "{} statements inside functions are left out: their time is in the statements that \
             called them",
            snapshot.nested
        ));
    }
    if snapshot.hidden > 0 {
        notes.push(format!("{} statements of other users are not shown", snapshot.hidden));
    }
    notes
}

/// Counters are sums: they know neither moments nor single runs.
fn check(request: &Request) -> Result<()> {
    let filter = &request.filter;
    let unknown = [
        (filter.from.is_some(), "--from", "when a statement ran"),
        (filter.to.is_some(), "--to", "when a statement ran"),
        (!filter.applications.is_empty(), "--application", "applications"),
        (filter.min_duration.is_some(), "--min-duration", "single runs"),
        (request.sort == SortBy::P99, "--sort p99", "percentiles"),
    ];
    match unknown.into_iter().find(|(given, ..)| *given) {
        Some((_, flag, what)) => Err(Error::new(
            ErrorKind::Usage,
            format!("pg_stat_statements does not know {what}, which {flag} asks for"),
        )
        .hint(format!("leave {flag} out, or read the server's log: --source log"))),
        None => Ok(()),
    }
}
