//! A connection to one database.

use std::time::Duration;

use bson::{Document, doc};
use marula_core::{Error, ErrorKind, Result, Version};
use mongodb::options::{ClientOptions, SelectionCriteria, Tls};
use mongodb::{Client, Database};
use secrecy::ExposeSecret;

use crate::connect::ConnectSpec;
use crate::error;

/// How long to look for a server, unless the address says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much longer than the server's own time limit an answer is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// How a session is opened.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Whether only commands that the guard passes are sent.
    pub read_only: bool,
    /// The time one command may take on the server.
    pub timeout: Duration,
    /// How the session is called in the server's log and profiler.
    pub application_name: String,
}

impl SessionOptions {
    /// For a target: reads only.
    pub fn read_only(timeout: Duration) -> Self {
        SessionOptions { read_only: true, timeout, application_name: "marula".into() }
    }

    /// For a throw-away server: anything, for up to an hour.
    pub fn lab() -> Self {
        SessionOptions {
            read_only: false,
            timeout: Duration::from_secs(3600),
            application_name: "marula".into(),
        }
    }
}

/// A connection to one database. Cheap to clone: clones share the connections.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    database: Database,
    version: Version,
    spec: ConnectSpec,
    options: SessionOptions,
    criteria: Option<SelectionCriteria>,
}

/// Opens the files that the address names: the driver would say of a missing one that the
/// connection broke, and not which file it is.
fn certificates_are_there(options: &ClientOptions, place: &str) -> Result<()> {
    let Some(Tls::Enabled(tls)) = &options.tls else { return Ok(()) };
    let files = [
        ("tlsCAFile", &tls.ca_file_path, "CERTIFICATE"),
        ("tlsCertificateKeyFile", &tls.cert_key_file_path, "PRIVATE KEY"),
    ];
    for (option, path, holds) in files {
        let Some(path) = path else { continue };
        let failed = |what: String| {
            Error::new(ErrorKind::Io, format!("{option} {}: {what}", path.display()))
                .at(place.to_owned())
        };
        let text = std::fs::read(path).map_err(|error| {
            failed(format!("it cannot be read: {error}")).hint(format!("check {option}'s path"))
        })?;
        if !String::from_utf8_lossy(&text).contains(holds) {
            return Err(failed(format!("there is no {holds} in it")).hint(match option {
                "tlsCAFile" => "give a PEM file of the authority's certificate",
                _ => "give a PEM file that holds both your certificate and its key",
            }));
        }
    }
    Ok(())
}

impl Session {
    /// Connects, and asks the server for its version. MongoDB 4.4 and newer are spoken.
    ///
    /// When the address names no database, the only one the user can see is taken.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, `Unsupported` (a server that is too old), `Usage` (which
    /// database is meant cannot be told).
    pub async fn open(spec: &ConnectSpec, options: &SessionOptions) -> Result<Self> {
        let place = spec.to_string();
        let map = |failure| error::map(failure, &place, |text| spec.clean(text));
        let mut given = ClientOptions::parse(spec.url()).await.map_err(map)?;
        certificates_are_there(&given, &place)?;
        given.app_name.get_or_insert_with(|| options.application_name.clone());
        given.server_selection_timeout.get_or_insert(CONNECT_TIMEOUT);
        given.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        if let (Some(password), Some(credential)) = (spec.password(), &mut given.credential) {
            credential.password = Some(password.expose_secret().to_string());
        }
        let criteria = given.selection_criteria.clone();
        let client = Client::with_options(given).map_err(map)?;
        let admin = client.database("admin");
        let mut info = admin.run_command(doc! { "buildInfo": 1 });
        if let Some(criteria) = &criteria {
            info = info.selection_criteria(criteria.clone());
        }
        let info = info.await.map_err(map)?;
        let version: Version = info.get_str("version").unwrap_or("0").parse()?;
        let name = match spec.database() {
            Some(name) => name.to_string(),
            None => only_database(&client, &place, map).await?,
        };
        Ok(Session {
            database: client.database(&name),
            client,
            version,
            spec: spec.clone(),
            options: options.clone(),
            criteria,
        })
    }

    /// The driver's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The database the session is on.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it is connected to.
    pub fn spec(&self) -> &ConnectSpec {
        &self.spec
    }

    /// How it was opened.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// The same connections with another time limit.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let mut other = self.clone();
        other.options.timeout = timeout;
        other
    }

    /// The database a command is for: its own, or the session's.
    pub fn database_of(&self, command: &crate::Command) -> Database {
        match &command.database {
            Some(name) => self.client.database(name),
            None => self.database.clone(),
        }
    }

    /// Sends a command with the session's time limit and the address's read preference, and
    /// gives its reply. What may be sent is for the caller to have checked.
    pub(crate) async fn send(
        &self,
        database: &Database,
        mut command: Document,
    ) -> Result<Document> {
        if !command.contains_key("maxTimeMS") {
            command.insert("maxTimeMS", self.max_time());
        }
        let mut running = database.run_command(command);
        if let Some(criteria) = &self.criteria {
            running = running.selection_criteria(criteria.clone());
        }
        self.patiently(async { running.await.map_err(|failure| self.map(failure)) }).await
    }

    /// Waits a little longer than the server's own limit. The server looks at its clock between
    /// documents only: one expression that computes for minutes is not interrupted, and what is
    /// given up here ends there when it next looks.
    pub(crate) async fn patiently<T>(&self, waiting: impl Future<Output = Result<T>>) -> Result<T> {
        let patience = self.options.timeout.saturating_add(GRACE);
        tokio::time::timeout(patience, waiting).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                "the server passed the time limit and did not stop the command",
            )
            .at(self.spec.to_string())
            .hint("look at db.currentOp(): the connection is closed, and the server ends the command when it next looks at its clock"))
        })
    }

    /// Whether the server still answers.
    pub async fn answers(&self) -> bool {
        let admin = self.client.database("admin");
        let asked = tokio::time::timeout(GRACE, async {
            admin.run_command(doc! { "ping": 1 }).await.is_ok()
        });
        asked.await.unwrap_or(false)
    }

    /// The time limit in milliseconds, as commands take it.
    pub(crate) fn max_time(&self) -> i64 {
        i64::from(i32::try_from(self.options.timeout.as_millis()).unwrap_or(i32::MAX)).max(1)
    }

    /// The read preference of the address.
    pub(crate) fn criteria(&self) -> Option<SelectionCriteria> {
        self.criteria.clone()
    }

    /// A driver's error in this program's words, with the place and without secrets.
    pub fn map(&self, failure: mongodb::error::Error) -> Error {
        error::map(failure, &self.spec.to_string(), |text| self.spec.clean(text))
    }
}

async fn only_database(
    client: &Client,
    place: &str,
    map: impl Fn(mongodb::error::Error) -> Error,
) -> Result<String> {
    let names = client.list_database_names().await.map_err(map)?;
    let mut own: Vec<String> = names
        .into_iter()
        .filter(|name| !matches!(name.as_str(), "admin" | "local" | "config"))
        .collect();
    if own.len() == 1
        && let Some(name) = own.pop()
    {
        return Ok(name);
    }
    let error = Error::new(ErrorKind::Usage, "the address names no database").at(place);
    Err(match own.is_empty() {
        true => error.hint("add it to the address: mongodb://host/DATABASE"),
        false => error.hint(format!(
            "add one of these to the address (mongodb://host/DATABASE): {}",
            own.join(", ")
        )),
    })
}
