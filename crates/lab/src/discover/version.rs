use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use marula_core::Version;
use serde::{Deserialize, Serialize};

use crate::home;

/// What programs answered to `--version`, kept between runs: starting a 140 MB program only to
/// ask its version takes longer than all the rest of the search.
pub(super) struct Versions {
    path: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Known {
    /// Nanoseconds since 1970; with the size it tells whether the program was replaced.
    modified: u64,
    size: u64,
    version: String,
}

impl Versions {
    pub(super) fn load() -> Self {
        let path = home::cache().join("versions.json");
        let known = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Versions { path, known, changed: false }
    }

    /// The version of `program` and its own words for it, or why it does not run.
    pub(super) fn of(
        &mut self,
        program: &Path,
        library_dir: Option<&Path>,
    ) -> Result<(Version, String), String> {
        let about = program.metadata().map_err(|error| error.to_string())?;
        let modified = about
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |age| u64::try_from(age.as_nanos()).unwrap_or(0));
        let key = program.display().to_string();
        if let Some(known) = self.known.get(&key)
            && (known.modified, known.size) == (modified, about.len())
            && let Ok(version) = known.version.parse()
        {
            return Ok((version, known.version.clone()));
        }
        let said = ask(program, library_dir)?;
        let version = said.parse().map_err(|_| format!("answered '{said}' to --version"))?;
        let known = Known { modified, size: about.len(), version: said.clone() };
        self.known.insert(key, known);
        self.changed = true;
        Ok((version, said))
    }

    /// Keeps the answers; without a folder to write in they are asked again next time.
    pub(super) fn save(&mut self) {
        if !self.changed {
            return;
        }
        self.known.retain(|program, _| Path::new(program).exists());
        if let Ok(text) = serde_json::to_vec_pretty(&self.known) {
            if let Some(folder) = self.path.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            let _ = home::write_whole(&self.path, &text, 0o644);
        }
    }
}

/// Runs `program --version` and gives what follows its name: `postgres (PostgreSQL) 15.18 …`,
/// `db version v6.0.27`.
fn ask(program: &Path, library_dir: Option<&Path>) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    if let Some(folder) = library_dir {
        command.env("LD_LIBRARY_PATH", folder);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().next().unwrap_or_default().trim();
    if !output.status.success() || first.is_empty() {
        let error = String::from_utf8_lossy(&output.stderr);
        let reason = error.lines().next().unwrap_or("it said nothing").to_owned();
        return Err(format!("--version failed: {reason}"));
    }
    Ok(first
        .strip_prefix("db version v")
        .or_else(|| first.split_once("(PostgreSQL) ").map(|(_, version)| version))
        .unwrap_or(first)
        .to_owned())
}
