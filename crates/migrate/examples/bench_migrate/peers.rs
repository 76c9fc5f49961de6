//! Linters of others, asked what they say of the same statements. Counted is what they say of work that
//! grows with a table under a lock that stops somebody; by which of their rules is listed here.

use std::path::PathBuf;
use std::process::Command;

const SQUAWK: [&str; 10] = [
    "changing-column-type",
    "constraint-missing-not-valid",
    "adding-field-with-default",
    "require-concurrent-index-creation",
    "require-concurrent-reindex",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "disallowed-unique-constraint",
    "adding-serial-primary-key-field",
    "ban-alter-domain-with-add-constraint",
];

/// Validation, NOT NULL, type, index, unique, exclusion, rewrite, serial or stored, key over an index.
const EUGENE: [&str; 9] = ["E1", "E2", "E5", "E6", "E7", "E8", "E10", "E11", "W14"];

/// A linter that is installed.
pub enum Peer {
    /// By the statement's text.
    Squawk(PathBuf),
    /// By the statement's text; what an earlier file made it does not remember.
    Eugene(PathBuf),
}

/// The program of that name, in the path or where `scripts/setup --bench` puts it.
fn program(name: &str) -> Option<PathBuf> {
    let own = marula_lab::home().join("cache").join(name).join("bin").join(name);
    [PathBuf::from(name), own].into_iter().find(|path| {
        Command::new(path).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

/// Those that are there.
pub fn all() -> Vec<Peer> {
    let squawk = program("squawk").map(Peer::Squawk);
    let eugene = program("eugene").map(Peer::Eugene);
    squawk.into_iter().chain(eugene).collect()
}

/// Says which are not there.
pub fn missing(peers: &[Peer]) {
    if !peers.iter().any(|peer| matches!(peer, Peer::Squawk(_))) {
        println!("\nsquawk is not there: scripts/setup --bench gets it");
    }
    if !peers.iter().any(|peer| matches!(peer, Peer::Eugene(_))) {
        println!("\neugene is not there: scripts/setup --bench builds it");
    }
}

impl Peer {
    pub fn title(&self) -> &'static str {
        match self {
            Peer::Squawk(_) => "squawk, by the statement alone",
            Peer::Eugene(_) => "eugene lint, by the statement alone",
        }
    }

    /// Whether it says that the statement's work grows with a table while others wait.
    pub fn alarms(&self, sql: &str, major: u16) -> std::io::Result<bool> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("V2__case.sql");
        std::fs::write(&file, format!("{sql};\n"))?;
        let mut command = match self {
            Peer::Squawk(program) => {
                let mut command = Command::new(program);
                command.args(["--reporter=Json", &format!("--pg-version={major}.0")]).arg(&file);
                command
            }
            Peer::Eugene(program) => {
                let mut command = Command::new(program);
                command.args(["lint", "--format", "json", "--accept-failures"]).arg(&file);
                command
            }
        };
        let output = command.output()?;
        // One JSON value a file; the last is the one that is asked about.
        let values = serde_json::Deserializer::from_slice(&output.stdout);
        let values: Vec<serde_json::Value> = values.into_iter().filter_map(Result::ok).collect();
        let Some(last) = values.last() else {
            return Ok(false);
        };
        Ok(match self {
            Peer::Squawk(_) => last
                .as_array()
                .into_iter()
                .flatten()
                .any(|one| one["rule_name"].as_str().is_some_and(|rule| SQUAWK.contains(&rule))),
            Peer::Eugene(_) => {
                let statements = last["statements"].as_array().into_iter().flatten();
                statements
                    .flat_map(|one| one["triggered_rules"].as_array().into_iter().flatten())
                    .any(|rule| rule["id"].as_str().is_some_and(|id| EUGENE.contains(&id)))
            }
        })
    }
}
