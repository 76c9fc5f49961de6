use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::{Duration, Instant};

use marula_core::{Engine, Error, ErrorKind, Result};
use marula_postgres::ConnectSpec;
use rustix::process::Signal;
use secrecy::ExposeSecret;

use super::running::{Running, log_in};
use super::{Listen, StartOptions, account, folder::ServerFolder, process, template};
use crate::discover::Install;

/// How long a start may take; a template copied onto a slow disk may need some.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The lab's superuser.
pub(super) const USER: &str = "postgres";

/// A running PostgreSQL server of this program's own. Dropping it ends it at once and removes all
/// it held.
pub struct PostgresServer {
    pub(super) running: Running,
    pub(super) port: u16,
    pub(super) listen: Listen,
}

impl PostgresServer {
    /// Starts a server with an empty database `postgres`; it answers when this returns.
    ///
    /// It is made for speed, not to keep: nothing is synced to disk, and autovacuum is off so that
    /// nothing runs beside a measurement.
    pub async fn start(install: &Install, options: &StartOptions) -> Result<Self> {
        let (install, options) = (install.clone(), options.clone());
        let server = super::in_background(move || Self::start_blocking(install, &options)).await?;
        Ok(server)
    }

    fn start_blocking(install: Install, options: &StartOptions) -> Result<Self> {
        if install.engine != Engine::Postgres {
            return Err(Error::new(ErrorKind::Internal, format!("{install} is not PostgreSQL")));
        }
        let account = account::lab_account()?;
        let account = account.as_ref();
        let folder = ServerFolder::create(account)?;
        let data = folder.path().join("data");
        template::new_cluster(&install, options, account, &data)?;
        let port = match options.listen {
            Listen::Socket => 5432,
            Listen::Loopback(port) => port,
        };
        if options.password.is_some() {
            // The socket is in a folder that only the server's own user can enter.
            let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
            std::fs::write(data.join("pg_hba.conf"), rules)?;
        }
        let (path, log) = (folder.path().to_owned(), log_in(&folder));
        let launch = launch(&install, account, &path, &log);
        // In a file, so that ALTER SYSTEM can change them on a lab's server.
        let lines: String = settings(&install, options, &folder, port)
            .iter()
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
            .collect();
        std::fs::write(data.join("postgresql.conf"), lines)?;
        let mut running = Running::start(&install, folder, &launch, Signal::QUIT)?;
        wait_until_ready(running.process(), &install, &data, &log)?;
        Ok(PostgresServer { running, port, listen: options.listen })
    }

    /// Kills it, as a crash of the server would, and starts it again on the data it left; it
    /// answers when this returns. What was committed is there.
    ///
    /// # Errors
    /// `Lab` or `ServerDied` when it does not come back.
    pub fn crash(&mut self) -> Result<()> {
        let (path, log) = (self.folder().to_owned(), self.log());
        let install = self.install().clone();
        let account = account::lab_account()?;
        let launch = launch(&install, account.as_ref(), &path, &log);
        self.running.restart(&launch)?;
        wait_until_ready(self.running.process(), &install, &path.join("data"), &log)
    }

    /// How to connect as superuser: to the database `postgres`, through the socket.
    pub fn spec(&self) -> ConnectSpec {
        ConnectSpec::socket(self.sockets(), self.port, USER, "postgres")
    }

    /// A URL that psql opens; without the password, if one was set for TCP.
    pub fn url(&self) -> String {
        match self.listen {
            Listen::Loopback(port) => format!("postgresql://{USER}@127.0.0.1:{port}/postgres"),
            Listen::Socket => format!(
                "postgresql:///postgres?host={}&port={}&user={USER}",
                super::percent_encode(&self.sockets().display().to_string()),
                self.port
            ),
        }
    }

    /// The port on 127.0.0.1, or in the name of the socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A new empty database of this server, under a name of its own.
    pub async fn create_database(&self) -> Result<ConnectSpec> {
        let name = self.new_database();
        self.execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(self.spec().with_database(&name))
    }

    /// Runs statements as superuser in the database `postgres`.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let failed = |error: tokio_postgres::Error| {
            let message = error.as_db_error().map_or_else(|| error.to_string(), |e| e.to_string());
            Error::new(ErrorKind::Lab, message).at(self.install().to_string()).because(error)
        };
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(self.sockets())
            .port(self.port)
            .user(USER)
            .dbname("postgres")
            .connect(tokio_postgres::NoTls)
            .await
            .map_err(failed)?;
        let connection = tokio::spawn(connection);
        let done = client.batch_execute(sql).await.map_err(failed);
        drop(client);
        let _ = connection.await;
        done
    }

    /// Ends it and removes its folder; what dropping does, but without blocking the caller's
    /// thread.
    pub async fn stop(self) {
        super::stop(self).await;
    }
}

impl Deref for PostgresServer {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for PostgresServer {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}

/// How the server in the folder `path` is started.
pub(super) fn launch<'a>(
    install: &'a Install,
    account: Option<&'a account::Account>,
    path: &'a Path,
    log: &'a Path,
) -> process::Launch<'a> {
    let mut launch = process::Launch::of(install, "postgres", path, log);
    launch.account = account;
    // Immediate shutdown: the postmaster takes its children with it, as SIGKILL would not.
    launch.at_our_end = Signal::QUIT;
    launch.arguments = vec!["-D".to_owned(), path.join("data").display().to_string()];
    launch
}

fn settings(
    install: &Install,
    options: &StartOptions,
    folder: &ServerFolder,
    port: u16,
) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = [
        // With fsync off a synchronous commit costs no more than handing the log to the operating
        // system. An asynchronous one keeps VACUUM and readers from marking rows as committed till
        // the log writer has come by, so that what they do would hang on the clock.
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("max_wal_size", "16GB"),
        ("checkpoint_timeout", "1h"),
        ("autovacuum", "off"),
        ("unix_socket_permissions", "0700"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("max_connections", "50"),
        // What initdb would have written.
        ("default_text_search_config", "pg_catalog.english"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let mut set = |name: &str, value: String| settings.push((name.to_owned(), value));
    set("port", port.to_string());
    set("unix_socket_directories", folder.sockets().display().to_string());
    set("shared_buffers", format!("{}MB", options.cache_mb.max(1)));
    set(
        "listen_addresses",
        match options.listen {
            Listen::Socket => String::new(),
            Listen::Loopback(_) => "127.0.0.1".to_owned(),
        },
    );
    if small_shared_memory() {
        // Containers often get 64 MB there, which parallel hash joins run out of.
        set("dynamic_shared_memory_type", "mmap".to_owned());
    }
    if let Some(folder) = &install.library_dir {
        // A relocated build looks for its modules where it was built.
        let modules = folder.join("postgresql");
        if modules.is_dir() {
            set("dynamic_library_path", format!("{}:$libdir", modules.display()));
        }
    }
    settings.extend(options.settings.iter().cloned());
    settings
}

fn small_shared_memory() -> bool {
    rustix::fs::statvfs("/dev/shm")
        .is_ok_and(|about| about.f_blocks.saturating_mul(about.f_frsize) < 512 << 20)
}

/// The postmaster writes `ready` into the last line of its pid file when it takes connections.
pub(super) fn wait_until_ready(
    process: &mut process::Process,
    install: &Install,
    data: &Path,
    log: &Path,
) -> Result<()> {
    let pid_file = data.join("postmaster.pid");
    let until = Instant::now() + START_LIMIT;
    loop {
        let state = std::fs::read_to_string(&pid_file).unwrap_or_default();
        // A server that was killed leaves its own behind.
        let own = state.lines().next().is_some_and(|pid| pid.trim() == process.id().to_string());
        if own && state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return Ok(());
        }
        if let Some(status) = process.exited() {
            return Err(super::died(install, status, log));
        }
        if Instant::now() > until {
            return Err(super::not_ready(install, START_LIMIT, log));
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// The statement that gives the lab's superuser its password.
pub(crate) fn set_password(password: &secrecy::SecretString) -> String {
    // Generated by us from letters and digits; quoted all the same.
    format!("ALTER USER {USER} PASSWORD '{}'", password.expose_secret().replace('\'', "''"))
}
