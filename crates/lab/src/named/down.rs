use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Result, nearest};
use rustix::process::{Pid, Signal};

use super::{Lab, check_name, list, state};
use crate::servers::{self, started_at};

/// How long a supervisor may take to end its servers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends the lab `name` and removes all it held; returns when that is done.
pub async fn down(name: &str) -> Result<Lab> {
    check_name(name)?;
    let Some(lab) = running_or_starting(name).await else {
        let error = Error::new(ErrorKind::NotFound, format!("no lab '{name}' is running"));
        let labs = list();
        let near = nearest(name, labs.iter().map(|lab| lab.request.name.as_str()));
        return Err(match near.first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint("see which labs run: marula lab list"),
        });
    };
    let (pid, _) = lab.supervisor;
    let supervisor = i32::try_from(pid).ok().and_then(Pid::from_raw);
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(supervisor) = supervisor.filter(|_| !gone(lab.supervisor)) {
            let _ = rustix::process::kill_process(supervisor, signal);
        }
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            // Not the name's lock: the supervisor removes that before it has removed all else.
            if gone(lab.supervisor) && lab.servers.iter().all(|s| gone(s.process)) {
                state::clear(name);
                servers::reap();
                return Ok(lab);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Err(Error::new(ErrorKind::Lab, format!("the lab '{name}' does not end"))
        .hint(format!("end its supervisor yourself: kill -9 {pid}")))
}

/// A lab that starts has a held name, but no state for a moment.
async fn running_or_starting(name: &str) -> Option<Lab> {
    for _ in 0..500 {
        match state::running(name) {
            Some(lab) => return Some(lab),
            None if !state::is_held(name) => return None,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    None
}

fn gone((pid, start): (u32, u64)) -> bool {
    started_at(pid) != Some(start)
}
