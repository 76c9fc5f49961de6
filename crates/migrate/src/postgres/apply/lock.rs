//! One at a time: a session's advisory lock, asked for again and again.
//!
//! A waiting `pg_advisory_lock` holds a snapshot, which CREATE INDEX CONCURRENTLY of the holder
//! would wait for: both would hang for ever. So nobody waits inside the server.

use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Progress, Result};
use marula_postgres::{Session, from_server};

use super::Ground;
use crate::apply::Stop;

/// The lock's number, of this program's own: `marula` in ASCII.
const KEY: i64 = 0x6d61_7275_6c61;
/// Gives it back.
pub(super) const RELEASE: &str = "SELECT pg_catalog.pg_advisory_unlock(120265299553377)";
/// Whether this very session holds it.
pub(super) const HELD: &str = "EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = \
    'advisory' AND l.pid = pg_catalog.pg_backend_pid() AND l.classid = 28001 AND l.objid = \
    1920298081 AND l.objsubid = 1 AND l.granted)";
const PREFIX: &str = "marula migrate: ";

/// What others see of us.
pub(super) fn application_name(who: &str) -> String {
    let mut name = format!("{PREFIX}{who}");
    while name.len() > 63 {
        name.pop();
    }
    name
}

/// Who has it.
pub(super) async fn holder(session: &Session) -> Result<Option<String>> {
    let sql = "SELECT a.application_name, a.pid, a.usename::text, \
        pg_catalog.date_part('epoch', pg_catalog.now() - a.backend_start)::float8 \
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        WHERE l.locktype = 'advisory' AND l.classid = 28001 AND l.objid = 1920298081 \
        AND l.objsubid = 1 AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() \
        AND l.database = (SELECT oid FROM pg_catalog.pg_database \
                          WHERE datname = pg_catalog.current_database())";
    let rows = session.client().query(sql, &[]).await.map_err(|error| from_server(&error))?;
    Ok(rows.first().map(|row| {
        let name: &str = row.get(0);
        let (pid, user): (i32, Option<&str>) = (row.get(1), row.get(2));
        let since: f64 = row.get(3);
        let who = name.strip_prefix(PREFIX).unwrap_or(name);
        let user = user.unwrap_or("somebody");
        format!("{who}, connected as {user} for {since:.0} s (server process {pid})")
    }))
}

/// Takes it, trying for as long as `wait`.
pub(super) async fn take(
    ground: &Ground,
    wait: Duration,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<()> {
    let until = Instant::now() + wait;
    loop {
        let sql = "SELECT pg_catalog.pg_try_advisory_lock($1)";
        let row = ground.session.client().query_one(sql, &[&KEY]).await;
        if row.map_err(|error| from_server(&error))?.get(0) {
            return Ok(());
        }
        let holder = holder(&ground.session).await?;
        let shown = holder.as_deref().unwrap_or("another session");
        if Instant::now() >= until {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("somebody else migrates this database: {shown}"),
            )
            .hint("wait until that has ended (--wait 10m waits for it)")
            .hint(
                "if that program is gone, end its session on the server with pg_terminate_backend",
            ));
        }
        progress.step(&format!("waits for {shown}"));
        stop.check()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Fails unless this session still holds it.
pub(super) async fn check(ground: &Ground) -> Result<()> {
    let sql = format!("SELECT {HELD}");
    let row = ground.session.client().query_one(&sql, &[]).await;
    if row.map_err(|error| from_server(&error))?.get(0) { Ok(()) } else { Err(lost()) }
}

/// The lock is gone while we were at work.
pub(super) fn lost() -> Error {
    Error::new(ErrorKind::Refused, "the lock that keeps others from migrating was lost")
        .hint("connect to the server itself: behind a pooler in transaction mode no lock lasts")
        .hint("leave pg_advisory_unlock_all and DISCARD ALL out of migrations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_in_the_statements_are_the_key() {
        assert!(RELEASE.contains(&KEY.to_string()), "{KEY}");
        assert!(HELD.contains(&(KEY >> 32).to_string()));
        assert!(HELD.contains(&(KEY & 0xffff_ffff).to_string()));
    }
}
