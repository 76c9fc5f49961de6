use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};
use secrecy::SecretString;

use super::keywords::{KEYWORDS, Parameters};
use super::{Environment, SslMode, conninfo, passfile, service, url};

/// One server to try.
#[derive(Clone)]
pub(crate) struct HostSpec {
    /// A name, an address, or a folder with a socket.
    pub host: String,
    /// An address to use instead of looking the name up.
    pub address: Option<std::net::IpAddr>,
    pub port: u16,
    pub password: Option<SecretString>,
}

impl HostSpec {
    pub(crate) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// Which sort of server is wanted, as libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    Primary,
    Standby,
    PreferStandby,
}

/// Where and how to connect. Neither `Debug` nor `Display` shows the password.
#[derive(Clone)]
pub struct ConnectSpec {
    pub(crate) hosts: Vec<HostSpec>,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) ssl_mode: SslMode,
    pub(crate) direct_tls: bool,
    pub(crate) root_certificate: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) options: Option<String>,
    pub(crate) wanted: Wanted,
    /// What was passed over on the way (a password file others may read).
    pub(crate) notes: Vec<String>,
}

impl ConnectSpec {
    /// Reads a URL (`postgres://…`), a conninfo string (`host=… dbname=…`, `service=…`) or a
    /// bare database name; what it leaves out comes from the service file, the PG* variables,
    /// `.pgpass` and libpq's defaults, in this order.
    ///
    /// # Errors
    /// `Usage` when it cannot be read; `NotFound` when there is no such service. Never holds the
    /// text itself, which may hold a password.
    pub fn parse(text: &str, environment: &Environment) -> Result<Self> {
        let text = text.trim();
        let mut parameters =
            match text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
                Some(rest) => url::parse(rest)?,
                None if text.contains("://") => {
                    return Err(Error::new(ErrorKind::Usage, "the URL is not one of PostgreSQL")
                        .hint("write it like: postgresql://user@host:5432/database"));
                }
                None if text.contains('=') => conninfo::parse(text)?,
                None if text.is_empty() => Parameters::new(),
                None => Parameters::from([("dbname".to_string(), text.to_string())]),
            };
        let service = parameters
            .get("service")
            .cloned()
            .or_else(|| environment.variable("PGSERVICE").map(str::to_string));
        if let Some(service) = service {
            for (key, value) in service::find(&service, environment)? {
                parameters.entry(key).or_insert(value);
            }
        }
        for (keyword, variable) in KEYWORDS {
            if let Some(value) = environment.variable(variable) {
                parameters.entry((*keyword).to_string()).or_insert_with(|| value.to_string());
            }
        }
        Self::from_parameters(&parameters, environment)
    }

    /// A server's socket in `dir`, without a password.
    pub fn socket(dir: &Path, port: u16, user: &str, database: &str) -> Self {
        ConnectSpec {
            hosts: vec![HostSpec {
                host: dir.display().to_string(),
                address: None,
                port,
                password: None,
            }],
            user: user.into(),
            database: database.into(),
            ssl_mode: SslMode::Disable,
            direct_tls: false,
            root_certificate: None,
            client_certificate: None,
            client_key: None,
            connect_timeout: None,
            options: None,
            wanted: Wanted::Any,
            notes: Vec::new(),
        }
    }

    /// The same server, another database.
    pub fn with_database(&self, database: &str) -> Self {
        ConnectSpec { database: database.into(), ..self.clone() }
    }

    /// The same server, another user.
    pub fn with_user(&self, user: &str) -> Self {
        ConnectSpec { user: user.into(), ..self.clone() }
    }

    /// The same with this password for every host.
    pub fn with_password(&self, password: SecretString) -> Self {
        let mut spec = self.clone();
        for host in &mut spec.hosts {
            host.password = Some(password.clone());
        }
        spec
    }

    /// The user to connect as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database to connect to.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The hosts or socket folders with their ports, in the order they are tried.
    pub fn hosts(&self) -> Vec<(&str, u16)> {
        self.hosts.iter().map(|host| (host.host.as_str(), host.port)).collect()
    }

    /// How much TLS is asked for.
    pub fn ssl_mode(&self) -> SslMode {
        self.ssl_mode
    }

    fn from_parameters(parameters: &Parameters, environment: &Environment) -> Result<Self> {
        let get = |key: &str| parameters.get(key).map(String::as_str).filter(|v| !v.is_empty());
        let usage = |message: String, hint: &str| Error::new(ErrorKind::Usage, message).hint(hint);
        let user = get("user").or(environment.user.as_deref()).unwrap_or("postgres").to_string();
        let database = get("dbname").unwrap_or(&user).to_string();
        let mut hosts = super::hosts::hosts(parameters)?;
        let mut notes = Vec::new();
        if let Some(password) = get("password") {
            for host in &mut hosts {
                host.password = Some(SecretString::from(password));
            }
        } else if let Some(file) =
            get("passfile").map(PathBuf::from).or_else(|| environment.at_home(".pgpass"))
        {
            for host in &mut hosts {
                let mut names = vec![host.host.as_str()];
                if super::hosts::DEFAULT_SOCKETS.contains(&host.host.as_str()) {
                    names.push("localhost");
                }
                let looked = passfile::look(&file, &names, host.port, &database, &user);
                host.password = looked.password;
                notes.extend(looked.ignored);
            }
            notes.dedup();
        }
        let root = get("sslrootcert");
        let system_roots = root == Some("system");
        let mut ssl_mode = match get("sslmode") {
            Some(mode) => mode.parse()?,
            None if system_roots => SslMode::VerifyFull,
            None => SslMode::Prefer,
        };
        if system_roots && ssl_mode != SslMode::VerifyFull {
            ssl_mode = SslMode::VerifyFull;
        }
        let usual = |name: &str| environment.at_home(&format!(".postgresql/{name}"));
        let existing = |path: Option<PathBuf>| path.filter(|path| path.exists());
        let connect_timeout = get("connect_timeout")
            .map(|text| {
                text.trim().parse::<i64>().map_err(|_| {
                    usage(format!("connect_timeout '{text}' is no number"), "write seconds")
                })
            })
            .transpose()?
            .filter(|seconds| *seconds > 0)
            // libpq rounds one second up to two.
            .and_then(|seconds| u64::try_from(seconds.max(2)).ok())
            .map(Duration::from_secs);
        let wanted = match get("target_session_attrs").unwrap_or("any") {
            "any" => Wanted::Any,
            // Our session is read-only by itself, so what counts is the server's role.
            "read-write" | "primary" => Wanted::Primary,
            "read-only" | "standby" => Wanted::Standby,
            "prefer-standby" => Wanted::PreferStandby,
            other => {
                return Err(usage(
                    format!("target_session_attrs '{other}' is not known"),
                    "write any, read-write, read-only, primary, standby or prefer-standby",
                ));
            }
        };
        Ok(ConnectSpec {
            hosts,
            user,
            database,
            ssl_mode,
            direct_tls: get("sslnegotiation") == Some("direct"),
            root_certificate: if system_roots {
                None
            } else {
                root.map(PathBuf::from).or_else(|| existing(usual("root.crt")))
            },
            client_certificate: get("sslcert")
                .map(PathBuf::from)
                .or_else(|| existing(usual("postgresql.crt"))),
            client_key: get("sslkey")
                .map(PathBuf::from)
                .or_else(|| existing(usual("postgresql.key"))),
            connect_timeout,
            options: get("options").map(str::to_string),
            wanted,
            notes,
        })
    }
}

impl fmt::Display for ConnectSpec {
    /// As a URL without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@", escape(&self.user))?;
        for (number, host) in self.hosts.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            if host.host.contains(':') {
                write!(f, "{comma}[{}]:{}", host.host, host.port)?;
            } else {
                write!(f, "{comma}{}:{}", escape(&host.host), host.port)?;
            }
        }
        write!(f, "/{}", escape(&self.database))
    }
}

impl fmt::Debug for ConnectSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectSpec({self}, sslmode={})", self.ssl_mode)
    }
}

fn escape(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}
