use std::fs::{DirBuilder, File};
use std::io::{Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use marula_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::{Account, janitor::Janitor, reaper, started_at};
use crate::home;

/// Socket paths are limited to 107 bytes (103 on macOS); the longest name put behind is
/// `/.s.PGSQL.65535.lock`.
const LONGEST_SOCKET_FOLDER: usize = 103 - 21;

/// What a program's lock file tells the reaper.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// The program that holds the lock.
    pub(super) pid: u32,
    /// The servers it started: process id and start time.
    pub(super) servers: Vec<(u32, u64)>,
    /// The folder for its sockets, when the path of its own is not fit for them.
    pub(super) short: Option<PathBuf>,
}

/// This program's folder under `run/`, beside its lock file: the lock is held as long as the
/// program lives, which no process id could tell as surely.
pub(super) struct ProgramFolder {
    path: PathBuf,
    /// For sockets, when `path` is not fit for them.
    short: PathBuf,
    lock: File,
    record: Record,
    next: u32,
    _janitor: Option<Janitor>,
}

static PROGRAM: Mutex<Option<ProgramFolder>> = Mutex::new(None);

fn with_program<T>(act: impl FnOnce(&mut ProgramFolder) -> Result<T>) -> Result<T> {
    let mut program = PROGRAM.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match program.as_mut() {
        Some(program) => act(program),
        None => {
            reaper::reap();
            act(program.insert(ProgramFolder::create()?))
        }
    }
}

impl ProgramFolder {
    fn create() -> Result<Self> {
        let run = home::run();
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Lab, format!("cannot make a folder for servers: {error}"))
                .at(run.display().to_string())
                .hint("set MARULA_HOME to a folder you can write to")
        };
        DirBuilder::new().recursive(true).mode(0o711).create(&run).map_err(failed)?;
        let id = format!("{:08x}", rand::random::<u32>());
        let path = run.join(&id);
        let short = std::env::temp_dir().join(format!("marula-{id}"));
        let record = Record { pid: std::process::id(), ..Record::default() };
        // Locked under another name first: the reaper must never see it unlocked.
        let new = run.join(format!("{id}.new"));
        let lock = File::options().write(true).create_new(true).open(&new).map_err(failed)?;
        lock.lock().map_err(failed)?;
        std::fs::rename(&new, run.join(format!("{id}.lock"))).map_err(failed)?;
        DirBuilder::new().mode(0o711).create(&path).map_err(failed)?;
        let janitor = Janitor::start(&path, &short).ok();
        let mut folder = ProgramFolder { path, short, lock, record, next: 1, _janitor: janitor };
        folder.note()?;
        Ok(folder)
    }

    fn note(&mut self) -> Result<()> {
        let text = serde_json::to_vec(&self.record).unwrap_or_default();
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(&text)?;
        Ok(())
    }
}

/// The folder of one server; removed when dropped.
#[derive(Debug)]
pub(super) struct ServerFolder {
    path: PathBuf,
    sockets: PathBuf,
}

impl ServerFolder {
    /// A new folder that only `account` (or this user) can enter.
    pub(super) fn create(account: Option<&Account>) -> Result<Self> {
        with_program(|program| {
            let number = program.next;
            program.next += 1;
            let path = program.path.join(number.to_string());
            if let Some(account) = account {
                account.can_reach(&path)?;
            }
            let unfit = !fit_for_sockets(&path);
            let sockets = if unfit { program.short.join(number.to_string()) } else { path.clone() };
            if unfit && program.record.short.is_none() {
                program.record.short = Some(program.short.clone());
                program.note()?;
                DirBuilder::new().mode(0o711).create(&program.short)?;
            }
            let folder = ServerFolder { path, sockets };
            let mut made = vec![&folder.path];
            if unfit {
                made.push(&folder.sockets);
            }
            for path in made {
                DirBuilder::new().mode(0o700).create(path)?;
                if let Some(account) = account {
                    account.own(path)?;
                }
            }
            Ok(folder)
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server's sockets go.
    pub(super) fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Notes a started server for the reaper.
    pub(super) fn note_server(pid: u32) {
        let _ = with_program(|program| {
            program.record.servers.retain(|(pid, start)| started_at(*pid) == Some(*start));
            program.record.servers.extend(started_at(pid).map(|start| (pid, start)));
            program.note()
        });
    }
}

impl Drop for ServerFolder {
    fn drop(&mut self) {
        for path in [&self.path, &self.sockets] {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Whether sockets can be in this folder: its path is short enough, and has nothing in it that
/// means something in a list of addresses.
fn fit_for_sockets(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
    text.len() <= LONGEST_SOCKET_FOLDER && text.bytes().all(plain)
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
