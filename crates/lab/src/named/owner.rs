use marula_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::servers::started_at;

/// A process that a lab is tied to. Another process that gets its id later is not taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pid: u32,
    /// Clock ticks since boot.
    started: u64,
}

impl Owner {
    /// The process `pid`, which must be running.
    pub fn of(pid: u32) -> Result<Self> {
        match started_at(pid) {
            Some(started) => Ok(Owner { pid, started }),
            None => Err(Error::new(ErrorKind::Usage, format!("there is no process {pid}"))
                .hint("name one that runs; in a shell script $$ is the script itself")),
        }
    }

    /// This process.
    pub fn this_process() -> Result<Self> {
        Self::of(std::process::id())
    }

    pub(super) fn lives(self) -> bool {
        started_at(self.pid) == Some(self.started)
    }
}
