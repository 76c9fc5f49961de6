//! `scripts/setup` on machines that lack things: it says what to get, and goes on with what is there.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What every Unix has and the script uses.
const BASICS: [&str; 24] = [
    "bash", "env", "sed", "sort", "tail", "head", "mktemp", "rm", "mkdir", "mv", "cp", "ln", "ls",
    "grep", "id", "find", "cat", "tr", "tar", "chmod", "dirname", "uname", "cc", "make",
];

/// A machine that has the basics and what a test adds.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Machine { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(machine.programs()).unwrap();
        for program in BASICS {
            let path = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            let path = String::from_utf8(path.unwrap().stdout).unwrap();
            symlink(path.trim(), machine.programs().join(program)).unwrap();
        }
        machine
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A program of the machine, as a shell script.
    fn with(self, program: &str, script: &str) -> Self {
        let path = self.programs().join(program);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        self
    }

    fn setup(&self, argument: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/setup");
        Command::new(script)
            .arg(argument)
            .env_clear()
            .env("PATH", self.programs())
            .env("HOME", self.folder.path())
            .env("MARULA_HOME", self.home())
            .output()
            .unwrap()
    }
}

fn said(output: &Output) -> String {
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_a_package_manager_it_names_what_to_install_and_goes_on() {
    let machine = Machine::new();
    let output = machine.setup("--all");
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    for word in ["no cargo found", "not a Debian kind of system", "python3-pip", "npm"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    for server in ["mongodb-6.0.27", "mongodb-5.0.4", "mongodb-4.4.2", "postgresql-18.4"] {
        assert!(said.contains(&format!("setup: {server} comes ")), "{server}: {said}");
    }
}

#[test]
fn without_a_network_each_server_it_cannot_get_is_named_and_nothing_half_is_left() {
    let offline = "echo 'Could not resolve host' >&2; exit 1";
    let machine = Machine::new()
        .with("python3", &format!("[ \"$*\" = '-c import pip' ] && exit 0; {offline}"))
        .with("npm", offline);
    let output = machine.setup("--all");
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Could not resolve host"), "the reason is shown: {said}");
    for server in ["mongodb-6.0.27", "mongodb-5.0.4", "mongodb-4.4.2", "postgresql-18.4"] {
        assert!(said.contains(&format!("could not get {server}; the rest goes on")), "{said}");
    }
    let left: Vec<_> = machine.home().join("servers").read_dir().unwrap().flatten().collect();
    assert!(left.iter().all(|entry| entry.file_name() == ".lock"), "{left:?}");
}

#[test]
fn on_debian_what_cannot_be_installed_is_an_error() {
    let machine = Machine::new()
        .with("apt-get", "echo 'E: Unable to fetch some archives' >&2; exit 100")
        .with("apt-cache", "exit 1")
        .with("dpkg", "exit 0")
        .with("sudo", "exec \"$@\"");
    let output = machine.setup("--all");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Unable to fetch some archives"), "{said}");
    assert!(said.contains("not everything could be set up"), "{said}");
}

#[test]
fn an_argument_it_does_not_know_is_refused() {
    let output = Machine::new().setup("--every");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("unknown argument '--every'"));
}
