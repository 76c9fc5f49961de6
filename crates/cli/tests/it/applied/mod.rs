//! Running migrations: what is refused before anything runs, what is waited for, what is undone,
//! what is taken over from other tools.

mod adopt_mongodb;
mod adopt_postgres;
mod adopt_tools;
mod disk;
mod mongodb;
mod postgres;
mod replicas;
mod rights;

use marula_postgres::{ConnectSpec, Session, SessionOptions};

pub use super::kills::Project;

/// A PostgreSQL database to look into.
pub struct Eye {
    pub runtime: tokio::runtime::Runtime,
    pub session: Session,
}

impl Eye {
    pub fn new(spec: &ConnectSpec) -> Eye {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let session = runtime.block_on(Session::open(spec, &SessionOptions::lab())).unwrap();
        Eye { runtime, session }
    }

    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.session.client().batch_execute(sql)).unwrap();
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.session.client().query_one(sql, &[])).unwrap().get(0)
    }
}

/// A fresh database of a shared server, a project on it, and an eye.
pub fn postgres(major: u16, files: &[(&str, &str)]) -> (Project, Eye) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(marula_lab::shared::postgres(major)).unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let url = server.url().replace("/postgres?", &format!("/{}?", spec.database()));
    (Project::new(url, files), Eye::new(&spec))
}
