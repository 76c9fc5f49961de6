//! What a step of a migration does to those who work on the database meanwhile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a statement of a migration locks, how much work it does under the lock, and whom that
/// stops. Stands in the findings of `marula migrate lint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationHazard {
    /// The statement's index in the part of the file that is applied (the up part), from 0.
    pub statement: usize,
    /// The lock's mode by name: `ACCESS EXCLUSIVE` as PostgreSQL calls it in `LOCK TABLE`, `W` or
    /// `IX` as MongoDB does; absent where no lock is what hurts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// What is locked, or changed: a table, an index, a collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The work whose time grows with the object's size.
    pub work: MigrationWork,
    /// Who waits while it runs.
    pub blocks: Blocks,
}

/// Work whose time grows with the size of what is changed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MigrationWork {
    /// None: a change of the catalogue alone, or of a few rows.
    None,
    /// Every row or document is read.
    Scan,
    /// An index is built: everything is read, sorted and written.
    Build,
    /// Every row or document is written anew.
    Rewrite,
}

/// Who waits for a statement.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Blocks {
    /// Neither who reads nor who writes; other changes of the schema may.
    Nothing,
    /// Who writes.
    Writes,
    /// Who reads and who writes.
    All,
}

impl MigrationHazard {
    /// Whether somebody waits for as long as the object is large: what a migration must not do.
    pub fn grows_while_blocking(&self) -> bool {
        self.work != MigrationWork::None && self.blocks != Blocks::Nothing
    }
}
