use marula_core::{Progress, Result, Timestamp};
use marula_postgres::Session;
use marula_postgres::server_log::{self, RemoteFile, ServerLog};

use crate::live::LiveLog;

/// The most that is copied of a log on another machine: its end.
const COPIED: u64 = 256 << 20;
/// The most that is copied at once while it is followed.
const STEP: u64 = 32 << 20;

/// A log on this machine is looked for anew every so many refreshes.
const LOOK: u32 = 10;

/// The log of a PostgreSQL server, to be read at once or followed.
pub struct PostgresLog {
    /// Its files.
    pub log: LiveLog,
    /// Files on another machine with how much of them was read.
    read: Vec<(RemoteFile, u64)>,
    turns: u32,
}

impl PostgresLog {
    /// Opens the log. `follow` begins at its end; otherwise what can be read of it is copied where
    /// it is on another machine.
    ///
    /// # Errors
    /// As [`server_log::find`]; `Io` when a copy finds no room.
    pub async fn open(
        session: &Session,
        from: Option<Timestamp>,
        follow: bool,
        progress: &dyn Progress,
    ) -> Result<Self> {
        match server_log::find(session).await? {
            ServerLog::Local(mut files) => {
                let last = files.len().saturating_sub(1);
                let begins = |at: Timestamp| {
                    let since = u64::try_from(at.0).unwrap_or(0);
                    std::time::UNIX_EPOCH + std::time::Duration::from_millis(since)
                };
                if follow {
                    files.drain(..last);
                } else if let Some(from) = from.map(begins) {
                    // What was last written before that moment holds nothing of it.
                    let later = |file: &std::path::PathBuf| {
                        std::fs::metadata(file)
                            .and_then(|about| about.modified())
                            .map_or(true, |written| written >= from)
                    };
                    let newest = files.last().cloned();
                    files.retain(|file| later(file) || Some(file) == newest.as_ref());
                }
                let about = match files.as_slice() {
                    [one] => format!("from the server's log {}", one.display()),
                    many => format!(
                        "from the server's {} log files in {}",
                        many.len(),
                        many[0].parent().unwrap_or(&many[0]).display()
                    ),
                };
                Ok(PostgresLog { log: LiveLog::local(files, about), read: Vec::new(), turns: 0 })
            }
            ServerLog::Remote(files) => copied(session, files, follow, progress).await,
        }
    }

    /// Opens the log through the server, wherever it runs.
    ///
    /// # Errors
    /// As [`PostgresLog::open`].
    pub async fn open_through_server(
        session: &Session,
        follow: bool,
        progress: &dyn Progress,
    ) -> Result<Self> {
        copied(session, server_log::find_remote(session).await?, follow, progress).await
    }

    /// Copies what was added since, and finds files that were begun since. Gives the new ones.
    ///
    /// # Errors
    /// As [`PostgresLog::open`].
    pub async fn refresh(&mut self, session: &Session) -> Result<Vec<std::path::PathBuf>> {
        let before = self.log.inputs.len();
        if !self.log.is_copied() {
            self.turns += 1;
            // Rotation is rare, and each look for it is in the log that is watched.
            if !self.turns.is_multiple_of(LOOK) {
                return Ok(Vec::new());
            }
            if let ServerLog::Local(files) = server_log::find(session).await?
                && let Some(newest) = files.last().filter(|file| !self.log.has(file))
            {
                self.log.inputs.push(newest.clone());
            }
            return Ok(self.log.inputs[before..].to_vec());
        }
        self.log.trim();
        for file in server_log::find_remote(session).await? {
            if !self.read.iter().any(|(known, _)| known.path == file.path) {
                self.log.append(&file.path, b"")?;
                self.read.push((file, 0));
            }
        }
        let mut room = STEP;
        for (file, read) in &mut self.read {
            while copy_piece(session, file, read, &mut room, &mut self.log).await? {}
        }
        Ok(self.log.inputs[before..].to_vec())
    }
}

async fn copied(
    session: &Session,
    files: Vec<RemoteFile>,
    follow: bool,
    progress: &dyn Progress,
) -> Result<PostgresLog> {
    let all: u64 = files.iter().map(|file| file.size).sum();
    let mut about = "from the server's log, read through the server".to_owned();
    if all > COPIED && !follow {
        about.push_str(&format!(": the last {} of its {} MB", COPIED >> 20, all >> 20));
    }
    let mut log = PostgresLog { log: LiveLog::copied(about)?, read: Vec::new(), turns: 0 };
    let mut skip = if follow { all } else { all.saturating_sub(COPIED) };
    let mut room = if follow { 0 } else { COPIED };
    let wanted = room.min(all);
    progress.step("copying the server's log");
    for file in files {
        let mut read = skip.min(file.size);
        skip -= read;
        if !follow && read == file.size {
            continue;
        }
        if follow {
            log.log.append(&file.path, b"")?;
        }
        while copy_piece(session, &file, &mut read, &mut room, &mut log.log).await? {
            progress.advance(wanted - room.min(wanted), wanted);
        }
        log.read.push((file, read));
    }
    Ok(log)
}

/// Copies a piece; whether there may be more.
async fn copy_piece(
    session: &Session,
    file: &RemoteFile,
    read: &mut u64,
    room: &mut u64,
    log: &mut LiveLog,
) -> Result<bool> {
    if *room == 0 {
        return Ok(false);
    }
    let piece = server_log::read_piece(session, file, *read).await?;
    let size = piece.len() as u64;
    log.append(&file.path, &piece)?;
    *read += size;
    *room = room.saturating_sub(size);
    Ok(size == server_log::PIECE)
}
