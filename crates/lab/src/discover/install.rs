use std::fmt;
use std::path::{Path, PathBuf};

use marula_core::{Engine, Version};

use super::extensions;

/// Where a server program was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Named by this environment variable.
    Variable(&'static str),
    /// In the `servers/` folder of marula's home.
    Home,
    /// In a folder of `PATH`.
    Path,
    /// In a folder where distributions put it.
    System,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Home => f.write_str("marula's own"),
            Origin::Path => f.write_str("PATH"),
            Origin::System => f.write_str("the system"),
        }
    }
}

/// A server program that runs on this machine.
#[derive(Debug, Clone)]
pub struct Install {
    /// Whose server it is.
    pub engine: Engine,
    /// Its version.
    pub version: Version,
    /// Its version in its own words: `15.18 (Debian 15.18-0+deb12u1)`.
    pub full_version: String,
    /// `postgres` or `mongod`.
    pub program: PathBuf,
    /// What the program needs as `LD_LIBRARY_PATH`, if anything.
    pub library_dir: Option<PathBuf>,
    /// Where it was found.
    pub origin: Origin,
}

impl Install {
    /// The folder the program is in; for PostgreSQL it holds `initdb` too.
    pub fn bin_dir(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("/"))
    }

    /// The extensions a PostgreSQL installation can create, sorted; empty for MongoDB.
    pub fn extensions(&self) -> Vec<String> {
        match self.engine {
            Engine::Postgres => extensions::available(self.bin_dir(), self.version.major),
            Engine::Mongodb => Vec::new(),
        }
    }

    /// Whether `CREATE EXTENSION name` can work.
    pub fn has_extension(&self, name: &str) -> bool {
        self.engine == Engine::Postgres
            && extensions::folders(self.bin_dir(), self.version.major)
                .iter()
                .any(|folder| folder.join(format!("{name}.control")).exists())
    }

    /// What users call the version: `15` for PostgreSQL, `6.0` for MongoDB.
    pub fn series(&self) -> String {
        series(self.engine, self.version)
    }
}

impl fmt::Display for Install {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.engine.title(), self.version)
    }
}

/// The part of a version that decides what a server can do.
pub(crate) fn series(engine: Engine, version: Version) -> String {
    match engine {
        Engine::Postgres => version.major.to_string(),
        Engine::Mongodb => format!("{}.{}", version.major, version.minor),
    }
}
