//! What the tests look at from outside: `/proc`, folders, and a program that holds servers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A home folder of its own for one test, with the machine's server programs.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::Builder::new().prefix("mh").tempdir().unwrap();
        // Servers that run as another user have to get through.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(
            marula_lab::home().join("servers"),
            folder.path().join("servers"),
        )
        .unwrap();
        Home { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Processes whose command line or environment names this home.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let ours = self.path().display().to_string();
        let mut found = Vec::new();
        for entry in Path::new("/proc").read_dir().unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let variables = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            if command.contains(&ours) || String::from_utf8_lossy(&variables).contains(&ours) {
                found.push((pid, command));
            }
        }
        found
    }

    /// What is under `run/` and `labs/`.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        ["run", "labs"]
            .iter()
            .filter_map(|folder| self.path().join(folder).read_dir().ok())
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }

    /// Waits until neither processes nor folders are left; says what is after ten seconds.
    pub fn assert_nothing_left(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let (processes, folders) = (self.processes(), self.leftovers());
            if processes.is_empty() && folders.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left behind: {processes:?} {folders:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The program that holds servers, in a home of its own.
pub struct Holder {
    pub child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Holder {
    pub fn program() -> PathBuf {
        // target/debug/deps/it-… is beside target/debug/examples/holder.
        let test = std::env::current_exe().unwrap();
        let program = test.parent().unwrap().parent().unwrap().join("examples/holder");
        assert!(program.exists(), "build it: cargo build --workspace --examples");
        program
    }

    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut child = Command::new(Self::program())
            .args(arguments)
            .env("MARULA_HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Holder { child, output }
    }

    /// The next line it prints.
    pub fn says(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("said {line:?}"))
    }

    /// Lets it go on.
    pub fn go_on(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn signal(&mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user a process runs as.
pub fn user_of(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The command line of a process; empty when it is gone.
pub fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
