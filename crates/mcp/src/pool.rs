//! Sessions are lent, one call a session, and come back when the call has ended well. How many
//! there are is bounded: who comes when all are lent waits.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result, Target};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Found, Session};

/// The most sessions that wait for their next call, of one target.
const IDLE: usize = 4;
/// How long a call waits for a session of others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sessions that wait, by alias.
pub(crate) struct Pool {
    idle: Mutex<HashMap<String, Vec<Session>>>,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl Pool {
    /// At most `places` sessions at a time, whose questions take at most `timeout`.
    pub fn new(places: usize, timeout: Duration) -> Self {
        Pool { idle: Mutex::default(), places: Arc::new(Semaphore::new(places)), timeout }
    }

    /// Lends a session that only reads.
    ///
    /// # Errors
    /// What opening says; `Timeout` when all are lent for long.
    pub async fn lend(self: &Arc<Self>, found: Found) -> Result<Lease> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(Error::new(ErrorKind::Timeout, "all sessions are in use")
                .hint("wait for a call that runs to end, or cancel one, then call again"));
        };
        let session = match self.waiting(&found.alias).await {
            Some(session) => session,
            None => Session::open(&found, self.timeout).await?,
        };
        let target = session.target(&found);
        Ok(Lease {
            session: Some(session),
            ended: false,
            pool: Arc::clone(self),
            found,
            target,
            _place: place,
        })
    }

    async fn waiting(&self, alias: &str) -> Option<Session> {
        loop {
            let next = self.lock().get_mut(alias).and_then(Vec::pop)?;
            if next.lives().await {
                return Some(next);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Session>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that is lent. Unless the call says that it [`ended`](Lease::ended), what it still runs
/// on the server is stopped, and it is not lent again.
pub(crate) struct Lease {
    session: Option<Session>,
    ended: bool,
    pool: Arc<Pool>,
    /// What the alias stands for.
    pub found: Found,
    /// The target as reports show it.
    pub target: Target,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    /// The call has ended: errors get the alias for their place, and the session may be lent again.
    pub fn ended<T>(mut self, result: Result<T>) -> Result<T> {
        self.ended = true;
        result.map_err(|error| match &self.session {
            Some(session) => session.name(error, &self.found.alias),
            None => error,
        })
    }
}

impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        // It is there from the beginning to the drop.
        #[allow(clippy::expect_used)]
        self.session.as_ref().expect("a lease holds its session until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.ended {
            let mut idle = self.pool.lock();
            let waiting = idle.entry(self.found.alias.clone()).or_default();
            if waiting.len() < IDLE {
                waiting.push(session);
            }
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { session.stop().await });
        }
    }
}
