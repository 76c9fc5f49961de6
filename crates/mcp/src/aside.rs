//! Work in the lab gets a thread of its own: it is long, reads deeply nested plans by recursion, and
//! does not move between threads.

use marula_core::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Plans and statements nest as deep as their authors like.
const STACK: usize = 64 << 20;

/// Does the work on its own thread. When the returned future is dropped, so is the work.
///
/// # Errors
/// What the work says; `Internal` when it panics.
pub async fn aside<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    let runtime = Handle::current();
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = oneshot::channel();
    let started =
        std::thread::Builder::new().name("marula lab".into()).stack_size(STACK).spawn(move || {
            let done = runtime.block_on(async {
                tokio::select! {
                    done = work() => Some(done),
                    _ = stopped => None,
                }
            });
            if let Some(done) = done {
                let _ = tell.send(done);
            }
        });
    started
        .map_err(|error| Error::new(ErrorKind::Lab, "no thread can be started").because(error))?;
    let done = told.await;
    drop(stop);
    done.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the work in the lab failed")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::rc::Rc;
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_cannot_move_is_done_and_its_panic_is_an_error() {
        let done = aside(|| async {
            let here = Rc::new(41);
            tokio::task::yield_now().await;
            Ok(*here + 1)
        });
        assert_eq!(done.await.unwrap(), 42);
        #[allow(clippy::panic)]
        let failed = aside::<(), _>(|| async { panic!("on purpose") }).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Internal);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_nobody_waits_for_is_dropped() {
        struct Told(Option<oneshot::Sender<()>>);
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = self.0.take().unwrap().send(());
            }
        }
        let (tell, told) = oneshot::channel();
        let told_on_drop = Told(Some(tell));
        let waiting = aside::<(), _>(move || async move {
            let _kept = told_on_drop;
            std::future::pending().await
        });
        let _ = tokio::time::timeout(Duration::from_millis(50), waiting).await;
        told.await.unwrap();
    }
}
