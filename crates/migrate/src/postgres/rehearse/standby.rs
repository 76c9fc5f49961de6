//! The standby that follows the rehearsal's server, and how far it falls behind.

use std::sync::Arc;
use std::time::Instant;

use marula_core::Result;
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::failed;
use crate::lag::{EVERY, Lag, PATIENCE};
use crate::rehearse::clients::Ledger;

/// What a standby can have got.
const WRITTEN: &str = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::int8";
/// What it has replayed.
const REPLAYED: &str = "SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8";

/// Both servers, asked in turn.
struct Both {
    primary: Session,
    standby: Session,
    lag: Lag,
}

impl Both {
    async fn look(&mut self) -> Result<()> {
        let written: i64 =
            self.primary.client().query_one(WRITTEN, &[]).await.map_err(failed)?.get(0);
        self.lag.wrote(Instant::now(), written.unsigned_abs());
        let row = self.standby.client().query_one(REPLAYED, &[]).await.map_err(failed)?;
        let replayed: Option<i64> = row.get(0);
        self.lag.replayed(Instant::now(), replayed.unwrap_or(0).unsigned_abs());
        Ok(())
    }

    /// Waits until the standby has all that is written by now.
    async fn even(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        self.look().await?;
        while !self.lag.is_even() && Instant::now() < until {
            tokio::time::sleep(EVERY).await;
            let row = self.standby.client().query_one(REPLAYED, &[]).await.map_err(failed)?;
            let replayed: Option<i64> = row.get(0);
            self.lag.replayed(Instant::now(), replayed.unwrap_or(0).unsigned_abs());
        }
        Ok(())
    }
}

/// Watches how far the standby falls behind, from now on until all are to stop and it has caught
/// up; in milliseconds.
pub(super) async fn watch(
    primary: &ConnectSpec,
    standby: &ConnectSpec,
    ledger: Arc<Ledger>,
) -> Result<tokio::task::JoinHandle<Option<f64>>> {
    let options =
        SessionOptions { application_name: "marula watch".into(), ..SessionOptions::lab() };
    let primary = Session::open(primary, &options).await?;
    let standby = Session::open(standby, &options).await?;
    let mut both = Both { primary, standby, lag: Lag::default() };
    both.even().await?;
    both.lag = Lag::default();
    Ok(tokio::spawn(async move {
        let mut failed = 0;
        while !ledger.is_stopped() {
            // Who does not answer for once may do so the next time.
            failed = if both.look().await.is_ok() { 0 } else { failed + 1 };
            if failed > 100 {
                return None;
            }
            ledger.pause(EVERY).await;
        }
        both.even().await.ok()?;
        Some(both.lag.worst_ms())
    }))
}
