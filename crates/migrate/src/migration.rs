use std::path::PathBuf;
use std::time::Duration;

use bson::Document;
use marula_core::Engine;
use marula_postgres::sql::ParsedStatement;
use sha2::{Digest, Sha256};

/// The tool whose conventions a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tool {
    /// This program: `<timestamp>_<name>.sql` with `-- migrate:up`, or `.json`/`.yaml`.
    Marula,
    /// dbmate: the same directives.
    Dbmate,
    /// sqlx: `.up.sql`/`.down.sql`, or one file that goes up.
    Sqlx,
    /// golang-migrate: `.up.sql`/`.down.sql`, `.up.json`/`.down.json`.
    GolangMigrate,
    /// Flyway: `V1__x`, `R__x`, `U1__x`.
    Flyway,
    /// goose: `-- +goose Up`.
    Goose,
    /// migrate-mongo: JavaScript with `up` and `down`.
    MigrateMongo,
    /// Diesel: a folder for each, with `up.sql` and `down.sql`.
    Diesel,
    /// Prisma: a folder for each, with `migration.sql`.
    Prisma,
    /// None that is known: a script.
    Plain,
}

impl Tool {
    /// Its name, as its users write it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Marula => "marula",
            Tool::Dbmate => "dbmate",
            Tool::Sqlx => "sqlx",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Flyway => "Flyway",
            Tool::Goose => "goose",
            Tool::MigrateMongo => "migrate-mongo",
            Tool::Diesel => "Diesel",
            Tool::Prisma => "Prisma",
            Tool::Plain => "plain",
        }
    }
}

/// What sort of migration a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationKind {
    /// Runs once, in the order of versions.
    Versioned,
    /// Runs after the others whenever it changed (Flyway's `R__`).
    Repeatable,
}

/// What a file says about how it wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether all statements run in one transaction.
    pub transaction: bool,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Option<Duration>,
    /// Rows or documents in one batch of a backfill.
    pub batch: Option<u64>,
    /// The pause between two batches.
    pub pace: Option<Duration>,
    /// Whether it waits until it is named: something else, a deployment, has to come before it.
    pub hold: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { transaction: true, lock_timeout: None, batch: None, pace: None, hold: false }
    }
}

/// One migration, whichever tool it was written for.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Whose conventions it follows.
    pub tool: Tool,
    /// The engine it is for.
    pub engine: Engine,
    /// Whether it runs once or whenever it changed.
    pub kind: MigrationKind,
    /// Its version: a timestamp or a number, as written; `None` for a repeatable one or a script.
    pub version: Option<String>,
    /// Its name.
    pub name: String,
    /// What is applied, in order.
    pub up: Vec<Step>,
    /// What takes it back; `None` when the file has no way back.
    pub down: Option<Vec<Step>>,
    /// How the up part wants to run.
    pub options: Options,
    /// How the down part wants to run.
    pub down_options: Options,
    /// The file of the up part.
    pub path: PathBuf,
    /// The file of the down part, when it has one of its own.
    pub down_path: Option<PathBuf>,
    /// The up file's text, without a byte order mark.
    pub text: String,
    /// Which bytes of the text are applied.
    pub up_range: std::ops::Range<usize>,
    /// `sha256:…` of the up file; the same whatever line endings it was checked out with.
    pub checksum: String,
}

/// One statement or command of a migration.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// It as written, without comments before it and the closing semicolon.
    pub text: String,
    /// Where it begins in its file, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// The line it begins in, from 1.
    pub line: usize,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// One SQL statement.
    Sql(ParsedStatement),
    /// A command document, as the MongoDB server takes it.
    Command(Document),
    /// A declared backfill of a MongoDB collection.
    Backfill(Backfill),
}

/// Documents to bring up to date in batches by `_id`, resumable.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    /// The collection.
    pub collection: String,
    /// Which documents are still to be changed.
    pub filter: Document,
    /// Operators, or an array of stages.
    pub update: bson::Bson,
    /// Documents in one batch.
    pub batch: u64,
    /// The pause between batches.
    pub pace: Duration,
}

impl Migration {
    /// What people call it: its version and name.
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{version} {}", self.name),
            None => self.name.clone(),
        }
    }
}

/// `sha256:…` of a text, blind to a byte order mark and to how lines end.
pub(crate) fn checksum(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_survive_line_endings() {
        let unix = checksum("a\nb\n");
        assert_eq!(unix, checksum("a\r\nb\r\n"));
        assert_eq!(unix, checksum("\u{feff}a\nb\n"));
        assert_ne!(unix, checksum("a\nc\n"));
    }
}
