//! The secondary that follows the rehearsal's server, and how far it falls behind.

use std::sync::Arc;
use std::time::Instant;

use bson::doc;
use marula_core::Result;
use marula_mongodb::{ConnectSpec, Session};

use super::drive;
use crate::lag::{EVERY, Lag, PATIENCE};
use crate::rehearse::clients::Ledger;

/// Both members, asked in turn.
struct Both {
    primary: Session,
    secondary: Session,
    lag: Lag,
}

/// The last write a member knows of.
async fn position(session: &Session) -> Result<u64> {
    let admin = session.client().database("admin");
    let hello = admin.run_command(doc! { "isMaster": 1 }).await;
    let hello = hello.map_err(|error| session.map(error))?;
    let written = hello.get_document("lastWrite").and_then(|write| write.get_document("opTime"));
    let at = written.and_then(|optime| optime.get_timestamp("ts"));
    Ok(at.map_or(0, |at| u64::from(at.time) << 32 | u64::from(at.increment)))
}

impl Both {
    async fn look(&mut self) -> Result<()> {
        let written = position(&self.primary).await?;
        self.lag.wrote(Instant::now(), written);
        let replayed = position(&self.secondary).await?;
        self.lag.replayed(Instant::now(), replayed);
        Ok(())
    }

    /// Waits until the secondary has all that is written by now.
    async fn even(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        self.look().await?;
        while !self.lag.is_even() && Instant::now() < until {
            tokio::time::sleep(EVERY).await;
            let replayed = position(&self.secondary).await?;
            self.lag.replayed(Instant::now(), replayed);
        }
        Ok(())
    }
}

/// Watches how far the secondary falls behind, from now on until all are to stop and it has caught
/// up; in milliseconds.
pub(super) async fn watch(
    copy: &Session,
    secondary: &ConnectSpec,
    ledger: Arc<Ledger>,
) -> Result<tokio::task::JoinHandle<Option<f64>>> {
    let primary = drive::named(copy, "marula watch").await?;
    let options = marula_mongodb::SessionOptions {
        application_name: "marula watch".into(),
        ..marula_mongodb::SessionOptions::lab()
    };
    let secondary = Session::open(&secondary.with_database("admin"), &options).await?;
    let mut both = Both { primary, secondary, lag: Lag::default() };
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
