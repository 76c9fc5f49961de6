//! Sessions on targets: read-only, bounded, and with warnings said before the work begins.

use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result, Target};

use crate::app::App;
use crate::targets::{self, Resolved};

/// An open target.
pub enum Session {
    /// On PostgreSQL.
    Postgres(Box<marula_postgres::Session>),
    /// On MongoDB.
    Mongodb(Box<marula_mongodb::Session>),
}

/// Resolves and opens what the user called `name`.
pub async fn open(app: &App, name: &str, timeout: Duration) -> Result<(Target, Session)> {
    let found = targets::resolve(name, &app.config)?;
    if targets::shows_password(name) {
        app.warn(
            "the password on the command line can be read by every user of this machine; keep it \
             in ~/.pgpass or write the URL to a variable and name it: env:VARIABLE",
        );
    }
    let session = session(&found, timeout).await.map_err(|error| place(error, &found.name))?;
    let (database, version) = match &session {
        Session::Postgres(session) => (session.database().to_string(), session.version()),
        Session::Mongodb(session) => (session.database().name().to_string(), session.version()),
    };
    let target = Target {
        name: found.name,
        kind: found.kind,
        engine: found.engine,
        database: Some(database),
        version: Some(version),
    };
    Ok((target, session))
}

async fn session(found: &Resolved, timeout: Duration) -> Result<Session> {
    let text = &found.connection.0;
    match found.engine {
        Engine::Postgres => {
            let environment = marula_postgres::Environment::from_process();
            let spec = marula_postgres::ConnectSpec::parse(text, &environment)?;
            let options = marula_postgres::SessionOptions::read_only(timeout);
            let session = marula_postgres::Session::open(&spec, &options).await?;
            Ok(Session::Postgres(Box::new(session)))
        }
        Engine::Mongodb => {
            let spec = marula_mongodb::ConnectSpec::parse(text)?;
            let options = marula_mongodb::SessionOptions::read_only(timeout);
            let session = marula_mongodb::Session::open(&spec, &options).await?;
            Ok(Session::Mongodb(Box::new(session)))
        }
    }
}

/// The target's name as the place of an error that does not name one.
fn place(error: Error, name: &str) -> Error {
    match (error.place(), error.kind()) {
        (None, kind) if kind != ErrorKind::Internal => error.at(name),
        _ => error,
    }
}

impl Session {
    /// An error under the name the user gave the target, where the library knows its address only.
    pub fn name(&self, error: Error, target: &Target) -> Error {
        let address = match self {
            Session::Postgres(session) => session.spec().to_string(),
            Session::Mongodb(session) => session.spec().to_string(),
        };
        match error.place() {
            Some(place) if place != address => error,
            _ => error.at(target.name.clone()),
        }
    }
}
