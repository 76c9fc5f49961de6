use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use marula_core::{Engine, Error, ErrorKind, Result};
use marula_mongodb::ConnectSpec;
use rustix::process::Signal;

use super::running::{Running, log_in};
use super::{
    Listen, StartOptions, account, folder::ServerFolder, percent_encode, process, replica,
};
use crate::discover::Install;

/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running MongoDB server of this program's own. Dropping it ends it at once and removes all it
/// held.
pub struct MongoServer {
    running: Running,
    spec: ConnectSpec,
    listen: Listen,
    replica_set: bool,
    arguments: Vec<String>,
    options: StartOptions,
}

impl MongoServer {
    /// Starts an empty server; it answers (and is primary, if a replica set) when this returns.
    pub async fn start(install: &Install, options: &StartOptions) -> Result<Self> {
        let (install, chosen) = (install.clone(), options.clone());
        let server = super::in_background(move || Self::start_blocking(install, &chosen)).await?;
        if options.replica_set {
            let through_socket = url(Listen::Socket, server.sockets(), "");
            replica::initiate(&through_socket, &server.member()).await?;
        }
        Ok(server)
    }

    fn start_blocking(install: Install, options: &StartOptions) -> Result<Self> {
        if install.engine != Engine::Mongodb {
            return Err(Error::new(ErrorKind::Internal, format!("{install} is not MongoDB")));
        }
        let account = account::lab_account()?;
        let account = account.as_ref();
        let folder = ServerFolder::create(account)?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        if let Some(account) = account {
            account.own(&data)?;
        }
        let (path, log) = (folder.path().to_owned(), log_in(&folder));
        let output = path.join("output");
        let mut launch = process::Launch::of(&install, "mongod", &path, &output);
        launch.account = account;
        let arguments = arguments(options, folder.sockets(), &data, &log);
        launch.arguments.clone_from(&arguments);
        let spec = ConnectSpec::parse(&url(options.listen, folder.sockets(), ""))?;
        // There is nothing to save.
        let mut running = Running::start(&install, folder, &launch, Signal::KILL)?;
        wait_until_ready(running.process(), &install, &log, &output)?;
        let (listen, replica_set) = (options.listen, options.replica_set);
        let options = options.clone();
        Ok(MongoServer { running, spec, listen, replica_set, arguments, options })
    }

    /// Starts a second member of this server's replica set, which copies all that is here and then
    /// follows. It has no vote: this server stays primary, and a majority is this server alone.
    ///
    /// # Errors
    /// `Lab` when it does not start, or has not copied everything within `limit`.
    pub async fn secondary(&self, limit: Duration) -> Result<MongoServer> {
        let mut options = self.options.clone();
        if let Listen::Loopback(_) = options.listen {
            options.listen = Listen::Loopback(super::free_port()?);
        }
        let (install, chosen) = (self.install().clone(), options);
        let second = super::in_background(move || Self::start_blocking(install, &chosen)).await?;
        let own = url(Listen::Socket, self.sockets(), "");
        let its = url(Listen::Socket, second.sockets(), "");
        replica::add(&own, &its, &second.member(), limit).await?;
        Ok(second)
    }

    /// Kills it, as a crash would, and starts it again on the data it left; it takes connections
    /// when this returns, but may not be primary yet.
    ///
    /// # Errors
    /// `Lab` or `ServerDied` when it does not come back.
    pub fn crash(&mut self) -> Result<()> {
        let (path, log) = (self.folder().to_owned(), self.log());
        let (install, output) = (self.install().clone(), path.join("output"));
        let account = account::lab_account()?;
        let mut launch = process::Launch::of(&install, "mongod", &path, &output);
        launch.account = account.as_ref();
        launch.arguments.clone_from(&self.arguments);
        self.running.process().crash();
        // What the old one said, and where it listened, is not taken for the new one's.
        let _ = std::fs::remove_file(&log);
        let _ = std::fs::remove_file(self.socket());
        self.running.restart(&launch)?;
        wait_until_ready(self.running.process(), &install, &log, &output)
    }

    /// How to connect: without a database chosen, through the socket or, on a port, over TCP.
    pub fn spec(&self) -> ConnectSpec {
        self.spec.clone()
    }

    /// A URL that mongosh opens.
    pub fn url(&self) -> String {
        self.url_of("")
    }

    /// A URL that mongosh opens, with a database.
    pub fn url_of(&self, database: &str) -> String {
        url(self.listen, self.sockets(), database)
    }

    /// What the server calls itself in its replica set.
    fn member(&self) -> String {
        match self.listen {
            Listen::Loopback(port) => format!("127.0.0.1:{port}"),
            Listen::Socket => self.socket().display().to_string(),
        }
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        socket(self.sockets())
    }

    /// Whether it is a replica set, so that transactions work.
    pub fn is_replica_set(&self) -> bool {
        self.replica_set
    }

    /// How to connect to a database of this server that nobody else uses. MongoDB makes it when
    /// something is written.
    pub async fn create_database(&self) -> Result<ConnectSpec> {
        Ok(self.spec.with_database(&self.new_database()))
    }

    /// Ends it and removes its folder; what dropping does, but without blocking the caller's
    /// thread.
    pub async fn stop(self) {
        super::stop(self).await;
    }
}

impl Deref for MongoServer {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for MongoServer {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}

fn url(listen: Listen, sockets: &Path, database: &str) -> String {
    let host = match listen {
        Listen::Loopback(port) => format!("127.0.0.1:{port}"),
        Listen::Socket => percent_encode(&socket(sockets).display().to_string()),
    };
    format!("mongodb://{host}/{database}?directConnection=true")
}

fn socket(sockets: &Path) -> PathBuf {
    sockets.join("m.sock")
}

fn arguments(options: &StartOptions, sockets: &Path, data: &Path, log: &Path) -> Vec<String> {
    let socket = socket(sockets).display().to_string();
    let (bind, port) = match options.listen {
        Listen::Socket => (socket, 27017),
        Listen::Loopback(port) => (format!("127.0.0.1,{socket}"), port),
    };
    let cache = f64::from(options.cache_mb.max(256)) / 1024.0;
    let mut arguments: Vec<String> = ["--nounixsocket", "--quiet"].map(str::to_owned).into();
    let mut set = |name: &str, value: String| {
        arguments.push(format!("--{name}"));
        arguments.push(value);
    };
    // Data may be wanted on another disk; then the folder stays empty.
    if !options.settings.iter().any(|(name, _)| name == "dbpath") {
        set("dbpath", data.display().to_string());
    }
    set("logpath", log.display().to_string());
    set("bind_ip", bind);
    set("port", port.to_string());
    set("wiredTigerCacheSizeGB", format!("{cache:.3}"));
    // 300 MB of log files in advance are of no use to a server that will not be recovered.
    set("wiredTigerEngineConfigString", "log=(prealloc=false,file_max=32MB)".to_owned());
    set("setParameter", "diagnosticDataCollectionEnabled=false".to_owned());
    if !options.expire_documents {
        set("setParameter", "ttlMonitorEnabled=false".to_owned());
    }
    if options.replica_set {
        set("replSet", replica::NAME.to_owned());
        if !options.settings.iter().any(|(name, _)| name == "oplogSize") {
            set("oplogSize", "256".to_owned());
        }
    }
    for (name, value) in &options.settings {
        set(name, value.clone());
    }
    arguments
}

/// mongod logs that it waits for connections when it takes them, in JSON and, before 4.4, in text.
fn wait_until_ready(
    process: &mut process::Process,
    install: &Install,
    log: &Path,
    output: &Path,
) -> Result<()> {
    let until = Instant::now() + START_LIMIT;
    loop {
        let said = std::fs::read(log).unwrap_or_default();
        if String::from_utf8_lossy(&said).to_ascii_lowercase().contains("waiting for connections") {
            return Ok(());
        }
        if let Some(status) = process.exited() {
            let log = if said.is_empty() { output } else { log };
            return Err(super::died(install, status, log));
        }
        if Instant::now() > until {
            return Err(super::not_ready(install, START_LIMIT, log));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
