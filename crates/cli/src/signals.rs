//! Ctrl-C and its kin: the first ends the work in order, the second at once. Work that has
//! something to show when it is ended early [`hold`]s the first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, oneshot};

use crate::exit;

/// Who is told of the next signal in place of all.
static HELD: Mutex<Option<Arc<Notify>>> = Mutex::new(None);

/// Whether the work is to end.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Does what may wait for something that never comes, such as reading a pipe nobody writes to:
/// elsewhere, so that a signal ends the wait.
///
/// # Errors
/// `Interrupted` after a signal; those of `work`.
pub fn interruptible<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (tell, told) = channel();
    std::thread::Builder::new().name("reader".into()).stack_size(16 << 20).spawn(move || {
        let _ = tell.send(work());
    })?;
    loop {
        match told.recv_timeout(Duration::from_millis(50)) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) if ASKED.load(Ordering::Relaxed) => {
                return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(ErrorKind::Internal, "reading ended without a result"));
            }
        }
    }
}

/// While it lives, the first signal asks the work to come to its end.
pub struct Held(Arc<Notify>);

/// Takes the first signal. Only one piece of work at a time can.
pub fn hold() -> Held {
    let notify = Arc::new(Notify::new());
    *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&notify));
    Held(notify)
}

impl Held {
    /// Resolves when the user asks for an end.
    pub async fn asked(&self) {
        self.0.notified().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Resolves with the error to report once the user interrupts.
pub async fn interrupted() -> Error {
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        wait().await;
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(held) = held {
            held.notify_one();
            wait().await;
        }
        ASKED.store(true, Ordering::Relaxed);
        let _ = tell.send(());
        wait().await;
        // The work does not end by itself: the kernel ends its servers with this process.
        #[allow(clippy::exit)]
        std::process::exit(i32::from(exit::INTERRUPTED));
    });
    let _ = told.await;
    Error::new(ErrorKind::Interrupted, "interrupted")
}

async fn wait() {
    let streams = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = streams else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
