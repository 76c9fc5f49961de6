use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::{folder::Record, started_at};
use crate::home;

/// What was left by programs that are gone, and is now removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Folders that were removed.
    pub folders: Vec<PathBuf>,
    /// Processes that were ended.
    pub processes: Vec<u32>,
}

/// Removes what programs left that were killed before they could clean up: folders under `run/`
/// whose lock nobody holds, and processes that are certainly theirs.
pub fn reap() -> Reaped {
    let mut reaped = Reaped::default();
    for entry in home::run().read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("lock") => reap_program(&path, &mut reaped),
            // Left between making and naming a lock file; no program takes a minute for that.
            Some("new") => {
                let age = path.metadata().and_then(|about| about.modified()).ok();
                let age = age.and_then(|modified| modified.elapsed().ok());
                if age.is_some_and(|age| age > Duration::from_secs(60)) {
                    let _ = std::fs::remove_file(&path);
                }
            }
            // The lock file is made before the folder and removed after it.
            None if is_id(&path) && !path.with_extension("lock").exists() => {
                remove(&path, &mut reaped);
            }
            _ => {}
        }
    }
    reaped
}

fn reap_program(lock: &Path, reaped: &mut Reaped) {
    let Ok(file) = File::options().read(true).write(true).open(lock) else { return };
    if file.try_lock().is_err() {
        return;
    }
    let record: Record =
        std::fs::read(lock).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default();
    let folder = lock.with_extension("");
    let mut folders = vec![folder.clone()];
    // Only names this program gives: a damaged record must not have us remove something else.
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folders.extend(record.short.filter(|folder| folder.ends_with(format!("marula-{id}"))));
    for (pid, start) in record.servers {
        if end(pid, start, &folders) {
            reaped.processes.push(pid);
        }
    }
    for folder in &folders {
        remove(folder, reaped);
    }
    let _ = std::fs::remove_file(lock);
}

fn is_id(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn remove(folder: &Path, reaped: &mut Reaped) {
    if folder.exists() && std::fs::remove_dir_all(folder).is_ok() {
        reaped.folders.push(folder.to_owned());
    }
}

/// Ends process `pid` if it is the one that was started at `start` and its command line names one
/// of `folders`.
fn end(pid: u32, start: u64, folders: &[PathBuf]) -> bool {
    let ours = || {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        started_at(pid) == Some(start)
            && folders.iter().any(|folder| command.contains(&folder.display().to_string()))
    };
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(id) = id.filter(|_| ours()) else { return false };
    // SIGQUIT is PostgreSQL's immediate shutdown, which ends its children too.
    for (signal, patience) in [(Signal::QUIT, 3), (Signal::KILL, 2)] {
        let _ = rustix::process::kill_process(id, signal);
        let until = Instant::now() + Duration::from_secs(patience);
        while Instant::now() < until {
            if !ours() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    false
}
