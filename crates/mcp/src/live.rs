//! What a target tells of its own work: counters, the profile, its log; or the log files that the
//! configuration names.

use std::path::PathBuf;

use marula_core::{Digest, Error, ErrorKind, Progress, Result, Timestamp};
use marula_logs::mongodb::{MongodbLog, read_profile};
use marula_logs::postgres::{PostgresLog, read_counters, total};
use marula_logs::{LiveLog, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pool::Lease;

/// Where to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Whatever tells most.
    #[default]
    Auto,
    /// pg_stat_statements.
    Statements,
    /// system.profile.
    Profile,
    /// The server's log.
    Log,
    /// The configured log files.
    Files,
}

/// Reads it; with what the reader should know.
pub(crate) async fn read(
    lease: &Lease,
    source: Source,
    request: &Request,
    progress: &dyn Progress,
) -> Result<(Digest, Vec<String>)> {
    if source == Source::Files {
        return files(lease.found.logs.clone(), request).await;
    }
    match &**lease {
        crate::Session::Postgres(session) => {
            postgres(session, &lease.found.alias, source, request, progress).await
        }
        crate::Session::Mongodb(session) => mongodb(session, source, request).await,
    }
}

/// The files the configuration names.
pub(crate) async fn files(
    inputs: Vec<PathBuf>,
    request: &Request,
) -> Result<(Digest, Vec<String>)> {
    if inputs.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "the configuration names no log files of this target")
            .hint("ask the user to add logs = [\"/path/to/logs\"] to the target in marula.toml, or choose another source"));
    }
    let request = Request { inputs, ..request.clone() };
    Ok((digested(request).await?, vec!["from the configured log files".into()]))
}

async fn digested(request: Request) -> Result<Digest> {
    let work =
        tokio::task::spawn_blocking(move || marula_logs::digest(&request, &marula_core::Quiet));
    work.await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, "the logs could not be read").because(error))
    })
}

async fn postgres(
    session: &marula_postgres::Session,
    alias: &str,
    source: Source,
    request: &Request,
    progress: &dyn Progress,
) -> Result<(Digest, Vec<String>)> {
    let counted = match source {
        Source::Profile => return Err(unknown("profile", "PostgreSQL", "statements")),
        Source::Log => None,
        _ => Some(counters(session, alias, request).await),
    };
    match counted {
        Some(Ok(counted)) => Ok(counted),
        Some(Err(error)) if source == Source::Statements => Err(error),
        Some(Err(error))
            if !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Usage
            ) =>
        {
            Err(error)
        }
        Some(Err(error)) => match postgres_log(session, request, progress).await {
            Ok((digest, mut notes)) => {
                notes.push(format!("pg_stat_statements tells more: {}", said(&error)));
                Ok((digest, notes))
            }
            Err(other) => Err(error.hint(format!("its log: {}", said(&other)))),
        },
        None => postgres_log(session, request, progress).await,
    }
}

async fn counters(
    session: &marula_postgres::Session,
    alias: &str,
    request: &Request,
) -> Result<(Digest, Vec<String>)> {
    let counters = read_counters(session, request).await?;
    let (digest, mut notes) = total(&counters, alias, request);
    notes.insert(0, "from pg_stat_statements: all that was counted since its last reset".into());
    Ok((digest, notes))
}

async fn postgres_log(
    session: &marula_postgres::Session,
    request: &Request,
    progress: &dyn Progress,
) -> Result<(Digest, Vec<String>)> {
    let opened = PostgresLog::open(session, request.filter.from, false, progress).await?;
    let digest = of_log(&opened.log, request).await?;
    let mut notes = vec![opened.log.about.clone()];
    if digest.totals.calls == 0 {
        notes.push("no entry tells how long a statement took; log_min_duration_statement = 100ms logs those that take longer".into());
    }
    Ok((digest, notes))
}

async fn mongodb(
    session: &marula_mongodb::Session,
    source: Source,
    request: &Request,
) -> Result<(Digest, Vec<String>)> {
    if source == Source::Statements {
        return Err(unknown("pg_stat_statements", "MongoDB", "profile"));
    }
    let mut notes = Vec::new();
    if source != Source::Log {
        match read_profile(session, request).await {
            Ok(digest) if digest.totals.calls > 0 || source == Source::Profile => {
                return Ok((digest, vec!["from system.profile".into()]));
            }
            Err(error) if source == Source::Profile => return Err(error),
            Err(error) => notes.push(format!("the profile cannot be read: {}", error.message())),
            Ok(_) => notes.push("the profiler is off; the log tells less".into()),
        }
    }
    let opened = MongodbLog::open(session, false).await?;
    let digest = of_log(&opened.log, request).await?;
    notes.insert(0, opened.log.about.clone());
    Ok((digest, notes))
}

async fn of_log(log: &LiveLog, request: &Request) -> Result<Digest> {
    let mut digest = digested(Request { inputs: log.inputs.clone(), ..request.clone() }).await?;
    log.name(&mut digest);
    Ok(digest)
}

/// A request for all statements of at least so many milliseconds since a moment.
pub(crate) fn request(
    text: Option<String>,
    min_ms: Option<f64>,
    from: Option<Timestamp>,
) -> Request {
    let min_duration = min_ms
        .filter(|ms| ms.is_finite() && *ms >= 0.0)
        .map(|ms| std::time::Duration::from_secs_f64((ms / 1e3).min(1e6)));
    Request {
        filter: marula_logs::Filter {
            text,
            min_duration,
            from,
            not_own: true,
            ..marula_logs::Filter::default()
        },
        top: usize::MAX,
        ..Request::default()
    }
}

fn said(error: &Error) -> String {
    let hint = error.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", error.message())
}

fn unknown(what: &str, engine: &str, instead: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{engine} has no {what}"))
        .hint(format!("choose source {instead}, or log, or leave it out"))
}
