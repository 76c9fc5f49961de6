//! The log of a running mongod: its file where it runs on this machine, else the lines it keeps.

use std::path::PathBuf;

use bson::doc;
use marula_core::{Error, ErrorKind, Result, Timestamp};
use marula_mongodb::Session;

use crate::live::LiveLog;

/// The log of a MongoDB server, to be read at once or followed.
pub struct MongodbLog {
    /// Its files.
    pub log: LiveLog,
    /// The lines that were read last, when the server gives them.
    last: Vec<String>,
}

/// The name the lines go by that the server keeps.
const KEPT: &str = "getLog";

impl MongodbLog {
    /// Opens the log. `follow` begins at its end.
    ///
    /// # Errors
    /// `Denied` without the right to the server's `getLog`, and whatever else the server says.
    pub async fn open(session: &Session, follow: bool) -> Result<Self> {
        if let Some(file) = local(session).await {
            let about = format!("from the server's log {}", file.display());
            return Ok(MongodbLog { log: LiveLog::local(vec![file], about), last: Vec::new() });
        }
        Self::open_through_server(session, follow).await
    }

    /// Opens the lines the server keeps, wherever it runs.
    ///
    /// # Errors
    /// As [`MongodbLog::open`].
    pub async fn open_through_server(session: &Session, follow: bool) -> Result<Self> {
        let about = "from the end of the server's log: at most 1,024 lines".to_owned();
        let mut log = MongodbLog { log: LiveLog::copied(about)?, last: lines(session).await? };
        let text = if follow { Vec::new() } else { joined(&log.last) };
        log.log.append(KEPT, &text)?;
        Ok(log)
    }

    /// Copies the lines that came since.
    ///
    /// # Errors
    /// As [`MongodbLog::open`].
    pub async fn refresh(&mut self, session: &Session) -> Result<()> {
        if !self.log.is_copied() {
            return Ok(());
        }
        self.log.trim();
        let now = lines(session).await?;
        let new = new_lines(&self.last, &now);
        self.log.append(KEPT, &joined(&now[new..]))?;
        self.last = now;
        Ok(())
    }
}

/// Where in `now` the lines begin that are not in `last`. The server keeps the last 1024.
fn new_lines(last: &[String], now: &[String]) -> usize {
    // The longest end of what was known that `now` begins with.
    (0..last.len())
        .find_map(|from| {
            let known = &last[from..];
            now.starts_with(known).then_some(known.len())
        })
        .unwrap_or(0)
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect()
}

/// The lines the server keeps.
async fn lines(session: &Session) -> Result<Vec<String>> {
    let admin = session.client().database("admin");
    let reply = admin.run_command(doc! { "getLog": "global" }).await.map_err(|failure| {
        let error = session.map(failure);
        match error.kind() {
            ErrorKind::Denied | ErrorKind::Refused => {
                error.hint("ask for the role clusterMonitor, or name the log's file")
            }
            _ => error,
        }
    })?;
    let lines = reply.get_array("log").map_err(|_| {
        Error::new(ErrorKind::Unsupported, "the server keeps no log that can be read")
    })?;
    Ok(lines.iter().filter_map(bson::Bson::as_str).map(str::to_owned).collect())
}

/// The server's clock.
///
/// # Errors
/// Whatever the server says.
pub async fn clock(session: &Session) -> Result<Timestamp> {
    let admin = session.client().database("admin");
    let reply = admin.run_command(doc! { "isMaster": 1 }).await;
    let reply = reply.map_err(|failure| session.map(failure))?;
    Ok(Timestamp(reply.get_datetime("localTime").map_or(0, |at| at.timestamp_millis())))
}

/// The log's file, when the server runs on this machine and the file can be read.
async fn local(session: &Session) -> Option<PathBuf> {
    let admin = session.client().database("admin");
    let status = admin.run_command(doc! { "serverStatus": 1 }).await.ok()?;
    let number = match status.get("pid")? {
        bson::Bson::Int64(number) => *number,
        bson::Bson::Int32(number) => i64::from(*number),
        _ => return None,
    };
    let options = admin.run_command(doc! { "getCmdLineOpts": 1 }).await.ok()?;
    let log = options.get_document("parsed").ok()?.get_document("systemLog").ok()?;
    let path = PathBuf::from(log.get_str("path").ok()?);
    // A loopback port may lead elsewhere: the process must be here, and be a mongod with this log.
    let process = PathBuf::from(format!("/proc/{number}"));
    let command = std::fs::read(process.join("cmdline")).ok()?;
    let arguments: Vec<_> = command.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let ours = arguments.first()?.rsplit('/').next()?.starts_with("mongo");
    let folder = std::fs::read_link(process.join("cwd")).ok();
    let path = if path.is_absolute() { path } else { folder?.join(path) };
    (ours && path.is_file() && std::fs::File::open(&path).is_ok()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::new_lines;

    #[test]
    fn lines_that_are_known_are_not_told_again() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(new_lines(&lines("abc"), &lines("abcde")), 3);
        assert_eq!(new_lines(&lines("abc"), &lines("cde")), 1);
        assert_eq!(new_lines(&lines("abc"), &lines("xyz")), 0);
        assert_eq!(new_lines(&lines("aab"), &lines("abaab")), 2);
        assert_eq!(new_lines(&[], &lines("ab")), 0);
    }
}
