use std::future::Future;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};

use crate::{Session, error};

/// What a server gets beyond its own time limit before it is asked to stop, and again before it
/// is given up.
const GRACE: Duration = Duration::from_secs(3);

/// Runs `work` in a read-only transaction that is always rolled back.
pub(crate) async fn read_only<T>(
    session: &Session,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let client = session.client();
    let limit = session.options().statement_timeout.as_millis().min(i32::MAX as u128);
    // The limit is set again: behind a pooler the session's settings may be another's by now. A
    // session without one (the lab's) keeps what was set in it for this statement.
    let set = (limit > 0).then(|| format!("SET LOCAL statement_timeout = {limit}"));
    let begin = format!("BEGIN TRANSACTION READ ONLY; {}", set.unwrap_or_default());
    client.batch_execute(&begin).await.map_err(|e| error::from_server(&e))?;
    let result = within(session, work).await;
    // After a broken connection there is nothing to roll back.
    let ended = client.batch_execute("ROLLBACK").await;
    match (result, ended) {
        (Ok(value), Ok(())) => Ok(value),
        (Ok(_), Err(failed)) => Err(error::from_server(&failed)),
        (Err(first), _) if session.is_closed() && first.kind() == ErrorKind::Server => {
            Err(error::died().because(first))
        }
        (Err(first), _) => Err(first),
    }
}

/// `work`, or a cancellation on the server when its own time limit does not end it.
async fn within<T>(session: &Session, work: impl Future<Output = Result<T>>) -> Result<T> {
    let limit = session.options().statement_timeout;
    if limit.is_zero() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    if let Ok(result) = tokio::time::timeout(limit + GRACE, &mut work).await {
        return result;
    }
    session.cancel().await?;
    tokio::time::timeout(GRACE, &mut work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, "the server does not stop the statement")
            .hint("end its session on the server with pg_terminate_backend"))
    })
}
