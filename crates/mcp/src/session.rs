use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result, Target};
use secrecy::ExposeSecret;

use crate::Found;

/// A connection to a target.
#[derive(Debug)]
pub enum Session {
    /// On PostgreSQL.
    Postgres(Box<marula_postgres::Session>),
    /// On MongoDB.
    Mongodb(Box<marula_mongodb::Session>),
}

/// The name sessions have in the servers' own lists.
const NAME: &str = "marula mcp";

impl Session {
    /// Opens a session that only reads.
    pub(crate) async fn open(found: &Found, timeout: Duration) -> Result<Self> {
        let postgres = marula_postgres::SessionOptions {
            application_name: NAME.into(),
            ..marula_postgres::SessionOptions::read_only(timeout)
        };
        let mongodb = marula_mongodb::SessionOptions {
            application_name: NAME.into(),
            ..marula_mongodb::SessionOptions::read_only(timeout)
        };
        Self::with(found, postgres, mongodb).await
    }

    /// Opens a session for a plan that was confirmed. Statements may take as long as they must;
    /// they do not wait long for locks, behind which everybody else would wait.
    pub(crate) async fn open_to_write(found: &Found) -> Result<Self> {
        let postgres = marula_postgres::SessionOptions {
            read_only: false,
            statement_timeout: Duration::ZERO,
            application_name: NAME.into(),
            ..marula_postgres::SessionOptions::read_only(Duration::ZERO)
        };
        let mongodb = marula_mongodb::SessionOptions {
            application_name: NAME.into(),
            ..marula_mongodb::SessionOptions::lab()
        };
        Self::with(found, postgres, mongodb).await
    }

    async fn with(
        found: &Found,
        postgres: marula_postgres::SessionOptions,
        mongodb: marula_mongodb::SessionOptions,
    ) -> Result<Self> {
        let text = found.connection.expose_secret();
        let opened = match found.engine {
            Engine::Postgres => {
                let environment = marula_postgres::Environment::from_process();
                let spec = marula_postgres::ConnectSpec::parse(text, &environment)?;
                marula_postgres::Session::open(&spec, &postgres)
                    .await
                    .map(|session| Session::Postgres(Box::new(session)))
            }
            Engine::Mongodb => {
                let spec = marula_mongodb::ConnectSpec::parse(text)?;
                marula_mongodb::Session::open(&spec, &mongodb)
                    .await
                    .map(|session| Session::Mongodb(Box::new(session)))
            }
        };
        opened.map_err(|error| error.at(found.alias.clone()))
    }

    /// The target as reports show it: by its alias, without its address.
    pub fn target(&self, found: &Found) -> Target {
        let (database, version) = match self {
            Session::Postgres(session) => (session.database().to_string(), session.version()),
            Session::Mongodb(session) => (session.database().name().to_string(), session.version()),
        };
        Target {
            name: found.alias.clone(),
            kind: found.kind,
            engine: found.engine,
            database: Some(database),
            version: Some(version),
        }
    }

    /// An error under the target's alias, where the library knows its address only.
    pub fn name(&self, error: Error, alias: &str) -> Error {
        let address = match self {
            Session::Postgres(session) => session.spec().to_string(),
            Session::Mongodb(session) => session.spec().to_string(),
        };
        match error.place() {
            Some(place) if place != address => error,
            _ => error.at(alias),
        }
    }

    /// Whether it may serve another call.
    pub(crate) async fn lives(&self) -> bool {
        match self {
            Session::Postgres(session) => !session.is_closed() && session.answers().await,
            // The driver keeps its own connections alive.
            Session::Mongodb(_) => true,
        }
    }

    /// Ends what it still runs on the server. MongoDB ends a command when its connection goes.
    pub(crate) async fn stop(&self) {
        if let Session::Postgres(session) = self {
            let _ = session.cancel().await;
        }
    }

    /// The session as PostgreSQL's.
    ///
    /// # Errors
    /// `Internal`: the caller looked at the engine before.
    pub(crate) fn postgres(&self) -> Result<&marula_postgres::Session> {
        match self {
            Session::Postgres(session) => Ok(session),
            Session::Mongodb(_) => Err(mixed_up()),
        }
    }

    /// The session as MongoDB's.
    ///
    /// # Errors
    /// `Internal`: the caller looked at the engine before.
    pub(crate) fn mongodb(&self) -> Result<&marula_mongodb::Session> {
        match self {
            Session::Mongodb(session) => Ok(session),
            Session::Postgres(_) => Err(mixed_up()),
        }
    }
}

fn mixed_up() -> Error {
    Error::new(ErrorKind::Internal, "the session is of the other engine")
}
