//! Ctrl-C and its kin: the first ends the work in order, the second at once.

use marula_core::{Error, ErrorKind};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::exit;

/// Resolves with the error to report once the user interrupts.
pub async fn interrupted() -> Error {
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        wait().await;
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
