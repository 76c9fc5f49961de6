//! One server of each version per process, started when first asked for: for tests, and for a
//! program that needs the same server again.

use std::collections::HashMap;
use std::sync::Mutex;

use marula_core::{Engine, Result, Version};
use tokio::sync::OnceCell;

use crate::discover;
use crate::servers::{MongoServer, PostgresServer, StartOptions};

type Shared<Server> = Mutex<Option<HashMap<Version, &'static OnceCell<Server>>>>;

static POSTGRES: Shared<PostgresServer> = Mutex::new(None);
static MONGODB: Shared<MongoServer> = Mutex::new(None);

/// The process's PostgreSQL of exactly this major version.
pub async fn postgres(major: u16) -> Result<&'static PostgresServer> {
    let version = Version::new(major, 0, 0);
    let start = async || {
        let install = discover::choose_exactly(Engine::Postgres, Some(version))?;
        PostgresServer::start(&install, &StartOptions::default()).await
    };
    cell(&POSTGRES, version).get_or_try_init(start).await
}

/// The process's MongoDB of exactly this version, as a replica set of one member.
pub async fn mongodb(major: u16, minor: u16) -> Result<&'static MongoServer> {
    let version = Version::new(major, minor, 0);
    let start = async || {
        let install = discover::choose_exactly(Engine::Mongodb, Some(version))?;
        MongoServer::start(&install, &StartOptions::default().replica_set()).await
    };
    cell(&MONGODB, version).get_or_try_init(start).await
}

/// The place of one shared server. It lives as long as the process; its end is the server's.
fn cell<Server>(shared: &Shared<Server>, version: Version) -> &'static OnceCell<Server> {
    let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared
        .get_or_insert_default()
        .entry(version)
        .or_insert_with(|| Box::leak(Box::new(OnceCell::new())))
}
