use marula_core::{Engine, Error, ErrorKind, Result, Version};

use super::{Found, Install, install::series, search};

/// The server program to use, and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The program.
    pub install: Install,
    /// Why it is not the wanted version, when it is not.
    pub note: Option<String>,
}

/// The server program that stands nearest to a target of version `wanted`.
///
/// The same major version (for MongoDB the same major.minor) if there is one, else the nearest
/// newer, else the nearest older. With no version wanted: the newest PostgreSQL that has HypoPG,
/// or the newest MongoDB.
pub fn choose(engine: Engine, wanted: Option<Version>) -> Result<Choice> {
    choose_from(&search(), engine, wanted)
}

/// [`choose`] among what an earlier [`search`] found.
pub fn choose_from(found: &Found, engine: Engine, wanted: Option<Version>) -> Result<Choice> {
    let installs: Vec<&Install> =
        found.installs.iter().filter(|install| install.engine == engine).collect();
    let chosen = match wanted {
        None => installs
            .iter()
            .find(|install| install.has_extension("hypopg"))
            .or(installs.first())
            .map(|install| (*install, None)),
        Some(wanted) => nearest(&installs, engine, wanted),
    };
    match chosen {
        Some((install, note)) => Ok(Choice { install: install.clone(), note }),
        None => Err(nothing(found, engine)),
    }
}

/// The server program of just this version (major, and minor of MongoDB), or the best when none is
/// wanted: for who asked for a version by name.
pub fn choose_exactly(engine: Engine, wanted: Option<Version>) -> Result<Install> {
    let found = search();
    let choice = choose_from(&found, engine, wanted)?;
    if let (Some(_), Some(wanted)) = (&choice.note, wanted) {
        let there: Vec<String> = found
            .installs
            .iter()
            .filter(|install| install.engine == engine)
            .map(|install| install.version.to_string())
            .collect();
        let wanted = series(engine, wanted);
        let message = format!("no {} {wanted} was found on this machine", engine.title());
        return Err(Error::new(ErrorKind::Lab, message)
            .hint(format!("take one that is there: {}", there.join(", ")))
            .hint("or install it: see 'marula lab doctor'"));
    }
    Ok(choice.install)
}

/// `installs` come newest first.
fn nearest<'a>(
    installs: &[&'a Install],
    engine: Engine,
    wanted: Version,
) -> Option<(&'a Install, Option<String>)> {
    let rank = |version: Version| match engine {
        Engine::Postgres => (version.major, 0),
        Engine::Mongodb => (version.major, version.minor),
    };
    let same = installs.iter().find(|install| rank(install.version) == rank(wanted));
    if let Some(install) = same {
        return Some((install, None));
    }
    let newer = installs
        .iter()
        .filter(|install| rank(install.version) > rank(wanted))
        .min_by_key(|install| rank(install.version));
    let (install, which) = match newer {
        Some(install) => (install, "newer"),
        None => (installs.first()?, "older"),
    };
    let note = format!(
        "no {} {} was found; the nearest {which}, {}, was used",
        engine.title(),
        series(engine, wanted),
        install.version
    );
    Some((install, Some(note)))
}

fn nothing(found: &Found, engine: Engine) -> Error {
    let program = match engine {
        Engine::Postgres => "postgres",
        Engine::Mongodb => "mongod",
    };
    let mut error = Error::new(
        ErrorKind::Lab,
        format!(
            "no {} server program was found on this machine; looked for '{program}' in {}",
            engine.title(),
            found.places.join(", ")
        ),
    );
    for (path, reason) in &found.broken {
        if path.ends_with(program) {
            error = error.hint(format!("mend {}: {reason}", path.display()));
        }
    }
    error.hint("run 'scripts/setup' in marula's sources, or see 'marula lab doctor'")
}
