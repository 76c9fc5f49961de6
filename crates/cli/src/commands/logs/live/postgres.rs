use std::path::PathBuf;
use std::sync::Arc;

use marula_core::{Digest, Error, ErrorKind, Result, Target, Timestamp};
use marula_logs::postgres::{PostgresLog, between, read_counters, total};
use marula_logs::{LiveLog, Request};
use marula_postgres::Session;

use super::{Question, unknown, wait};
use crate::args::Source;
use crate::progress::Terminal;

/// Counters where there are any, else the server's log.
pub async fn read(
    session: &Session,
    target: &Target,
    question: &Question<'_>,
    progress: &Arc<Terminal>,
) -> Result<(Digest, Vec<String>)> {
    match question.source {
        Source::Profile => Err(unknown("profile", "PostgreSQL", "statements")),
        Source::Statements => counters(session, target, question, progress).await,
        Source::Log => log(session, question, progress).await,
        Source::Auto => {
            let counted = counters(session, target, question, progress).await;
            let Err(error) = counted else { return counted };
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Usage) {
                return Err(error);
            }
            match log(session, question, progress).await {
                Ok((digest, mut notes)) => {
                    notes.push(format!("pg_stat_statements tells more: {}", said(&error)));
                    Ok((digest, notes))
                }
                // What is to be done about the better source is said first.
                Err(other) => Err(error.hint(format!("its log: {}", said(&other)))),
            }
        }
    }
}

/// An error's message and what to do, in one line.
fn said(error: &Error) -> String {
    let hint = error.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", error.message())
}

async fn counters(
    session: &Session,
    target: &Target,
    question: &Question<'_>,
    progress: &Arc<Terminal>,
) -> Result<(Digest, Vec<String>)> {
    let request = question.request;
    let before = read_counters(session, request).await?;
    let Some(during) = question.during else {
        let (digest, mut notes) = total(&before, &target.name, request);
        let since = match before.reset {
            Some(at) => format!(" since its last reset at {}", crate::render::moment(at)),
            None => " since its last reset".into(),
        };
        notes.insert(0, format!("from pg_stat_statements: all that was counted{since}"));
        return Ok((digest, notes));
    };
    let early = wait(during, progress).await;
    let after = read_counters(session, request).await?;
    let (digest, mut notes) = between(&before, &after, &target.name, request);
    notes.insert(0, "from pg_stat_statements: what was counted between two reads".into());
    notes.extend(early);
    Ok((digest, notes))
}

async fn log(
    session: &Session,
    question: &Question<'_>,
    progress: &Arc<Terminal>,
) -> Result<(Digest, Vec<String>)> {
    let mut request = question.request.clone();
    let mut early = None;
    if let Some(during) = question.during {
        let now = now(session).await?;
        request.filter.from = Some(request.filter.from.map_or(now, |from| from.max(now)));
        // What cannot be read later need not be waited for.
        PostgresLog::open(session, request.filter.from, true, progress.as_ref()).await?;
        early = wait(during, progress).await;
    }
    let opened = PostgresLog::open(session, request.filter.from, false, progress.as_ref()).await?;
    let digest = super::digest(&opened.log, &request, progress).await?;
    let mut notes = vec![opened.log.about.clone()];
    if digest.totals.calls == 0 {
        notes.push(
            "no entry tells how long a statement took: log_min_duration_statement = 100ms logs \
             those that take longer"
                .into(),
        );
    }
    notes.extend(early);
    Ok((digest, notes))
}

/// The server's clock.
async fn now(session: &Session) -> Result<Timestamp> {
    let asked = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8";
    let row = session.client().query_one(asked, &[]).await;
    Ok(Timestamp(row.map_err(|error| marula_postgres::from_server(&error))?.get(0)))
}

/// A server's log that is followed.
pub struct PostgresTail {
    session: Session,
    log: PostgresLog,
}

impl PostgresTail {
    /// Begins at the log's end.
    pub async fn open(session: Session, request: &Request, progress: &Terminal) -> Result<Self> {
        let log = PostgresLog::open(&session, request.filter.from, true, progress).await?;
        Ok(PostgresTail { session, log })
    }

    /// Fetches what came since; gives files that were begun since.
    pub async fn refresh(&mut self) -> Result<Vec<PathBuf>> {
        self.log.refresh(&self.session).await
    }

    /// The log.
    pub fn log(&self) -> &LiveLog {
        &self.log.log
    }
}
