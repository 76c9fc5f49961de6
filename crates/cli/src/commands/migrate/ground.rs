//! The target migrations run on, and the folder they are in.

use std::path::Path;
use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result, Target};
use marula_migrate::files::{self, Folder};
use marula_migrate::{MigrationKind, mongodb, postgres};

use crate::app::App;
use crate::config::Access;
use crate::open::{self, Session};
use crate::targets;

/// Either engine's.
pub enum Where {
    /// On PostgreSQL.
    Postgres(Box<postgres::apply::Ground>),
    /// On MongoDB.
    Mongodb(Box<mongodb::apply::Ground>),
}

/// The same work on either engine's ground.
macro_rules! on {
    ($place:expr, $ground:ident => $work:expr) => {
        match $place {
            $crate::commands::migrate::ground::Where::Postgres($ground) => $work,
            $crate::commands::migrate::ground::Where::Mongodb($ground) => $work,
        }
    };
}
pub(super) use on;

/// Opens a target to look only.
pub async fn to_read(app: &App, name: &str, timeout: Duration) -> Result<(Target, Where)> {
    let (target, session) = open::open(app, name, timeout).await?;
    let place = match session {
        Session::Postgres(session) => {
            let ground = postgres::apply::Ground::on(*session).await;
            Where::Postgres(Box::new(ground.map_err(|error| place(error, &target.name))?))
        }
        Session::Mongodb(session) => {
            let ground = mongodb::apply::Ground::on(*session).await;
            Where::Mongodb(Box::new(ground.map_err(|error| place(error, &target.name))?))
        }
    };
    Ok((target, place))
}

/// Opens a target to write, if the user's configuration allows it.
pub async fn to_write(app: &App, name: &str) -> Result<(Target, Where)> {
    let found = targets::resolve(name, &app.config)?;
    if found.access != Access::ReadWrite {
        let what = format!("{} is read-only for this program", found.name);
        let entry = match app.config.targets.contains_key(name) {
            true => format!("write access = \"read-write\" under [targets.{name}] in marula.toml"),
            false => "give it a name in marula.toml: [targets.NAME] with url = \"env:VARIABLE\" and access = \"read-write\"".to_string(),
        };
        return Err(Error::new(ErrorKind::Refused, what).hint(entry));
    }
    let text = &found.connection.0;
    let (opened, database, version) = match found.engine {
        Engine::Postgres => {
            let environment = marula_postgres::Environment::from_process();
            let spec = marula_postgres::ConnectSpec::parse(text, &environment)?;
            let ground = postgres::apply::Ground::open(&spec).await;
            let ground = ground.map_err(|error| place(error, &found.name))?;
            let session = ground.session();
            let about = (session.database().to_string(), session.version());
            (Where::Postgres(Box::new(ground)), about.0, about.1)
        }
        Engine::Mongodb => {
            let spec = marula_mongodb::ConnectSpec::parse(text)?;
            let ground = mongodb::apply::Ground::open(&spec).await;
            let ground = ground.map_err(|error| place(error, &found.name))?;
            let session = ground.session();
            let about = (session.database().name().to_string(), session.version());
            (Where::Mongodb(Box::new(ground)), about.0, about.1)
        }
    };
    let target = Target {
        name: found.name,
        kind: found.kind,
        engine: found.engine,
        database: Some(database),
        version: Some(version),
    };
    Ok((target, opened))
}

/// The target's name as the place of an error without one.
pub fn place(error: Error, name: &str) -> Error {
    if error.place().is_none() { error.at(name) } else { error }
}

/// Reads the migrations for a target.
pub fn folder(dir: &Path, target: &Target) -> Result<Folder> {
    let folder = match files::read(dir, Some(target.engine)) {
        Ok(folder) => folder,
        Err(error) => {
            // Perhaps they are for the other engine.
            return match files::read(dir, None) {
                Ok(other) if other.engine != target.engine => Err(Error::new(
                    ErrorKind::Usage,
                    format!(
                        "these migrations are for {}, and {} is {}",
                        other.engine.title(),
                        target.name,
                        target.engine.title()
                    ),
                )
                .at(dir.display().to_string())
                .hint("name a target of that engine, or another folder with --dir")),
                _ => Err(error),
            };
        }
    };
    let nameless = folder.migrations.iter().find(|migration| {
        migration.version.is_none() && migration.kind == MigrationKind::Versioned
    });
    if let Some(migration) = nameless {
        return Err(Error::new(ErrorKind::Usage, "this file has no version to be known by")
            .at(migration.path.display().to_string())
            .hint("call it <timestamp>_<name>, such as marula migrate new does, or move it out of the folder"));
    }
    Ok(folder)
}
