//! What a target remembers of one migration.

use marula_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::migration::{Migration, MigrationKind, Step};

/// One line of a target's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is known by: its version, or `R__name` when it is repeatable.
    pub key: String,
    /// Its place in the order in which migrations were first applied, from 1.
    pub position: i64,
    /// Its version, as written.
    pub version: Option<String>,
    /// Its name.
    pub name: String,
    /// Whose conventions it follows.
    pub tool: String,
    /// Its file's name.
    pub file: String,
    /// `sha256:…` of its file, blind to line endings.
    pub checksum: String,
    /// How far it is.
    pub state: State,
    /// How many steps the running part has.
    pub steps: u32,
    /// The digests of the steps that are done, in order.
    pub done: Vec<String>,
    /// The step in the middle of which it is.
    pub current: Option<Current>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was done.
    pub finished: Option<Timestamp>,
    /// Who ran it.
    pub by: String,
    /// The tool whose history said that it is done.
    pub adopted_from: Option<String>,
}

/// How far a migration is, as the history has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its up part runs, or was left in the middle.
    Applying,
    /// Its up part is done.
    Applied,
    /// Its down part runs, or was left in the middle.
    Reverting,
    /// Its down part is done.
    Reverted,
}

impl State {
    /// As the history writes it.
    pub fn name(self) -> &'static str {
        match self {
            State::Applying => "applying",
            State::Applied => "applied",
            State::Reverting => "reverting",
            State::Reverted => "reverted",
        }
    }

    /// Reads what [`State::name`] wrote.
    pub fn from_name(name: &str) -> Option<State> {
        [State::Applying, State::Applied, State::Reverting, State::Reverted]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A step that had begun, with what is needed to find out whether it took effect, or to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Current {
    /// The step's index in its part.
    pub step: usize,
    /// Its digest.
    pub digest: String,
    /// It as written.
    pub text: String,
    /// What was there before it began, in the engine's own terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// How far a batched step is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
}

/// How far a batched step is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The last key that is done, in the engine's own writing; `None` before the first batch.
    pub after: Option<String>,
    /// Rows or documents that were gone through.
    pub seen: u64,
    /// Rows or documents that were changed.
    pub rows: u64,
}

/// What a migration is known by.
pub fn key_of(migration: &Migration) -> String {
    match (&migration.version, migration.kind) {
        (_, MigrationKind::Repeatable) => format!("R__{}", migration.name),
        (Some(version), _) => version.clone(),
        (None, _) => migration.name.clone(),
    }
}

/// The name of a step for the history: the same whatever line endings it has.
pub fn digest(step: &Step) -> String {
    let whole = crate::migration::checksum(&step.text);
    whole.trim_start_matches("sha256:").chars().take(16).collect()
}

impl Record {
    /// A line for a migration that begins now.
    pub fn of(migration: &Migration, position: i64, by: &str) -> Record {
        Record {
            key: key_of(migration),
            position,
            version: migration.version.clone(),
            name: migration.name.clone(),
            tool: migration.tool.name().to_string(),
            file: file_name(migration),
            checksum: migration.checksum.clone(),
            state: State::Applying,
            steps: u32::try_from(migration.up.len()).unwrap_or(u32::MAX),
            done: Vec::new(),
            current: None,
            started: None,
            finished: None,
            by: by.to_string(),
            adopted_from: None,
        }
    }
}

/// The last part of its path; with its folder where that has the name.
pub fn file_name(migration: &Migration) -> String {
    if matches!(migration.tool, crate::Tool::Diesel | crate::Tool::Prisma) {
        let parts: Vec<_> = migration.path.components().rev().take(2).collect();
        let path: std::path::PathBuf = parts.into_iter().rev().collect();
        return path.display().to_string();
    }
    migration.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
