//! What is seen from outside while a migration runs: locks by OID, disk, the server's own log of
//! waits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use marula_core::Result;
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use crate::postgres::Lock;
use crate::rehearse::clients::Ledger;
use crate::rehearse::{Span, folder_size};

/// How often locks are looked at.
const EVERY: Duration = Duration::from_millis(5);
/// How often the disk is.
const DISK: Duration = Duration::from_millis(100);
/// Locks that are remembered; a migration of an hour has fewer.
const MOST: usize = 200_000;

/// A lock of the migration, for as long as it was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenLock {
    /// The relation.
    pub relation: u32,
    /// The mode.
    pub lock: Lock,
    /// Whether it had it, or waited for it.
    pub granted: bool,
    /// When.
    pub span: Span,
}

/// A wait that the server wrote into its log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoggedWait {
    /// Who waited.
    pub pid: i32,
    /// For which relation, if for one.
    pub relation: Option<u32>,
    /// How long, in milliseconds.
    pub ms: f64,
    /// When it got what it waited for, in milliseconds since 1970.
    pub at: f64,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The migration's locks.
    pub locks: Vec<SeenLock>,
    /// The disk before it.
    pub disk_before: u64,
    /// The disk at its fullest.
    pub disk_peak: u64,
}

const LOCKS: &str = "SELECT relation, mode, granted FROM pg_locks \
     WHERE pid = $1 AND locktype = 'relation' AND relation >= 16384";

/// Watches the session whose number is in `pid` until all are to stop.
pub(super) async fn watch(
    spec: &ConnectSpec,
    pid: Arc<AtomicI32>,
    data: PathBuf,
    ledger: Arc<Ledger>,
) -> Result<tokio::task::JoinHandle<Watched>> {
    let options =
        SessionOptions { application_name: "marula watch".into(), ..SessionOptions::lab() };
    let session = Session::open(spec, &options).await?;
    let prepared = session.client().prepare(LOCKS).await.map_err(super::failed)?;
    let disk_before = folder_size(&data.join("base"));
    Ok(tokio::spawn(async move {
        let mut open: HashMap<(u32, Lock, bool), Span> = HashMap::new();
        let mut watched = Watched { disk_before, disk_peak: disk_before, ..Watched::default() };
        let mut looked = Instant::now();
        let mut close = |open: &mut HashMap<(u32, Lock, bool), Span>, now: Instant| {
            let over = open.extract_if(|_, span| span.end != now);
            let over = over.map(|((relation, lock, granted), span)| SeenLock {
                relation,
                lock,
                granted,
                span,
            });
            let over: Vec<SeenLock> = over.collect();
            if watched.locks.len() < MOST {
                watched.locks.extend(over);
            }
        };
        let mut peak = disk_before;
        while !ledger.is_stopped() {
            let whose = pid.load(Ordering::Relaxed);
            if whose != 0 {
                let rows = session.client().query(&prepared, &[&whose]).await.unwrap_or_default();
                let now = Instant::now();
                for row in &rows {
                    let Some(lock) = Lock::from_name(row.get(1)) else { continue };
                    let span = open
                        .entry((row.get(0), lock, row.get(2)))
                        .or_insert(Span { start: now, end: now });
                    span.end = now;
                }
                close(&mut open, now);
            }
            if looked.elapsed() > DISK {
                let base = data.join("base");
                let size = tokio::task::spawn_blocking(move || folder_size(&base)).await;
                peak = peak.max(size.unwrap_or(0));
                looked = Instant::now();
            }
            if session.is_closed() {
                break;
            }
            ledger.pause(EVERY).await;
        }
        close(&mut open, Instant::now() + EVERY);
        watched.disk_peak = peak.max(folder_size(&data.join("base")));
        watched
    }))
}

/// The waits that the log tells from `offset` on. Each line begins with the process's number and
/// the time: `%p %n `.
pub(super) fn logged(log: &Path, offset: u64) -> Vec<LoggedWait> {
    use std::io::{Read, Seek, SeekFrom};
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(log)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(256 << 20).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default().lines().filter_map(wait).collect()
}

/// `812 1764000000.123 LOG:  process 812 acquired AccessShareLock on relation 16390 of database
/// 16384 after 1000.123 ms`.
fn wait(line: &str) -> Option<LoggedWait> {
    let (pid, rest) = line.split_once(' ')?;
    let (at, rest) = rest.split_once(' ')?;
    let (_, said) = rest.split_once(" acquired ")?;
    let (what, after) = said.rsplit_once(" after ")?;
    let ms = after.split_whitespace().next()?.parse().ok()?;
    let relation = what
        .split_once(" on relation ")
        .and_then(|(_, relation)| relation.split_whitespace().next()?.parse().ok());
    let at: f64 = at.parse().ok()?;
    Some(LoggedWait { pid: pid.parse().ok()?, relation, ms, at: at * 1e3 })
}

/// The rehearsal's clock beside the server's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    now: Instant,
    since_1970: f64,
}

impl Clock {
    /// Now, on both.
    pub(super) fn now() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { now: Instant::now(), since_1970: since.as_secs_f64() * 1e3 }
    }

    /// When a wait was.
    pub(super) fn span(&self, wait: &LoggedWait) -> Span {
        let at = |ms: f64| {
            let since = ms - self.since_1970;
            let time = Duration::from_secs_f64(since.abs().min(1e9) / 1e3);
            if since >= 0.0 {
                self.now + time
            } else {
                self.now.checked_sub(time).unwrap_or(self.now)
            }
        };
        Span { start: at(wait.at - wait.ms), end: at(wait.at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_from_the_log() {
        let line = "812 1764000000.123 LOG:  process 812 acquired AccessShareLock on relation 16390 \
                    of database 16384 after 1000.125 ms";
        let expected =
            LoggedWait { pid: 812, relation: Some(16390), ms: 1000.125, at: 1_764_000_000_123.0 };
        assert_eq!(wait(line), Some(expected));
        let transaction =
            "9 1.5 LOG:  process 9 acquired ShareLock on transaction 745 after 3.0 ms";
        assert_eq!(wait(transaction).map(|wait| (wait.relation, wait.ms)), Some((None, 3.0)));
        assert_eq!(wait("9 1.5 LOG:  checkpoint complete"), None);
        assert_eq!(wait(""), None);
    }
}
