use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use marula_core::{Error, Result, Version};
use rustix::process::Signal;

use super::folder::ServerFolder;
use super::process::{Launch, Process};
use crate::discover::Install;

/// What a server of either engine is: a process of this program's own in a folder of its own.
/// Dropping it ends the process at once and removes the folder.
pub struct Running {
    // Fields are dropped in this order: the process before its folder.
    process: Process,
    folder: ServerFolder,
    install: Install,
    /// What ends it.
    end: Signal,
    databases: AtomicU32,
}

impl Running {
    /// Starts `launch`, which `end` will end.
    pub(super) fn start(
        install: &Install,
        folder: ServerFolder,
        launch: &Launch<'_>,
        end: Signal,
    ) -> Result<Self> {
        let process = Process::start(launch)?;
        ServerFolder::note_server(process.id());
        let databases = AtomicU32::new(1);
        Ok(Running { process, folder, install: install.clone(), end, databases })
    }

    /// Ends the process as a crash would, and starts `launch` on what it left.
    pub(super) fn restart(&mut self, launch: &Launch<'_>) -> Result<()> {
        self.process.crash();
        self.process = Process::start(launch)?;
        ServerFolder::note_server(self.process.id());
        Ok(())
    }

    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where its sockets are.
    pub(super) fn sockets(&self) -> &Path {
        self.folder.sockets()
    }

    /// A name no other database of this server has.
    pub(super) fn new_database(&self) -> String {
        format!("lab{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.install.version
    }

    /// The programs it was started from.
    pub fn install(&self) -> &Install {
        &self.install
    }

    /// Its process id; of PostgreSQL the postmaster's.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The folder that holds its data, its log and its sockets.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file the server logs to.
    pub fn log(&self) -> PathBuf {
        log_in(&self.folder)
    }

    /// Why the server is gone, if it is: how it ended and what it logged last.
    pub fn died(&mut self) -> Option<Error> {
        let status = self.process.exited()?;
        Some(super::died(&self.install, status, &self.log()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.stop(self.end, Duration::from_secs(10));
    }
}

/// The file a server in `folder` logs to.
pub(super) fn log_in(folder: &ServerFolder) -> PathBuf {
    folder.path().join("log")
}
