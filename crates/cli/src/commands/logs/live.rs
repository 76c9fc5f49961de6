//! `marula logs TARGET`: what a running server tells of itself.

mod mongodb;
mod postgres;

use std::sync::Arc;
use std::time::{Duration, Instant};

use marula_core::{Digest, Error, ErrorKind, Progress, Result, Target};
use marula_logs::{LiveLog, Request};

use crate::app::App;
use crate::args::Source;
use crate::open::{self, Session};
use crate::progress::Terminal;
use crate::render::numbers::duration;
use crate::signals;

pub use mongodb::MongodbTail;
pub use postgres::PostgresTail;

/// How often waiting shows how long it still takes.
const TICK: Duration = Duration::from_millis(200);

/// What a target is asked for.
pub struct Question<'a> {
    /// The target.
    pub name: &'a str,
    /// Where it is to be read.
    pub source: Source,
    /// Only what runs in this time from now on.
    pub during: Option<Duration>,
    /// Filters, order and length.
    pub request: &'a Request,
}

/// What a target told.
pub struct Answer {
    /// The target.
    pub target: Target,
    /// What it ran.
    pub digest: Digest,
    /// Where it was read, and what the reader should know.
    pub notes: Vec<String>,
}

/// Asks the target.
pub async fn read(app: &App, question: Question<'_>, progress: &Arc<Terminal>) -> Result<Answer> {
    let (target, session) = open::open(app, question.name, app.timeout(None)).await?;
    let told = match &session {
        Session::Postgres(own) => postgres::read(own, &target, &question, progress).await,
        Session::Mongodb(own) => mongodb::read(own, &question, progress).await,
    };
    let (digest, notes) = told.map_err(|error| session.name(error, &target))?;
    Ok(Answer { target, digest, notes })
}

/// Waits so long, or until the user has seen enough; says which.
async fn wait(during: Duration, progress: &Terminal) -> Option<String> {
    let held = signals::hold();
    let began = Instant::now();
    let whole = duration(during.as_secs_f64() * 1e3);
    progress.step(&format!("watching for {whole}; Ctrl-C shows what there is so far"));
    let total = u64::try_from(during.as_millis()).unwrap_or(u64::MAX);
    loop {
        let left = during.saturating_sub(began.elapsed());
        if left.is_zero() {
            return None;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(TICK)) => {}
            () = held.asked() => {
                let seen = duration(began.elapsed().as_secs_f64() * 1e3);
                return Some(format!("ended early: {seen} of {whole} were watched"));
            }
        }
        progress.advance(u64::try_from(began.elapsed().as_millis()).unwrap_or(total), total);
    }
}

/// Digests a server's log.
async fn digest(log: &LiveLog, request: &Request, progress: &Arc<Terminal>) -> Result<Digest> {
    let request = Request { inputs: log.inputs.clone(), ..request.clone() };
    let mut digest = super::read(&request, progress).await?;
    log.name(&mut digest);
    Ok(digest)
}

/// A source that only the other engine has.
fn unknown(what: &str, engine: &str, instead: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{engine} has no {what}"))
        .hint(format!("choose --source {instead}, or log, or leave it out"))
}
