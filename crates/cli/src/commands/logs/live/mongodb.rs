use std::path::PathBuf;
use std::sync::Arc;

use marula_core::{Digest, Result};
use marula_logs::LiveLog;
use marula_logs::mongodb::{MongodbLog, clock, read_profile};
use marula_mongodb::Session;

use super::{Question, unknown, wait};
use crate::args::Source;
use crate::progress::Terminal;

/// The profile where it has something to tell, else the server's log.
pub async fn read(
    session: &Session,
    question: &Question<'_>,
    progress: &Arc<Terminal>,
) -> Result<(Digest, Vec<String>)> {
    if question.source == Source::Statements {
        return Err(unknown("pg_stat_statements", "MongoDB", "profile"));
    }
    let mut request = question.request.clone();
    let mut early = None;
    if let Some(during) = question.during {
        let now = clock(session).await?;
        request.filter.from = Some(request.filter.from.map_or(now, |from| from.max(now)));
        early = wait(during, progress).await;
    }
    let mut notes = Vec::new();
    if question.source != Source::Log {
        let profile = read_profile(session, &request).await;
        match (profile, question.source) {
            (Ok(digest), source) if digest.totals.calls > 0 || source == Source::Profile => {
                notes.push("from system.profile".to_owned());
                if digest.totals.calls == 0 {
                    notes.push(PROFILER.into());
                }
                notes.extend(early);
                return Ok((digest, notes));
            }
            (Err(error), Source::Profile) => return Err(error),
            (Ok(_), _) => notes.push(PROFILER.into()),
            (Err(error), _) => {
                notes.push(format!("the profile cannot be read: {}", error.message()));
            }
        }
    }
    let opened = MongodbLog::open(session, false).await?;
    let digest = super::digest(&opened.log, &request, progress).await?;
    notes.insert(0, opened.log.about.clone());
    notes.extend(early);
    Ok((digest, notes))
}

const PROFILER: &str = "the profiler has nothing to tell; db.setProfilingLevel(1, { slowms: 100 }) \
                        makes it tell more than the log";

/// A server's log that is followed.
pub struct MongodbTail {
    session: Session,
    log: MongodbLog,
}

impl MongodbTail {
    /// Begins at the log's end.
    pub async fn open(session: Session) -> Result<Self> {
        let log = MongodbLog::open(&session, true).await?;
        Ok(MongodbTail { session, log })
    }

    /// Fetches what came since; a server's log goes on in the same file.
    pub async fn refresh(&mut self) -> Result<Vec<PathBuf>> {
        self.log.refresh(&self.session).await.map(|()| Vec::new())
    }

    /// The log.
    pub fn log(&self) -> &LiveLog {
        &self.log.log
    }
}
