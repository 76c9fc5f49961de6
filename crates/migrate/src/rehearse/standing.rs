//! What stands in a migration's way: a transaction that is kept open for a while, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::clients::Ledger;

/// How long a standing transaction is away before it comes again.
const GAP: Duration = Duration::from_millis(50);

/// Who tells a standing transaction what to do.
#[derive(Debug)]
pub(crate) struct Standing {
    asked: mpsc::Sender<oneshot::Sender<()>>,
    away: Arc<AtomicBool>,
}

/// The turns of a standing transaction, for whoever opens and ends it.
#[derive(Debug)]
pub(crate) struct Turns {
    asks: mpsc::Receiver<oneshot::Sender<()>>,
    away: Arc<AtomicBool>,
    answer: Option<oneshot::Sender<()>>,
    ledger: Arc<Ledger>,
}

/// Both ends.
pub(crate) fn standing(ledger: &Arc<Ledger>) -> (Standing, Turns) {
    let (asked, asks) = mpsc::channel(4);
    let away = Arc::new(AtomicBool::new(false));
    let turns = Turns { asks, away: away.clone(), answer: None, ledger: ledger.clone() };
    (Standing { asked, away }, turns)
}

impl Standing {
    /// Has it begin anew, so that it stands in the way for its whole time.
    pub(crate) async fn anew(&self) {
        self.away.store(false, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        if self.asked.try_send(answer).is_ok() {
            let _ = tokio::time::timeout(Duration::from_millis(500), answered).await;
        }
    }

    /// Has it stay away, when this turn of it has ended, until it is to begin anew: what is tried
    /// again would meet it again and again, and never get through.
    pub(crate) fn stay_away(&self) {
        self.away.store(true, Ordering::Relaxed);
    }
}

impl Turns {
    /// Whether there is another turn.
    pub(crate) fn go_on(&self) -> bool {
        !self.ledger.is_stopped()
    }

    /// It is open: lies there for `hold`, or until it is to begin anew.
    pub(crate) async fn lie(&mut self, hold: Duration) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(());
        }
        self.wait(hold).await;
    }

    /// It has ended: waits until it comes again.
    pub(crate) async fn rest(&mut self) {
        while self.answer.is_none() {
            self.wait(GAP).await;
            if !self.away.load(Ordering::Relaxed) || !self.go_on() {
                return;
            }
        }
    }

    async fn wait(&mut self, time: Duration) {
        tokio::select! {
            () = self.ledger.pause(time) => {}
            Some(ask) = self.asks.recv() => self.answer = Some(ask),
        }
    }
}
