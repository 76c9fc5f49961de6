use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Result};
use rustix::process::{Pid, Signal};

use super::Account;
use crate::discover::Install;

/// What is to be started.
pub(super) struct Launch<'a> {
    pub(super) program: PathBuf,
    pub(super) library_dir: Option<&'a Path>,
    pub(super) arguments: Vec<String>,
    pub(super) account: Option<&'a Account>,
    /// The folder it works in.
    pub(super) folder: &'a Path,
    /// Where its output goes.
    pub(super) log: &'a Path,
    /// The signal the kernel sends it when this program ends.
    pub(super) at_our_end: Signal,
}

impl<'a> Launch<'a> {
    /// The program `name` beside the server of `install`.
    pub(super) fn of(install: &'a Install, name: &str, folder: &'a Path, log: &'a Path) -> Self {
        Launch {
            program: install.bin_dir().join(name),
            library_dir: install.library_dir.as_deref(),
            arguments: Vec::new(),
            account: None,
            folder,
            log,
            at_our_end: Signal::KILL,
        }
    }
}

/// A process that ends with this program, in a process group of its own, so that Ctrl-C reaches
/// us alone and we end it in order.
pub(super) struct Process {
    child: Child,
    pid: Pid,
    exited: Option<ExitStatus>,
}

impl Process {
    pub(super) fn start(launch: &Launch<'_>) -> Result<Self> {
        let at = || launch.program.display().to_string();
        if let Some(account) = launch.account {
            account.can_reach(&launch.program)?;
        }
        let log = File::options().create(true).append(true).open(launch.log)?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .current_dir(launch.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        if let Some(folder) = launch.library_dir {
            command.env("LD_LIBRARY_PATH", folder);
        }
        if let Some(account) = launch.account {
            command.uid(account.uid).gid(account.gid);
        }
        end_with_us(&mut command, launch.at_our_end);
        let child = on_lasting_thread(command).map_err(|error| {
            Error::new(ErrorKind::Lab, format!("could not be started: {error}"))
                .at(at())
                .hint("check that the program may be run by this user")
        })?;
        let pid = Pid::from_child(&child);
        Ok(Process { child, pid, exited: None })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        if self.exited.is_none() {
            self.exited = self.child.try_wait().ok().flatten();
        }
        self.exited
    }

    /// Sends `signal`, and after `patience` SIGKILL; returns when it has ended.
    pub(super) fn stop(&mut self, signal: Signal, patience: Duration) {
        if self.exited().is_some() {
            return;
        }
        // The child is not waited for yet, so its id cannot belong to another process.
        let _ = rustix::process::kill_process(self.pid, signal);
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if self.exited().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it and its children at once, as a crash does, and waits until all are gone.
    pub(super) fn crash(&mut self) {
        let children = children_of(self.id());
        let _ = self.child.kill();
        self.exited = self.child.wait().ok();
        let lives = |(pid, start): &(u32, u64)| started_at(*pid) == Some(*start);
        for (pid, _) in children.iter().filter(|child| lives(child)) {
            if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        let until = Instant::now() + Duration::from_secs(10);
        while children.iter().any(lives) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for it to end by itself, within `limit`.
    pub(super) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What marks the line of a log that tells why a server gave up, in text and in MongoDB's JSON.
const FATAL: [&str; 7] =
    ["FATAL", "PANIC", "rror:", "ERROR", "Error parsing", "\"s\":\"F\"", "\"s\":\"E\""];

/// What a log says last, for an error message.
pub(super) fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(8 << 10)..]).into_owned();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let fatal = |line: &&str| FATAL.iter().any(|word| line.contains(word));
    let told = match lines.iter().position(fatal) {
        // PostgreSQL gives the reason before the fatal line.
        Some(at) => &lines[at.saturating_sub(2)..lines.len().min(at + 2)],
        None => &lines[lines.len().saturating_sub(3)..],
    };
    told.join("; ")
}

/// How a process ended, in words.
pub(super) fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// The processes a process started, each with its start time.
fn children_of(parent: u32) -> Vec<(u32, u64)> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let own: u32 = fields.split_whitespace().nth(1)?.parse().ok()?;
        (own == parent).then(|| Some((pid, started_at(pid)?)))?
    })
    .collect()
}

/// The time a process was started in clock ticks since boot (`/proc/PID/stat`, field 22), which
/// together with its id names a process for ever. `None` when there is no such process, or no
/// `/proc`.
pub(crate) fn started_at(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses, which may hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    // A zombie has ended; only its parent has not asked yet.
    let mut fields = fields.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The kernel sends the parent-death signal when the *thread* that started the process ends, so
/// all are started by one thread that lives as long as this program.
fn on_lasting_thread(command: Command) -> io::Result<Child> {
    type Job = (Command, mpsc::Sender<io::Result<Child>>);
    static JOBS: OnceLock<Option<Mutex<mpsc::Sender<Job>>>> = OnceLock::new();

    let jobs = JOBS.get_or_init(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        let run = move || {
            for (mut command, answer) in queue {
                if let Err(mpsc::SendError(Ok(mut orphan))) = answer.send(command.spawn()) {
                    let _ = orphan.kill();
                    let _ = orphan.wait();
                }
            }
        };
        std::thread::Builder::new().name("server starter".to_owned()).spawn(run).ok()?;
        Some(Mutex::new(jobs))
    });
    let gone = || io::Error::other("the thread that starts servers is gone");
    let (answer, child) = mpsc::channel();
    let jobs = jobs.as_ref().ok_or_else(gone)?;
    jobs.lock().map_err(|_| gone())?.send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// Has the kernel send `signal` to the started process when this program ends, however it ends.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn end_with_us(command: &mut Command, signal: Signal) {
    let us = rustix::process::getpid();
    let arrange = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // We may have ended before the kernel was told; then no signal will come.
        match rustix::process::getppid() {
            Some(parent) if parent == us => Ok(()),
            _ => Err(io::Error::from(rustix::io::Errno::SRCH)),
        }
    };
    // SAFETY: the closure runs in the new process between fork and exec, after the user was
    // changed (which would clear the setting). It makes two system calls, allocates nothing,
    // takes no lock, and touches no memory but its own copies of `us` and `signal`.
    unsafe { command.pre_exec(arrange) };
}

#[cfg(not(target_os = "linux"))]
fn end_with_us(_: &mut Command, _: Signal) {
    // Only Linux has parent-death signals; elsewhere the janitor ends what is left.
}
