//! `kill -9` of the program and of the server, at every statement and at random moments: the same
//! command goes on, and the end is the same as if nothing had happened.
//!
//! `MARULA_KILLS=300` asks for so many kills per engine; without it there are about forty.

mod mongodb;
mod postgres;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A project: its configuration, its migrations, and a target that may be written to.
pub struct Project {
    folder: TempDir,
    url: String,
}

impl Project {
    pub fn new(url: String, files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let config = "[targets.t]\nurl = \"env:KILLS_URL\"\naccess = \"read-write\"\n";
        std::fs::write(folder.path().join("marula.toml"), config).unwrap();
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
        }
        Project { folder, url }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn marula(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marula"));
        command.args(args).current_dir(self.path()).env("KILLS_URL", &self.url);
        command.env("XDG_CONFIG_HOME", self.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn apply(&self) -> Child {
        self.marula(&["migrate", "apply", "t"]).spawn().unwrap()
    }

    /// Runs it to its end and gives its exit code and all it said.
    pub fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.marula(args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs it to its end, which must be a good one.
    pub fn expect(&self, args: &[&str]) -> String {
        let (code, said) = self.run(args);
        assert_eq!(code, Some(0), "marula {}: {said}", args.join(" "));
        said
    }
}

/// How many kills were asked for; `usual` when nobody asked.
pub fn wanted(usual: usize) -> usize {
    std::env::var("MARULA_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// A number that looks random and is the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new() -> Dice {
        let seed = std::env::var("MARULA_SEED").ok().and_then(|n| n.parse().ok());
        Dice(seed.unwrap_or(0x9e37_79b9_7f4a_7c15))
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// How one run of the program ended.
#[derive(Debug, PartialEq)]
pub enum End {
    /// We killed it.
    Killed,
    /// By itself, and well.
    Done,
}

/// Waits until `now` says so, and kills it then, unless it has ended by itself.
pub fn kill_when(mut child: Child, mut now: impl FnMut() -> bool) -> End {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let output = child.wait_with_output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(status.code(), Some(0), "{said}");
            return End::Done;
        }
        if now() {
            // It may have ended between the two looks.
            let _ = child.kill();
            let status = child.wait().unwrap();
            return if status.code() == Some(0) { End::Done } else { End::Killed };
        }
        assert!(Instant::now() < until, "it neither moves on nor ends");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A moment after it began, up to `limit`.
pub fn after(dice: &mut Dice, limit: Duration) -> impl FnMut() -> bool + use<> {
    let micros = u64::try_from(limit.as_micros()).unwrap();
    let until = Instant::now() + Duration::from_micros(dice.below(micros));
    move || Instant::now() >= until
}
