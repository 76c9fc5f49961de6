//! `marula logs TARGET`: what a running server tells of itself.

use marula_core::{Digest, Error, ErrorKind, Result, Target};
use marula_logs::Request;

use crate::app::App;
use crate::open::{self, Session};

/// Digests the target's profile, or the end of its log where there is none.
pub async fn read(app: &App, name: &str, request: &Request) -> Result<(Target, Digest, String)> {
    let (target, session) = open::open(app, name, app.timeout(None)).await?;
    let Session::Mongodb(mongodb) = &session else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a PostgreSQL server is not asked for its log: it is read from files",
        )
        .at(target.name)
        .hint("name the log file or folder, or pipe it in: … | marula logs -"));
    };
    let named = |error| session.name(error, &target);
    let profile = marula_logs::mongodb::read_profile(mongodb, request).await;
    let note = match profile {
        Ok(digest) if digest.totals.calls > 0 => {
            return Ok((target, digest, "from system.profile".into()));
        }
        Ok(_) => "the profiler has nothing to tell, so this is the end of the server's log \
                  (at most 1,024 lines); db.setProfilingLevel(1, { slowms: 100 }) tells more"
            .to_string(),
        Err(error) => format!(
            "the profile cannot be read ({}), so this is the end of the server's log",
            error.message()
        ),
    };
    let digest = marula_logs::mongodb::recent_log(mongodb, request).await.map_err(named)?;
    Ok((target, digest, note))
}
