use marula_core::{Engine, Progress, Result};

use super::{Filling, LabServerState, Request, Wanted};
use crate::room::Room;
use crate::shop::{self, Counts, Scale};

/// Bytes on disk at scale 1, with some to spare; measured at scale 0.1.
const POSTGRES: f64 = 1.2e9;
const MONGODB: f64 = 0.8e9;
/// A server without data: its catalogue, its log.
const EMPTY: u64 = 64 << 20;

/// Fails unless the disk has room for what is asked for.
pub(super) fn has_room(request: &Request) -> Result<()> {
    let Some(room) = Room::look()? else { return Ok(()) };
    let scale = request.data.as_ref().map_or(0.0, |data| data.scale);
    let needed = |server: &Wanted| {
        let at_one = if server.engine == Engine::Postgres { POSTGRES } else { MONGODB };
        EMPTY + (at_one * scale) as u64
    };
    let what = match &request.data {
        Some(data) => format!("{} at scale {scale}", data.name),
        None => "empty servers".into(),
    };
    room.has(request.servers.iter().map(needed).sum(), &what).map_err(|error| match request.data {
        Some(_) => error.hint("or take a smaller --scale"),
        None => error,
    })
}

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
