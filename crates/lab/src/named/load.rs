use marula_core::{Engine, Progress, Result};

use super::{Filling, LabServerState};
use crate::shop::{self, Counts, Scale};

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
            let session = Session::open(&spec, &SessionOptions::lab()).await?;
            shop::load_postgres(&session, scale, data.seed, progress).await
        }
        Engine::Mongodb => {
            use marula_mongodb::{ConnectSpec, Session, SessionOptions};
            let spec = ConnectSpec::parse(&server.url)?;
            let session = Session::open(&spec, &SessionOptions::lab()).await?;
            shop::load_mongodb(&session, scale, data.seed, progress).await
        }
    }
}
