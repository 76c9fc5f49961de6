use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::ProveMode;

/// What the user asked of `tune`.
#[derive(Debug, Clone)]
pub struct TuneOptions {
    /// What new indexes may take together, in bytes as they are really built; `None` is no limit
    /// but their use. With 0 only rewrites, statistics and drops are proposed.
    pub budget_bytes: Option<u64>,
    /// The time one run of each statement may take, in milliseconds, where the workload names
    /// none of its own.
    pub goal_ms: Option<f64>,
    /// How proposals are proved.
    pub prove: ProveMode,
    /// How long one run may take before it is cancelled on the server.
    pub timeout: Duration,
    /// How long the search may go on, besides the runs of statements.
    pub search: Duration,
    /// The most statements that take part; of a bigger workload the heaviest do.
    pub max_statements: usize,
    /// Ends the work early; the best set proved until then is what is returned.
    pub stop: Stop,
}

impl Default for TuneOptions {
    fn default() -> Self {
        TuneOptions {
            budget_bytes: None,
            goal_ms: None,
            prove: ProveMode::Lab,
            timeout: Duration::from_secs(60),
            search: Duration::from_secs(300),
            max_statements: 200,
            stop: Stop::default(),
        }
    }
}

/// A way to end the work early, shared between who works and who waits.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopped: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Asks for the end.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    /// Whether the end was asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Waits until the end is asked for.
    pub async fn stopped(&self) {
        loop {
            let told = self.0.told.notified();
            let mut told = std::pin::pin!(told);
            // Listening before looking: what is said in between is heard.
            told.as_mut().enable();
            if self.is_stopped() {
                return;
            }
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_hears_of_a_stop_before_and_after_waiting() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.stopped().await }
        });
        tokio::task::yield_now().await;
        stop.stop();
        assert!(waiting.await.is_ok());
        stop.stopped().await;
        assert!(stop.is_stopped());
    }
}
