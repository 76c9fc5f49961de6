use std::path::{Path, PathBuf};
use std::time::SystemTime;

use marula_core::Result;

use crate::{Session, from_server};

/// The session's own process on the server, when that is this machine.
pub(super) struct Backend {
    process: PathBuf,
}

/// The session's process; `None` when the server runs elsewhere, or where that cannot be told.
///
/// An address says little: a loopback port may lead into a container or through a tunnel. So the
/// process must be here under its number and bear the session's names.
pub(super) async fn backend(session: &Session) -> Result<Option<Backend>> {
    let asked = "/* marula reads the log */ SELECT pg_catalog.pg_backend_pid(), session_user::text,
                        pg_catalog.current_database()::text";
    let row = session.client().query_one(asked, &[]).await.map_err(|error| from_server(&error))?;
    let (number, user, database): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
    let process = PathBuf::from(format!("/proc/{number}"));
    let Ok(title) = std::fs::read(process.join("cmdline")) else { return Ok(None) };
    let title = String::from_utf8_lossy(&title).into_owned();
    let ours = title.starts_with("postgres") && title.contains(&format!("{user} {database} "));
    Ok(ours.then_some(Backend { process }))
}

impl Backend {
    /// The file the server's standard error goes to.
    pub fn standard_error(&self) -> Option<PathBuf> {
        let file = std::fs::read_link(self.process.join("fd/2")).ok()?;
        let readable = file.is_file() && std::fs::File::open(&file).is_ok();
        readable.then_some(file)
    }

    /// The data folder: as the setting says, else the one the process stands in.
    pub fn data_folder(&self, setting: &str) -> Option<PathBuf> {
        if setting.is_empty() {
            return std::fs::read_link(self.process.join("cwd")).ok();
        }
        Some(PathBuf::from(setting))
    }
}

/// The names of one set of files that are written in turn.
pub(super) struct RotatedSet {
    begin: String,
    end: String,
}

impl RotatedSet {
    /// The set that `newest` is of. `pattern` is `log_filename`.
    pub fn new(pattern: &str, newest: &str) -> Self {
        let begin = pattern.split('%').next().unwrap_or_default();
        let begin = if newest.starts_with(begin) { begin } else { "" };
        let end = newest.rsplit_once('.').map_or("", |(_, end)| end);
        RotatedSet { begin: begin.to_owned(), end: format!(".{end}") }
    }

    /// Whether a file is of it.
    pub fn has(&self, name: &str) -> bool {
        name.starts_with(&self.begin) && name.ends_with(&self.end)
    }
}

/// The files of the same set in the same folder, the oldest first, `current` last.
pub(super) fn siblings(current: &Path, pattern: &str) -> Vec<PathBuf> {
    let newest = current.file_name().unwrap_or_default().to_string_lossy();
    let set = RotatedSet::new(pattern, &newest);
    let mut found: Vec<(SystemTime, PathBuf)> = current
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| set.has(&entry.file_name().to_string_lossy()))
        .filter(|entry| entry.path() != current)
        .filter_map(|entry| {
            let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).chain([current.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::RotatedSet;

    #[test]
    fn a_rotated_set_is_of_one_name_and_one_format() {
        let set = RotatedSet::new("postgresql-%Y-%m-%d.log", "postgresql-2026-03-01.csv");
        assert!(set.has("postgresql-2026-02-28.csv"));
        assert!(!set.has("postgresql-2026-03-01.log"));
        assert!(!set.has("pgbouncer.csv"));
    }
}
