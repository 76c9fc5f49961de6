//! What the tests share: sessions on fresh databases, and changes.

use std::time::Duration;

use marula_core::{Change, ChangeId, ChangeKind, Engine, Proof, Quiet};
use marula_lab::bench::mongodb::MongoBench;
use marula_lab::bench::postgres::PostgresBench;
use marula_lab::clone::{CloneLimits, Join, mongodb, postgres};
use marula_lab::prove::ProveOptions;
use marula_lab::shared;

/// A session on a fresh database of the shared server, filled with `sql`.
pub async fn source(major: u16, sql: &str) -> marula_postgres::Session {
    let server = shared::postgres(major).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let options = marula_postgres::SessionOptions::lab();
    let session = marula_postgres::Session::open(&spec, &options).await.unwrap();
    // VACUUM stands last in a set-up and runs on its own.
    let (setup, vacuum) = sql.split_at(sql.rfind("VACUUM").unwrap_or(sql.len()));
    session.client().batch_execute(setup).await.unwrap();
    session.client().batch_execute(vacuum).await.unwrap();
    session
}

/// A copy of `relations` on the same server.
pub async fn copy(
    source: &marula_postgres::Session,
    relations: &[&str],
    statement: &str,
) -> PostgresBench {
    let request = postgres::Request {
        relations: relations.iter().map(|name| (*name).to_owned()).collect(),
        joins: Vec::new(),
        statement: statement.to_owned(),
        limits: CloneLimits::default(),
    };
    let lab = shared::postgres(source.version().major).await.unwrap().spec();
    postgres::clone(source, &lab, &request, &Quiet).await.unwrap()
}

pub async fn open(bench: &PostgresBench) -> marula_postgres::Session {
    let options = marula_postgres::SessionOptions::lab();
    marula_postgres::Session::open(&bench.spec(), &options).await.unwrap()
}

/// One column of one row, as text.
pub async fn text(session: &marula_postgres::Session, sql: &str) -> Option<String> {
    let row = session.client().query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    row.get(0)
}

/// The plan as the server prints it, without times.
pub async fn explained(session: &marula_postgres::Session, sql: &str) -> String {
    let rows = session.client().query(&format!("EXPLAIN {sql}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

pub async fn mongo_source(major: u16, minor: u16) -> marula_mongodb::Session {
    let server = shared::mongodb(major, minor).await.unwrap();
    let spec = server.create_database().await.unwrap();
    marula_mongodb::Session::open(&spec, &marula_mongodb::SessionOptions::lab()).await.unwrap()
}

pub async fn mongo_copy(
    source: &marula_mongodb::Session,
    collections: &[&str],
    joins: Vec<Join>,
    bytes: u64,
) -> MongoBench {
    let request = mongodb::Request {
        collections: collections.iter().map(|name| (*name).to_owned()).collect(),
        joins,
        limits: CloneLimits { bytes, ..CloneLimits::default() },
    };
    mongodb::clone(source, source.spec(), &request, &Quiet).await.unwrap()
}

pub fn change(id: &str, engine: Engine, kind: ChangeKind, up: &[&str]) -> Change {
    Change {
        id: ChangeId(id.to_owned()),
        kind,
        engine,
        title: up.first().unwrap_or(&"").to_string(),
        relation: None,
        up: up.iter().map(|text| (*text).to_owned()).collect(),
        down: Vec::new(),
        hazards: Vec::new(),
        conditions: Vec::new(),
        proof: Proof::not_tried("not yet"),
    }
}

pub fn index(id: &str, sql: &str) -> Change {
    change(id, Engine::Postgres, ChangeKind::Index, &[sql])
}

pub fn options(limit: f64) -> ProveOptions {
    ProveOptions { limit: Duration::from_secs_f64(limit), ..ProveOptions::default() }
}
