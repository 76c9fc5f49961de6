use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use marula_core::Engine;

use super::Origin;
use crate::home;

/// A server program that is there; whether it runs is not known yet.
pub(super) struct Candidate {
    pub(super) program: PathBuf,
    pub(super) library_dir: Option<PathBuf>,
    pub(super) origin: Origin,
}

impl Candidate {
    /// A link in `PATH` says nothing about what lies beside the real program.
    pub(super) fn follow_links(&mut self) {
        if let Ok(real) = self.program.canonicalize()
            && real.file_name() == self.program.file_name()
            && (real.ends_with("mongod") || real.with_file_name("initdb").is_file())
        {
            self.program = real;
        }
    }
}

/// Where distributions and installers put server programs; `*` is a part of one folder's name.
const SYSTEM: [(Engine, &str); 17] = [
    (Engine::Postgres, "/usr/lib/postgresql/*/bin"),
    (Engine::Postgres, "/usr/pgsql-*/bin"),
    (Engine::Postgres, "/usr/lib/postgresql*/bin"),
    (Engine::Postgres, "/usr/libexec/postgresql*"),
    (Engine::Postgres, "/usr/local/pgsql*/bin"),
    (Engine::Postgres, "/opt/homebrew/opt/postgresql*/bin"),
    (Engine::Postgres, "/usr/local/opt/postgresql*/bin"),
    (Engine::Postgres, "/Applications/Postgres.app/Contents/Versions/*/bin"),
    (Engine::Postgres, "/usr/bin"),
    (Engine::Postgres, "/usr/local/bin"),
    (Engine::Mongodb, "/usr/bin"),
    (Engine::Mongodb, "/usr/local/bin"),
    (Engine::Mongodb, "/opt/mongodb*/bin"),
    (Engine::Mongodb, "/usr/local/mongodb*/bin"),
    (Engine::Mongodb, "/opt/homebrew/opt/mongodb-*/bin"),
    (Engine::Mongodb, "/usr/local/opt/mongodb-*/bin"),
    (Engine::Mongodb, "/usr/lib/mongodb*/bin"),
];

/// Every place that holds a server of `engine`, in the order of preference; notes in `places`
/// where was looked.
pub(super) fn all(engine: Engine, places: &mut Vec<String>) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let mut add = |folder: &Path, origin: &Origin| {
        if let Some(program) = server_in(folder, engine) {
            let library_dir = libraries_beside(&program, origin);
            candidates.push(Candidate { program, library_dir, origin: origin.clone() });
        }
    };
    let variable = match engine {
        Engine::Postgres => "MARULA_POSTGRES_BIN",
        Engine::Mongodb => "MARULA_MONGOD",
    };
    places.push(format!("${variable}"));
    for path in std::env::var_os(variable).iter().flat_map(std::env::split_paths) {
        add(&path, &Origin::Variable(variable));
    }
    places.push(format!("{}/*/bin", home::servers().display()));
    for folder in matching(&home::servers().join("*/bin")) {
        add(&folder, &Origin::Home);
    }
    places.push("PATH".to_owned());
    for folder in std::env::var_os("PATH").iter().flat_map(std::env::split_paths) {
        add(&folder, &Origin::Path);
        if engine == Engine::Postgres {
            for folder in behind_wrapper(&folder) {
                add(&folder, &Origin::Path);
            }
        }
    }
    for (_, pattern) in SYSTEM.iter().filter(|(of, _)| *of == engine) {
        places.push((*pattern).to_owned());
        for folder in matching(Path::new(pattern)) {
            add(&folder, &Origin::System);
        }
    }
    candidates
}

/// The server program in `path`, which may be the folder, the program itself, or the folder that
/// holds `bin/`.
fn server_in(path: &Path, engine: Engine) -> Option<PathBuf> {
    let name = match engine {
        Engine::Postgres => "postgres",
        Engine::Mongodb => "mongod",
    };
    let folders =
        [Some(path.to_owned()), Some(path.join("bin")), path.parent().map(Path::to_owned)];
    // The parent counts only when the program itself was named.
    let tried = if path.is_file() { &folders[2..] } else { &folders[..2] };
    tried.iter().flatten().map(|folder| folder.join(name)).find(|program| {
        program.is_file()
            && !is_script(program)
            && (engine == Engine::Mongodb || program.with_file_name("initdb").is_file())
    })
}

/// Programs in our own or a named folder may bring their libraries beside them.
fn libraries_beside(program: &Path, origin: &Origin) -> Option<PathBuf> {
    if !matches!(origin, Origin::Home | Origin::Variable(_)) {
        return None;
    }
    let folder = program.parent()?.parent()?.join("lib");
    let own = !folder.starts_with("/usr/lib") && folder != Path::new("/lib");
    let brings = |name: &str| folder.join(name).exists();
    (own && (brings("libcrypto.so.1.1") || brings("libpq.so.5"))).then_some(folder)
}

/// A `postgres`, `initdb` or `pg_ctl` in `PATH` may be a script that calls the real one: the
/// folders its text names, and the one `pg_config` gives.
fn behind_wrapper(folder: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for name in ["postgres", "initdb", "pg_ctl"] {
        let path = folder.join(name);
        if !path.is_file() {
            continue;
        }
        if is_script(&path) {
            let text = std::fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text[..text.len().min(64 << 10)]).into_owned();
            let words = text.split(|c: char| c.is_whitespace() || "\"'`;=$(){}".contains(c));
            for word in words.filter(|word| word.starts_with('/')) {
                let path = Path::new(word);
                folders.extend(path.parent().filter(|p| p.parent().is_some()).map(Path::to_owned));
                folders.push(path.to_owned());
            }
        } else if let Ok(real) = path.canonicalize() {
            // A link into the real folder, such as Nix and Homebrew make.
            folders.extend(real.parent().map(Path::to_owned));
        }
    }
    let config = folder.join("pg_config");
    if !folders.is_empty() && config.is_file() {
        let said = Command::new(config).arg("--bindir").stdin(Stdio::null()).output();
        if let Ok(said) = said {
            folders.push(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()));
        }
    }
    folders
}

fn is_script(path: &Path) -> bool {
    let mut start = [0u8; 2];
    std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start))
        .is_ok_and(|()| &start == b"#!")
}

/// The folders that match a pattern with one `*`, the highest version first.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    let Some((before, after)) = text.split_once('*') else {
        return if pattern.is_dir() { vec![pattern.to_owned()] } else { Vec::new() };
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let mut names: Vec<String> = Path::new(parent)
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter(|name| name.strip_prefix(prefix).is_some_and(|name| name.ends_with(suffix)))
        .collect();
    names.sort();
    names.reverse();
    names
        .iter()
        .map(|name| Path::new(parent).join(name).join(rest))
        .filter(|p| p.is_dir())
        .collect()
}
