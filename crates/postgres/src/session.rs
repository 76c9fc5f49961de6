use std::time::Duration;

use marula_core::{Result, Version};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connect::{self, ConnectSpec};
use crate::error;

/// How long a server that lives may take to say so.
const ANSWER: Duration = Duration::from_secs(5);

/// How a session behaves.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Whether the server refuses every write of this session.
    pub read_only: bool,
    /// How long a statement may run; zero for as long as it likes.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock; zero for as long as it likes.
    pub lock_timeout: Duration,
    /// How long a transaction may lie idle; zero for as long as it likes.
    pub idle_timeout: Duration,
    /// What the server's lists of sessions show.
    pub application_name: String,
}

impl SessionOptions {
    /// For a target: read-only, with time limits.
    pub fn read_only(statement_timeout: Duration) -> Self {
        SessionOptions {
            read_only: true,
            statement_timeout,
            lock_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            application_name: "marula".into(),
        }
    }

    /// For a server of our own: everything allowed, no limits.
    pub fn lab() -> Self {
        SessionOptions {
            read_only: false,
            statement_timeout: Duration::ZERO,
            lock_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            application_name: "marula".into(),
        }
    }
}

/// One connection to a server.
pub struct Session {
    client: Client,
    task: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
    tls: Option<MakeRustlsConnect>,
    spec: ConnectSpec,
    options: SessionOptions,
    version: Version,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("spec", &self.spec).field("version", &self.version).finish()
    }
}

impl Session {
    /// Connects and sets the session up.
    ///
    /// # Errors
    /// `Unreachable`, `Denied` (password, pg_hba.conf, TLS, rights) or `NotFound` (database),
    /// with the host and what to do.
    pub async fn open(spec: &ConnectSpec, options: &SessionOptions) -> Result<Self> {
        let opened = connect::open(spec, &options.application_name).await?;
        let client = opened.client;
        let read_only = if options.read_only { "on" } else { "off" };
        let milliseconds = |limit: Duration| limit.as_millis().min(i32::MAX as u128);
        client
            .batch_execute(&format!(
                "SET default_transaction_read_only = {read_only};
                 SET statement_timeout = {};
                 SET lock_timeout = {};
                 SET idle_in_transaction_session_timeout = {};
                 SET standard_conforming_strings = on;
                 SET client_min_messages = warning",
                milliseconds(options.statement_timeout),
                milliseconds(options.lock_timeout),
                milliseconds(options.idle_timeout),
            ))
            .await
            .map_err(|e| error::from_server(&e).at(spec.to_string()))?;
        let row = client
            .query_one("SELECT pg_catalog.current_setting('server_version')", &[])
            .await
            .map_err(|e| error::from_server(&e).at(spec.to_string()))?;
        let version: Version = row.get::<_, &str>(0).parse()?;
        if version.major >= 14 {
            // The server then notices that we are gone and stops what it does for us. Not every
            // platform can do it.
            let _ = client.batch_execute("SET client_connection_check_interval = 5000").await;
        }
        Ok(Session {
            client,
            task: opened.task,
            tls: opened.tls,
            spec: spec.clone(),
            options: options.clone(),
            version,
        })
    }

    /// The driver's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.spec.database
    }

    /// Where it is connected to.
    pub fn spec(&self) -> &ConnectSpec {
        &self.spec
    }

    /// How it behaves.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Whether the server still answers on this connection.
    pub async fn answers(&self) -> bool {
        let asked = tokio::time::timeout(ANSWER, self.client.batch_execute("SELECT 1")).await;
        matches!(asked, Ok(Ok(())))
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.task.is_finished()
    }

    /// Asks the server to stop what this session runs. Comes back when it was asked, not when it
    /// has stopped.
    ///
    /// # Errors
    /// `Unreachable` or `ServerDied` when it could not be asked.
    pub async fn cancel(&self) -> Result<()> {
        let token = self.client.cancel_token();
        let asked = match &self.tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        };
        asked.map_err(|e| error::from_server(&e))
    }
}
