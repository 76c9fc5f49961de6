use std::fs::{DirBuilder, File, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use marula_core::{Engine, Error, ErrorKind, Result, Version, nearest};
use serde::{Deserialize, Serialize};

use super::{Request, check_name};
use crate::{home, servers};

/// A lab that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lab {
    /// What was asked for.
    pub request: Request,
    /// Its servers.
    pub servers: Vec<LabServerState>,
    /// The process that holds it: id and start time in clock ticks since boot.
    pub supervisor: (u32, u64),
    /// When it was started and when it ends, in seconds since 1970.
    pub started: u64,
    /// See `started`.
    pub ends: u64,
    /// Whether its data is loaded.
    pub ready: bool,
}

/// A server of a lab that runs.
#[derive(Clone, Serialize, Deserialize)]
pub struct LabServerState {
    /// Its engine.
    pub engine: Engine,
    /// Its version.
    pub version: Version,
    /// The URL that psql or mongosh opens. Holds PostgreSQL's password.
    pub url: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process: id and start time in clock ticks since boot.
    pub process: (u32, u64),
    /// The folder that holds its data and its log.
    pub folder: PathBuf,
}

// The password in the URL stays out of logs.
impl std::fmt::Debug for LabServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = marula_core::redact(&self.url);
        write!(f, "LabServerState({} {} {url} pid {})", self.engine, self.version, self.process.0)
    }
}

impl Lab {
    /// The server of `engine`, if the lab has one.
    pub fn server(&self, engine: Engine) -> Option<&LabServerState> {
        self.servers.iter().find(|server| server.engine == engine)
    }

    /// How long it will still live.
    pub fn remaining(&self) -> Duration {
        Duration::from_secs(self.ends.saturating_sub(now()))
    }
}

/// The labs that run, by name. What is left of others is removed.
pub fn list() -> Vec<Lab> {
    servers::reap();
    let mut names: Vec<String> = home::labs()
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| check_name(name).is_ok())
        .collect();
    names.sort();
    names.iter().filter_map(|name| running(name)).collect()
}

/// The URL of the server of `engine` of the lab `name`.
pub fn find(name: &str, engine: Engine) -> Result<String> {
    check_name(name)?;
    let Some(lab) = running(name) else {
        let error = Error::new(ErrorKind::NotFound, format!("no lab '{name}' is running"));
        let labs = list();
        let near = nearest(name, labs.iter().map(|lab| lab.request.name.as_str()));
        return Err(match near.first() {
            Some(near) => error.hint(format!("did you mean lab/{near}/{engine}?")),
            None => error.hint(format!("start it: marula lab up {name}")),
        });
    };
    if !lab.ready {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the lab '{name}' is still being loaded"),
        )
        .hint("wait until 'marula lab list' shows it as ready"));
    }
    match lab.server(engine) {
        Some(server) => Ok(server.url.clone()),
        None => Err(Error::new(
            ErrorKind::NotFound,
            format!("the lab '{name}' has no {} server", engine.title()),
        )
        .hint(format!("start a lab that has one: marula lab up {name}2 --engine {engine}"))),
    }
}

/// The lab `name` if its supervisor lives; removes what is left of it otherwise.
pub(super) fn running(name: &str) -> Option<Lab> {
    if !is_held(name) {
        clear(name);
        return None;
    }
    serde_json::from_slice(&std::fs::read(home::labs().join(name).join("state.json")).ok()?).ok()
}

/// Removes what a supervisor that is gone left of `name`; leaves the folder of one that lives.
pub(super) fn clear(name: &str) {
    if home::labs().join(name).exists() {
        // Whoever can take the hold is alone with the folder, and dropping it removes that.
        drop(Hold::try_take(name));
    }
}

/// Whether a supervisor holds `name`, though it may not have written its state yet.
pub(super) fn is_held(name: &str) -> bool {
    File::options()
        .read(true)
        .write(true)
        .open(home::labs().join(name).join("lock"))
        .is_ok_and(|lock| lock.try_lock_shared().is_err())
}

/// The hold on a lab's name; the folder is removed with it.
pub(super) struct Hold {
    folder: PathBuf,
    lock: File,
}

impl Hold {
    /// Takes the name, or gives `None` when a supervisor has it.
    pub(super) fn take(name: &str) -> Result<Option<Self>> {
        let until = Instant::now() + Duration::from_millis(500);
        loop {
            // Whoever looks whether the lab lives has the lock for a moment, too.
            match Self::try_take(name)? {
                None if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
                taken => return Ok(taken),
            }
        }
    }

    fn try_take(name: &str) -> Result<Option<Self>> {
        let folder = home::labs().join(name);
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Lab, format!("cannot make a folder for the lab: {error}"))
                .at(folder.display().to_string())
                .hint("set MARULA_HOME to a folder you can write to")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let path = folder.join("lock");
        let lock = match File::options().create(true).truncate(false).write(true).open(&path) {
            Ok(lock) => lock,
            // Removed between the two lines by one that gave it up.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if lock.try_lock().is_err() {
            return Ok(None);
        }
        // The file may have been removed before we got its lock: then it locks nothing.
        let hold = Hold { folder, lock };
        Ok((!hold.is_lost()).then_some(hold))
    }

    /// Whether the lock file was removed or replaced: whoever did it took the lab's name away.
    pub(super) fn is_lost(&self) -> bool {
        let id = |about: Metadata| (about.dev(), about.ino());
        let there = self.folder.join("lock").metadata().ok().map(id);
        there.is_none() || there != self.lock.metadata().ok().map(id)
    }

    pub(super) fn write(&self, lab: &Lab) -> Result<()> {
        let text = serde_json::to_vec_pretty(lab).map_err(std::io::Error::from)?;
        Ok(home::write_whole(&self.folder.join("state.json"), &text, 0o600)?)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Another supervisor may have the name by now.
        if !self.is_lost() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
