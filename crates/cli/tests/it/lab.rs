//! A lab of the tests' own: its home is a folder of theirs, with the servers of the real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A home folder for named labs that nobody else uses.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Home {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        // Servers started by root run as another user, who has to get there.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let real = marula_lab::home();
        for name in ["servers", "cache"] {
            let there = real.join(name);
            std::fs::create_dir_all(&there).unwrap();
            symlink(there, folder.path().join(name)).unwrap();
        }
        Home { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program in this home.
    pub fn marula(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marula"));
        command.args(args).current_dir(self.path());
        command.env("MARULA_HOME", self.path()).env("XDG_CONFIG_HOME", self.path());
        command.env("COLUMNS", "100");
        // However this test ends, its labs end with it.
        command.env("MARULA_LAB_PID", std::process::id().to_string());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.marula(args).output().unwrap()
    }

    /// Runs it and fails unless it ends with `code`; gives what it wrote to stdout.
    pub fn expect(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "marula {}: {stderr}", args.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The URL of a server of a lab.
    pub fn url(&self, target: &str) -> String {
        let list: serde_json::Value =
            serde_json::from_str(&self.expect(0, &["lab", "list", "--format", "json"])).unwrap();
        let labs = list["data"]["labs"].as_array().unwrap();
        let mut servers = labs.iter().flat_map(|lab| lab["servers"].as_array().unwrap());
        let server = servers.find(|server| server["target"] == target).unwrap();
        server["url"].as_str().unwrap().to_string()
    }

    /// The processes that name this home in their command line or their environment.
    pub fn processes(&self) -> Vec<PathBuf> {
        processes_of(self.path())
    }
}

/// The processes that name `home` in their command line or their environment: servers,
/// supervisors, and programs at work.
pub fn processes_of(home: &Path) -> Vec<PathBuf> {
    let home = home.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let of_home = all.map(|entry| entry.path()).filter(|process| {
        let names_it = |file: &str| {
            let text = std::fs::read(process.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&text).contains(home)
        };
        names_it("cmdline") || names_it("environ")
    });
    of_home.collect()
}

impl Drop for Home {
    fn drop(&mut self) {
        let list = self.run(&["lab", "list", "--format", "json"]);
        let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap_or_default();
        for lab in list["data"]["labs"].as_array().into_iter().flatten() {
            self.run(&["lab", "down", lab["name"].as_str().unwrap_or_default()]);
        }
    }
}
