//! Where a server writes its log, and reading it: from the file system where the server runs on
//! this machine, else through the server in bounded pieces. Nothing here takes a name or a
//! function from a statement of the user's.

mod local;
mod managed;

use std::collections::HashMap;
use std::path::PathBuf;

use marula_core::{Error, ErrorKind, Result};

use crate::{Session, from_server};

/// Bytes that are asked of the server at once.
pub const PIECE: u64 = 4 << 20;

/// Where a server's log can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerLog {
    /// Files of this machine, the oldest first; the last one grows.
    Local(Vec<PathBuf>),
    /// Files the server reads for us, the oldest first; the last one grows.
    Remote(Vec<RemoteFile>),
}

/// A file on the server's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its path, as the server understands it.
    pub path: String,
    /// Its size when it was listed, in bytes.
    pub size: u64,
}

/// What the server's settings say of its log; what the session may not see is missing.
struct Settings(HashMap<String, String>);

impl Settings {
    async fn read(session: &Session) -> Result<Self> {
        let asked = "/* marula reads the log */ SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY ($1)";
        let names: &[&str] = &[
            "logging_collector",
            "log_destination",
            "log_directory",
            "log_filename",
            "data_directory",
        ];
        let rows =
            session.client().query(asked, &[&names]).await.map_err(|error| from_server(&error))?;
        Ok(Settings(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Finds the log.
///
/// # Errors
/// `Refused` for services that keep their log from SQL, with what to download; `Unsupported` where
/// the log goes to no file; `Denied` where the session's user may not read it, with the rights to
/// ask for.
pub async fn find(session: &Session) -> Result<ServerLog> {
    let place = session.spec().to_string();
    let told = |error: Error| error.at(place.clone());
    managed::check(session).await.map_err(told)?;
    let settings = Settings::read(session).await.map_err(told)?;
    let here = local::backend(session).await.map_err(told)?;
    if settings.get("logging_collector") != "on" {
        let file = here.as_ref().and_then(local::Backend::standard_error);
        return match file {
            Some(file) => Ok(ServerLog::Local(vec![file])),
            None => Err(told(no_collector(settings.get("log_destination"), here.is_some()))),
        };
    }
    let current = current(session, &settings).await.map_err(told)?;
    let folder = here.as_ref().map(|backend| backend.data_folder(settings.get("data_directory")));
    if let Some(path) = folder.flatten().map(|folder| folder.join(&current))
        && std::fs::File::open(&path).is_ok()
    {
        return Ok(ServerLog::Local(local::siblings(&path, settings.get("log_filename"))));
    }
    remote(session, &settings, &current).await.map(ServerLog::Remote).map_err(told)
}

/// The log's files as the server reads them, wherever it runs.
///
/// # Errors
/// As [`find`].
pub async fn find_remote(session: &Session) -> Result<Vec<RemoteFile>> {
    let place = session.spec().to_string();
    let told = |error: Error| error.at(place.clone());
    managed::check(session).await.map_err(told)?;
    let settings = Settings::read(session).await.map_err(told)?;
    if settings.get("logging_collector") != "on" {
        return Err(told(no_collector(settings.get("log_destination"), false)));
    }
    let current = current(session, &settings).await.map_err(told)?;
    remote(session, &settings, &current).await.map_err(told)
}

/// The file that is written now, by the format that tells most.
async fn current(session: &Session, settings: &Settings) -> Result<String> {
    for format in ["jsonlog", "csvlog", "stderr"] {
        if format == "jsonlog" && session.version().major < 15 {
            continue;
        }
        let asked = "/* marula reads the log */ SELECT pg_catalog.pg_current_logfile($1)";
        let row = match session.client().query_one(asked, &[&format]).await {
            Ok(row) => row,
            Err(error) => {
                let told = from_server(&error);
                return match told.server_code() {
                    // Before version 16 even pg_monitor may not call it, and lists the folder.
                    Some("42501") => newest(session, settings.get("log_directory")).await,
                    _ => Err(told),
                };
            }
        };
        if let Some(path) = row.get::<_, Option<String>>(0) {
            return Ok(path);
        }
    }
    Err(Error::new(ErrorKind::Unsupported, "the server writes its log to no file")
        .hint("set log_destination to stderr, csvlog or jsonlog with logging_collector = on")
        .hint("or read it where it goes: journalctl -t postgres -o cat | marula logs -"))
}

/// The file of the log's folder that was written last.
async fn newest(session: &Session, folder: &str) -> Result<String> {
    let asked = "/* marula reads the log */ SELECT name FROM pg_catalog.pg_ls_logdir() ORDER BY modification DESC, name DESC
                 LIMIT 1";
    let row = session.client().query_opt(asked, &[]).await.map_err(|_| may_not(session))?;
    match row {
        Some(row) if !folder.is_empty() => Ok(format!("{folder}/{}", row.get::<_, String>(0))),
        _ => Err(may_not(session)),
    }
}

fn no_collector(destination: &str, here: bool) -> Error {
    let error = Error::new(
        ErrorKind::Unsupported,
        format!(
            "logging_collector is off (log_destination = {destination}), and the server's standard \
             error is no file that can be read here"
        ),
    );
    if here {
        error.hint("read it where it goes: journalctl -u postgresql -o cat | marula logs -")
    } else {
        error
            .hint("on the server's machine: marula logs /var/log/postgresql/")
            .hint("or set logging_collector = on, and restart the server")
    }
}

fn may_not(session: &Session) -> Error {
    let user = session.spec().user();
    let role = crate::sql::quote_ident(user);
    Error::new(ErrorKind::Denied, format!("{user} may not read the server's log"))
        .hint(format!(
            "ask a superuser for: GRANT pg_monitor TO {role}; GRANT EXECUTE ON FUNCTION \
             pg_read_binary_file(text, bigint, bigint, boolean) TO {role}"
        ))
        .hint("or name the log's files: marula logs FILE …")
}

/// The files of the log's folder that are of one rotated set, by when they were written.
async fn remote(session: &Session, settings: &Settings, current: &str) -> Result<Vec<RemoteFile>> {
    let denied = |error: tokio_postgres::Error| {
        let told = from_server(&error);
        if told.server_code() == Some("42501") { may_not(session) } else { told }
    };
    let allowed = "/* marula reads the log */ SELECT pg_catalog.has_function_privilege(
        'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE')";
    let row = session.client().query_one(allowed, &[]).await.map_err(denied)?;
    if !row.get::<_, bool>(0) {
        return Err(may_not(session));
    }
    let asked = "/* marula reads the log */ SELECT name, size FROM pg_catalog.pg_ls_logdir() ORDER BY modification, name";
    let rows = session.client().query(asked, &[]).await.map_err(denied)?;
    let (folder, newest) = current.rsplit_once('/').unwrap_or(("", current));
    let set = local::RotatedSet::new(settings.get("log_filename"), newest);
    let mut files: Vec<RemoteFile> = rows
        .iter()
        .map(|row| (row.get::<_, String>(0), row.get::<_, i64>(1)))
        .filter(|(name, _)| set.has(name))
        .map(|(name, size)| RemoteFile {
            path: if folder.is_empty() { name } else { format!("{folder}/{name}") },
            size: u64::try_from(size).unwrap_or(0),
        })
        .collect();
    // Of equal times the one that grows is the last.
    files.sort_by_key(|file| file.path == current);
    Ok(files)
}

/// At most [`PIECE`] bytes of a file of the log, from `offset`; fewer at its end, none when it is
/// gone.
///
/// # Errors
/// `Denied` without the right, and whatever else the server says.
pub async fn read_piece(session: &Session, file: &RemoteFile, offset: u64) -> Result<Vec<u8>> {
    let asked =
        "/* marula reads the log */ SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)";
    let (offset, length) = (i64::try_from(offset).unwrap_or(i64::MAX), PIECE as i64);
    let row = session.client().query_one(asked, &[&file.path, &offset, &length]).await;
    let row = row.map_err(|error| {
        let told = from_server(&error);
        let told = if told.server_code() == Some("42501") { may_not(session) } else { told };
        told.at(file.path.clone())
    })?;
    Ok(row.get::<_, Option<Vec<u8>>>(0).unwrap_or_default())
}
