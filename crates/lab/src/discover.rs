//! Finding server programs of any version, and choosing among them.
//!
//! Looked at in this order: `$MARULA_POSTGRES_BIN` and `$MARULA_MONGOD`, the `servers/` folder of
//! [`crate::home`], `PATH`, the usual folders of distributions.

mod candidates;
mod choose;
mod extensions;
mod install;
mod missing;
mod version;

pub use choose::{Choice, choose, choose_exactly, choose_from};
pub(crate) use install::series;
pub use install::{Install, Origin};
pub use missing::{Missing, missing};

use std::collections::HashSet;
use std::path::PathBuf;

use marula_core::Engine;

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Servers that answered `--version`, newest first within an engine, PostgreSQL first.
    pub installs: Vec<Install>,
    /// Programs that are there but do not run, with what they said.
    pub broken: Vec<(PathBuf, String)>,
    /// Where was looked, for "nothing was found in …".
    pub places: Vec<String>,
}

/// Every server program there is, with those that do not run.
pub fn search() -> Found {
    let mut found = Found::default();
    let mut versions = version::Versions::load();
    let mut seen = HashSet::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        for mut candidate in candidates::all(engine, &mut found.places) {
            candidate.follow_links();
            if !seen.insert(candidate.program.clone()) {
                continue;
            }
            match versions.of(&candidate.program, candidate.library_dir.as_deref()) {
                Ok((version, full_version)) => found.installs.push(Install {
                    engine,
                    version,
                    full_version,
                    program: candidate.program,
                    library_dir: candidate.library_dir,
                    origin: candidate.origin,
                }),
                Err(reason) => found.broken.push((candidate.program, reason)),
            }
        }
    }
    versions.save();
    // A stable sort: of equal versions the one found first stays first.
    found.installs.sort_by(|a, b| a.engine.cmp(&b.engine).then(b.version.cmp(&a.version)));
    found
}

/// Every server program that runs, newest first within an engine, PostgreSQL first.
pub fn find_all() -> Vec<Install> {
    search().installs
}
