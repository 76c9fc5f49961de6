use marula_core::{Engine, Progress, Result};

use super::{Filling, LabServerState};
use crate::shop::{self, Counts, Scale};

/// PostgreSQL connections that load at the same time; more gain nothing on a small machine.
const CONNECTIONS: usize = 2;

/// Loads `data` into a server of a lab.
pub(super) async fn load(
    server: &LabServerState,
    data: &Filling,
    progress: &dyn Progress,
) -> Result<Counts> {
    let scale = Scale::new(data.scale)?;
    match server.engine {
        Engine::Postgres => {
            use marula_postgres::{ConnectSpec, Environment, Session, SessionOptions};
            let spec = ConnectSpec::parse(&server.url, &Environment::default())?;
            let mut sessions = Vec::new();
            for _ in 0..CONNECTIONS {
                sessions.push(Session::open(&spec, &SessionOptions::lab()).await?);
            }
            let clients: Vec<_> = sessions.iter().map(Session::client).collect();
            shop::load_postgres_over(&clients, scale, data.seed, progress).await
        }
        Engine::Mongodb => {
            use marula_mongodb::{ConnectSpec, Session, SessionOptions};
            let spec = ConnectSpec::parse(&server.url)?;
            let session = Session::open(&spec, &SessionOptions::lab()).await?;
            shop::load_mongodb_into(session.database(), scale, data.seed, progress).await
        }
    }
}
