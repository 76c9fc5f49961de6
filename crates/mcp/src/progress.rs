//! Long work tells the client what it is doing, when the client asked to be told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use marula_core::{Progress, redact};
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::text;

/// Numbers within one step are told no more often than this.
const PACE: Duration = Duration::from_millis(500);

/// The progress of one call.
pub struct Reporter {
    told: Arc<Told>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What work tells of itself.
#[derive(Default)]
pub struct Told {
    sender: Mutex<Option<mpsc::Sender<String>>>,
    step: Mutex<(String, Option<Instant>)>,
}

impl Reporter {
    /// For the call of this context; silent when it gave no token.
    pub fn new(context: &RequestContext<RoleServer>) -> Self {
        let told = Arc::new(Told::default());
        let Some(token) = context.meta.get_progress_token() else {
            return Reporter { told, task: Mutex::default() };
        };
        let (sender, mut next) = mpsc::channel::<String>(64);
        *told.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        let peer = context.peer.clone();
        let task = tokio::spawn(async move {
            // What it counts is not known beforehand: the number only has to grow.
            let mut count = 0.0;
            while let Some(message) = next.recv().await {
                count += 1.0;
                let said =
                    ProgressNotificationParam::new(token.clone(), count).with_message(message);
                if peer.notify_progress(said).await.is_err() {
                    return;
                }
            }
        });
        Reporter { told, task: Mutex::new(Some(task)) }
    }

    /// For work on another thread.
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// Sends what is still to be told: after the answer nothing may come.
    pub async fn finish(&self) {
        self.told.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = tokio::time::timeout(Duration::from_secs(1), task).await;
        }
    }
}

impl Told {
    fn tell(&self, message: &str) {
        if let Some(sender) = &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
            // A client that does not listen is not waited for.
            let _ = sender.try_send(text::cut(&text::spelled(&redact(message)), 200));
        }
    }
}

impl Progress for Told {
    fn step(&self, what: &str) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = (what.to_string(), None);
        self.tell(what);
    }

    fn advance(&self, done: u64, total: u64) {
        let message = {
            let mut now = self.step.lock().unwrap_or_else(PoisonError::into_inner);
            if total == 0 || now.1.is_some_and(|last| last.elapsed() < PACE) {
                return;
            }
            now.1 = Some(Instant::now());
            format!("{}: {} %", now.0, done.saturating_mul(100) / total)
        };
        self.tell(&message);
    }
}

impl Progress for Reporter {
    fn step(&self, what: &str) {
        self.told.step(what);
    }

    fn advance(&self, done: u64, total: u64) {
        self.told.advance(done, total);
    }
}
