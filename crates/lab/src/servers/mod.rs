//! Servers that end with this program.
//!
//! Each has a folder of its own under `run/`, dies with this program even on `kill -9`, and leaves
//! nothing: dropping it stops it and removes the folder, and what a killed program left is
//! removed by its janitor, or at the latest by the next program that starts a server.

mod account;
mod copy;
mod folder;
mod janitor;
mod mongodb;
mod options;
mod postgres;
mod process;
mod reaper;
mod replica;
mod running;
mod standby;
mod template;

pub use mongodb::MongoServer;
pub use options::{Listen, StartOptions};
pub use postgres::PostgresServer;
pub use reaper::{Reaped, reap};
pub use running::Running;

use account::Account;
pub(crate) use folder::free_port;
pub(crate) use postgres::set_password;
pub(crate) use process::started_at;

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};

use crate::discover::Install;

/// Runs blocking work beside the runtime. If the caller is dropped meanwhile, what the work made
/// is dropped when it is done.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, "a background task failed").because(error))
    })
}

/// Drops a server beside the runtime, since its end is waited for.
async fn stop<Server: Send + 'static>(server: Server) {
    let _ = in_background(move || {
        drop(server);
        Ok(())
    })
    .await;
}

fn died(install: &Install, status: ExitStatus, log: &Path) -> Error {
    let (how, said) = (process::how(status), process::tail(log));
    Error::new(ErrorKind::ServerDied, format!("the lab's {install} ended ({how}): {said}"))
        .hint("check memory and disk space, then run it again")
}

fn not_ready(install: &Install, limit: Duration, log: &Path) -> Error {
    let said = process::tail(log);
    let message = format!("the lab's {install} did not start within {} s: {said}", limit.as_secs());
    Error::new(ErrorKind::Lab, message).hint("look whether this machine is overloaded")
}

/// Everything but letters, digits and `-._~` as `%XX`, as the host of a URL needs it.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
