//! How far the standbys are behind, and waiting for them.

use std::time::{Duration, Instant};

use marula_core::{Progress, Result};
use marula_postgres::from_server;

use super::Ground;
use crate::apply::Stop;

/// So much WAL that was not replayed counts as behind, whatever the clock says: it may have been
/// there before we began to look.
const BYTES: i64 = 64 << 20;

/// Waits while a standby is more than `limit` behind.
pub(super) async fn wait(
    ground: &Ground,
    limit: Duration,
    stop: &Stop,
    progress: &dyn Progress,
    title: &str,
) -> Result<()> {
    let began = Instant::now();
    loop {
        let Some((name, seconds, bytes)) = worst(ground).await? else { return Ok(()) };
        if seconds <= limit.as_secs_f64() && bytes <= BYTES {
            if began.elapsed() > Duration::from_secs(1) {
                let waited = began.elapsed().as_secs();
                ground.note(format!("the backfill waited {waited} s for standby {name}"));
            }
            return Ok(());
        }
        progress.step(&format!(
            "{title}: waits for standby {name}, {seconds:.0} s and {} MB behind (--max-lag)",
            bytes >> 20
        ));
        stop.check()?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The standby that is furthest behind: its name, seconds, bytes. The server tells no growing lag of
/// a standby whose replay stands still, so we note by our own clock when WAL was written, too.
async fn worst(ground: &Ground) -> Result<Option<(String, f64, i64)>> {
    let sql = "SELECT application_name, \
        coalesce(pg_catalog.date_part('epoch', replay_lag), 0)::float8, \
        coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), replay_lsn), 0)::int8, \
        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), '0/0')::int8 \
        FROM pg_catalog.pg_stat_replication WHERE state IN ('streaming', 'catchup') \
        AND replay_lsn IS NOT NULL ORDER BY 2 DESC, 3 DESC";
    let rows = ground.session.client().query(sql, &[]).await;
    let rows = rows.map_err(|error| from_server(&error))?;
    let all = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2)));
    let worst = all.max_by(|a: &(String, f64, i64), b| {
        (a.1 * 1e6 + a.2 as f64).total_cmp(&(b.1 * 1e6 + b.2 as f64))
    });
    let Some((name, seconds, bytes)) = worst else { return Ok(None) };
    let written = rows.first().map_or(0, |row| row.get::<_, i64>(3)).unsigned_abs();
    let most = rows.iter().map(|row| row.get::<_, i64>(2)).max().unwrap_or(0).max(0);
    let mut lag = ground.lag.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let now = Instant::now();
    lag.wrote(now, written);
    lag.replayed(now, written.saturating_sub(most.unsigned_abs()));
    // The server's own figure is of the last write that came back: nothing is left of it.
    let seconds = if lag.is_even() { 0.0 } else { seconds.max(lag.behind(now).as_secs_f64()) };
    Ok(Some((name, seconds, bytes)))
}
