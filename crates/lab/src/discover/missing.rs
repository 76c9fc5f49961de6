use marula_core::{Engine, Version};

use super::{Found, install::series};

/// Something that is not on this machine, and how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Whose it is.
    pub engine: Engine,
    /// What is missing: `MongoDB 5.0`, `HypoPG for PostgreSQL 15`.
    pub what: String,
    /// What cannot be done without it.
    pub why: &'static str,
    /// Commands, one per kind of system: `("Debian, Ubuntu", "apt-get install …")`.
    pub how: Vec<(&'static str, String)>,
}

/// What a full installation has and `found` has not.
pub fn missing(found: &Found) -> Vec<Missing> {
    let mut missing = Vec::new();
    for (engine, version) in [
        (Engine::Postgres, Version::new(15, 0, 0)),
        (Engine::Postgres, Version::new(18, 0, 0)),
        (Engine::Mongodb, Version::new(6, 0, 0)),
        (Engine::Mongodb, Version::new(5, 0, 0)),
        (Engine::Mongodb, Version::new(4, 4, 0)),
    ] {
        let wanted = series(engine, version);
        let of_engine = || found.installs.iter().filter(|install| install.engine == engine);
        if of_engine().any(|install| install.series() == wanted) {
            continue;
        }
        let why = match of_engine().next() {
            Some(_) => "targets of this version are proved on the nearest other version",
            None => "nothing can be proved for this engine",
        };
        let what = format!("{} {wanted}", engine.title());
        missing.push(Missing { engine, what, why, how: server(engine, &wanted) });
    }
    for install in found.installs.iter().filter(|install| install.engine == Engine::Postgres) {
        let major = install.version.major;
        for (extension, title, why) in [
            ("hypopg", "HypoPG", "indexes cannot be tried as what-if on it"),
            ("pg_trgm", "pg_trgm", "trigram indexes cannot be proved on it"),
        ] {
            if !install.has_extension(extension) {
                let what = format!("{title} for {install} in {}", install.bin_dir().display());
                let how = self::extension(extension, major);
                missing.push(Missing { engine: Engine::Postgres, what, why, how });
            }
        }
    }
    missing
}

fn server(engine: Engine, series: &str) -> Vec<(&'static str, String)> {
    let here = match (engine, series) {
        (Engine::Postgres, "15") | (Engine::Mongodb, "6.0") => "scripts/setup",
        _ => "scripts/setup --all",
    };
    let mut how = vec![("marula's sources", here.to_owned())];
    match engine {
        Engine::Postgres => how.extend([
            ("Debian, Ubuntu", format!("apt-get install postgresql-{series}")),
            (
                "Fedora, RHEL",
                format!("dnf install postgresql{series}-server postgresql{series}-contrib"),
            ),
            ("macOS", format!("brew install postgresql@{series}")),
        ]),
        Engine::Mongodb => how.extend([
            (
                "Linux",
                format!("install mongodb-org-server {series} and set MARULA_MONGOD to its mongod"),
            ),
            ("macOS", format!("brew install mongodb/brew/mongodb-community@{series}")),
        ]),
    }
    how
}

fn extension(name: &str, major: u16) -> Vec<(&'static str, String)> {
    match name {
        "hypopg" => vec![
            ("Debian, Ubuntu", format!("apt-get install postgresql-{major}-hypopg")),
            ("Fedora, RHEL", format!("dnf install hypopg_{major}")),
        ],
        _ => vec![
            ("Debian, Ubuntu", format!("apt-get install postgresql-{major}")),
            ("Fedora, RHEL", format!("dnf install postgresql{major}-contrib")),
        ],
    }
}
