use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};
use secrecy::ExposeSecret;
use tokio_postgres::config::{SslMode as DriverMode, SslNegotiation};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::spec::{HostSpec, Wanted};
use super::{ConnectSpec, SslMode, tls};
use crate::error;

/// A connection that stands, with the task that moves its bytes.
pub(crate) struct Opened {
    pub client: Client,
    pub task: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
    /// `None` when the connection is a plain one.
    pub tls: Option<MakeRustlsConnect>,
}

/// What is waited for a server that does not answer, when nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connects to the first host that answers and is of the wanted sort.
pub(crate) async fn open(spec: &ConnectSpec, application: &str) -> Result<Opened> {
    let passes: &[Wanted] = match spec.wanted {
        Wanted::PreferStandby => &[Wanted::Standby, Wanted::Any],
        Wanted::Any => &[Wanted::Any],
        Wanted::Primary => &[Wanted::Primary],
        Wanted::Standby => &[Wanted::Standby],
    };
    let mut last = None;
    for wanted in passes {
        for host in &spec.hosts {
            match open_host(spec, host, application).await {
                Ok(opened) => match fits(&opened.client, *wanted).await {
                    Ok(true) => return Ok(opened),
                    Ok(false) => {
                        let sort =
                            if *wanted == Wanted::Primary { "a primary" } else { "a standby" };
                        last = Some(
                            Error::new(ErrorKind::Unreachable, format!("the server is not {sort}"))
                                .at(place(host))
                                .hint("name other hosts, or change target_session_attrs"),
                        );
                    }
                    Err(failed) => last = Some(error::from_server(&failed).at(place(host))),
                },
                // A server that refuses us refuses us on every host, says libpq too.
                Err(error) if error.kind() == ErrorKind::Denied => return Err(error),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Usage, "no host is given")))
}

async fn fits(client: &Client, wanted: Wanted) -> Result<bool, tokio_postgres::Error> {
    if wanted == Wanted::Any {
        return Ok(true);
    }
    let standby: bool =
        client.query_one("SELECT pg_catalog.pg_is_in_recovery()", &[]).await?.get(0);
    Ok(standby == (wanted == Wanted::Standby))
}

fn place(host: &HostSpec) -> String {
    if host.is_socket() {
        format!("{}/.s.PGSQL.{}", host.host, host.port)
    } else if host.host.contains(':') {
        format!("[{}]:{}", host.host, host.port)
    } else {
        format!("{}:{}", host.host, host.port)
    }
}

async fn open_host(spec: &ConnectSpec, host: &HostSpec, application: &str) -> Result<Opened> {
    let patience = spec.connect_timeout.unwrap_or(PATIENCE);
    match tokio::time::timeout(patience, open_with_mode(spec, host, application)).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::Unreachable,
            format!("the server did not answer within {} s", patience.as_secs()),
        )
        .at(place(host))
        .hint("check the host and port, the network and the firewall, or raise connect_timeout")),
    }
}

async fn open_with_mode(spec: &ConnectSpec, host: &HostSpec, application: &str) -> Result<Opened> {
    let plain = |mode| connect(spec, host, application, mode);
    // Over a socket libpq does without TLS, whatever is asked for short of verification.
    if host.is_socket() || spec.ssl_mode == SslMode::Disable {
        return plain(DriverMode::Disable).await;
    }
    match spec.ssl_mode {
        SslMode::Allow => match plain(DriverMode::Disable).await {
            Err(error) if error.kind() == ErrorKind::Denied => plain(DriverMode::Require).await,
            result => result,
        },
        SslMode::Prefer => match plain(DriverMode::Prefer).await {
            // The handshake failed, or the server takes this user only without TLS.
            Err(error)
                if error.kind() == ErrorKind::Denied
                    && (error.server_code().is_none() || error.server_code() == Some("28000")) =>
            {
                plain(DriverMode::Disable).await.map_err(|_| error)
            }
            result => result,
        },
        _ => plain(DriverMode::Require).await,
    }
}

async fn connect(
    spec: &ConnectSpec,
    host: &HostSpec,
    application: &str,
    mode: DriverMode,
) -> Result<Opened> {
    let mut config = Config::new();
    if host.is_socket() {
        config.host_path(&host.host);
    } else {
        config.host(&host.host);
    }
    if let Some(address) = host.address {
        config.hostaddr(address);
    }
    config.port(host.port).user(&spec.user).dbname(&spec.database);
    config.application_name(application).ssl_mode(mode);
    if let Some(password) = &host.password {
        config.password(password.expose_secret());
    }
    if let Some(options) = &spec.options {
        config.options(options);
    }
    if spec.direct_tls && mode == DriverMode::Require {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    let failed = |failure: &tokio_postgres::Error| {
        error::from_connecting(failure, spec, host.password.is_some()).at(place(host))
    };
    if mode == DriverMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| failed(&e))?;
        return Ok(Opened { client, task: tokio::spawn(connection), tls: None });
    }
    let tls = tls::connector(spec)?;
    let (client, connection) = config.connect(tls.clone()).await.map_err(|e| failed(&e))?;
    Ok(Opened { client, task: tokio::spawn(connection), tls: Some(tls) })
}
