//! What the user calls a target, and what stands behind the name.

use std::path::Path;

use marula_core::{Engine, Error, ErrorKind, Result, TargetKind, nearest, redact};

use crate::config::{Access, Config, TargetEntry};

/// A target, found but not opened.
pub struct Resolved {
    /// As it may be shown.
    pub name: String,
    /// A server of the user's, or a lab.
    pub kind: TargetKind,
    /// The engine behind it.
    pub engine: Engine,
    /// The URL or conninfo string; may hold a password.
    pub connection: Secret,
    /// What marula may do there: commands that write ask, explain and inspect only read anyway.
    pub access: Access,
}

/// A text that is not shown.
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// How targets may be written, for hints.
const FORMS: &str = "write a name from marula.toml, lab/NAME/postgres, lab/NAME/mongodb, a URL \
                     (postgres://, mongodb://), service=NAME, env:VARIABLE or file:PATH";

/// Finds what `name` means.
pub fn resolve(name: &str, config: &Config) -> Result<Resolved> {
    if let Some(entry) = config.targets.get(name) {
        return from_entry(name, entry).map_err(|error| error.at(format!("target '{name}'")));
    }
    if let Some(rest) = name.strip_prefix("lab/") {
        return lab(name, rest);
    }
    if name.starts_with("env:") || name.starts_with("file:") {
        let connection = dereference(name, Path::new("."))?;
        return server(name.to_string(), connection, Access::ReadOnly);
    }
    if engine_of(name).is_some() {
        return server(redact(name), name.to_string(), Access::ReadOnly);
    }
    Err(unknown(name, config))
}

/// Whether the command line shows a password to everybody on this machine.
pub fn shows_password(name: &str) -> bool {
    engine_of(name).is_some() && redact(name) != name
}

fn from_entry(name: &str, entry: &TargetEntry) -> Result<Resolved> {
    let connection = match (&entry.url, &entry.service) {
        (Some(url), _) => dereference(url, &entry.folder)?,
        (None, Some(service)) => format!("service={service}"),
        (None, None) => String::new(),
    };
    server(name.to_string(), connection, entry.access)
}

fn server(name: String, connection: String, access: Access) -> Result<Resolved> {
    let connection = connection.trim().to_string();
    match engine_of(&connection) {
        Some(engine) => Ok(Resolved {
            name,
            kind: TargetKind::Server,
            engine,
            connection: Secret(connection),
            access,
        }),
        None => Err(Error::new(ErrorKind::Usage, "what it leads to is not a connection string")
            .at(redact(&name))
            .hint("write postgres://…, mongodb://…, or key=value pairs as libpq takes them")),
    }
}

/// The engine a connection string is for; `None` when it is no connection string.
fn engine_of(text: &str) -> Option<Engine> {
    let lower: String = text.chars().take(16).collect::<String>().to_ascii_lowercase();
    if lower.starts_with("postgres://") || lower.starts_with("postgresql://") {
        return Some(Engine::Postgres);
    }
    if lower.starts_with("mongodb://") || lower.starts_with("mongodb+srv://") {
        return Some(Engine::Mongodb);
    }
    let key = text.split_once('=')?.0.trim();
    let keys = ["host", "hostaddr", "port", "dbname", "user", "password", "service", "passfile"];
    let known = keys.contains(&key) || key.starts_with("ssl") || key.starts_with("connect");
    known.then_some(Engine::Postgres)
}

/// The value behind `env:NAME` or `file:PATH`; any other text is its own value.
fn dereference(text: &str, folder: &Path) -> Result<String> {
    if let Some(variable) = text.strip_prefix("env:") {
        return match std::env::var(variable) {
            Ok(value) if !value.trim().is_empty() => Ok(value),
            _ => Err(Error::new(ErrorKind::Usage, format!("the variable {variable} is not set"))
                .hint(format!("export {variable} with the connection string, then run again"))),
        };
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = folder.join(path);
        let value = std::fs::read_to_string(&path).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("{} cannot be read: {error}", path.display()))
                .hint("put the connection string into this file, readable only by you")
        })?;
        return Ok(value);
    }
    Ok(text.to_string())
}

fn lab(name: &str, rest: &str) -> Result<Resolved> {
    let usage = |lab: &str| {
        Error::new(ErrorKind::Usage, format!("'{name}' does not say which server of the lab"))
            .hint(format!("write lab/{lab}/postgres or lab/{lab}/mongodb"))
    };
    let Some((lab, engine)) = rest.split_once('/') else { return Err(usage(rest)) };
    let engine: Engine = engine.parse().map_err(|_| usage(lab))?;
    let connection = crate::commands::lab::find(lab, engine)?;
    Ok(Resolved {
        name: format!("lab/{lab}/{engine}"),
        kind: TargetKind::Lab,
        engine,
        connection: Secret(connection),
        access: Access::ReadWrite,
    })
}

fn unknown(name: &str, config: &Config) -> Error {
    let first = name.split([' ', '(', '.', '\n', '\t']).next().unwrap_or_default();
    let statement = ["select", "with", "db", "insert", "update", "delete", "values", "explain"];
    if statement.contains(&first.to_ascii_lowercase().as_str()) && name.len() > first.len() {
        return Error::new(ErrorKind::Usage, "a target is missing before the query")
            .hint(format!("name it first, for example: marula explain shop '…'; {FORMS}"));
    }
    let shown = redact(name);
    let error = Error::new(ErrorKind::NotFound, format!("no target is called '{shown}'"));
    let near = nearest(name, config.targets.keys().map(String::as_str));
    match near.first() {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint(FORMS),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The folder has to live as long as its file is read.
    fn config(text: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marula.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("url"), "postgres://ann:hush@db/shop\n").unwrap();
        let config = Config::load(Some(&path), folder.path(), None).unwrap();
        (folder, config)
    }

    #[test]
    fn names_urls_services_and_files_lead_to_an_engine() {
        let (_folder, config) =
            config("[targets.shop]\nurl = 'file:url'\n[targets.svc]\nservice = 's'\n");
        for (name, engine, shown) in [
            ("shop", Engine::Postgres, "shop"),
            ("svc", Engine::Postgres, "svc"),
            ("postgresql://ann:hush@db/shop", Engine::Postgres, "postgresql://ann:***@db/shop"),
            ("mongodb+srv://db/shop", Engine::Mongodb, "mongodb+srv://db/shop"),
            ("host=db dbname=shop", Engine::Postgres, "host=db dbname=shop"),
            ("service=shop", Engine::Postgres, "service=shop"),
        ] {
            let found = resolve(name, &config).unwrap();
            assert_eq!((found.engine, found.name.as_str()), (engine, shown));
        }
        assert_eq!(resolve("svc", &config).unwrap().connection.0, "service=s");
        assert_eq!(resolve("shop", &config).unwrap().connection.0, "postgres://ann:hush@db/shop");
    }

    #[test]
    fn what_is_no_target_is_said_with_the_way_out() {
        let (_folder, config) = config("[targets.shop]\nservice = 's'\n");
        for (name, message, hint) in [
            ("shpo", "no target is called 'shpo'", "did you mean 'shop'?"),
            ("select 1", "a target is missing before the query", "name it first"),
            (
                "lab/demo",
                "'lab/demo' does not say which server of the lab",
                "write lab/demo/postgres",
            ),
            (
                "env:MARULA_NO_SUCH",
                "the variable MARULA_NO_SUCH is not set",
                "export MARULA_NO_SUCH",
            ),
        ] {
            let error = resolve(name, &config).err().unwrap();
            assert_eq!(error.message(), message);
            assert!(error.hints()[0].starts_with(hint), "{:?}", error.hints());
        }
    }
}
