use secrecy::SecretString;

/// Where a server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Only through a socket in a folder that other users cannot enter.
    Socket,
    /// On this port of 127.0.0.1, and through the socket.
    Loopback(u16),
}

/// How a server is to be started.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// Where it can be reached.
    pub listen: Listen,
    /// Settings on top of the lab's own: `("work_mem", "64MB")` for PostgreSQL, `("setParameter",
    /// "notablescan=1")` (the long options of `mongod`) for MongoDB.
    pub settings: Vec<(String, String)>,
    /// MongoDB: a replica set of one member, which transactions and change streams need.
    pub replica_set: bool,
    /// MongoDB: whether TTL indexes delete documents. Off, so that clones keep what they hold.
    pub expire_documents: bool,
    /// PostgreSQL: the superuser's password for connections over TCP. Without one TCP is trusted.
    pub password: Option<SecretString>,
    /// PostgreSQL: the locale of the cluster, `C.UTF-8` by default on Linux.
    pub locale: String,
    /// PostgreSQL: the encoding of the cluster, `UTF8` by default.
    pub encoding: String,
    /// The server's own cache in MB: `shared_buffers`, or WiredTiger's cache (at least 256).
    pub cache_mb: u32,
}

impl Default for StartOptions {
    fn default() -> Self {
        StartOptions {
            listen: Listen::Socket,
            settings: Vec::new(),
            replica_set: false,
            expire_documents: false,
            password: None,
            // The one locale with full Unicode that every Linux has; macOS knows it not.
            locale: if cfg!(target_os = "linux") { "C.UTF-8" } else { "C" }.to_owned(),
            encoding: "UTF8".to_owned(),
            cache_mb: 256,
        }
    }
}

impl StartOptions {
    /// The same with one more server setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// The same as a MongoDB replica set of one member.
    #[must_use]
    pub fn replica_set(mut self) -> Self {
        self.replica_set = true;
        self
    }

    /// The same on a port of 127.0.0.1.
    #[must_use]
    pub fn loopback(mut self, port: u16) -> Self {
        self.listen = Listen::Loopback(port);
        self
    }
}
