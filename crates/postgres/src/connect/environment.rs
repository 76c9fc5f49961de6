use std::collections::HashMap;
use std::path::PathBuf;

/// What a connection string takes from its surroundings: variables, home and user.
#[derive(Clone, Default)]
pub struct Environment {
    /// The variables; only those that begin with PG are read.
    pub variables: HashMap<String, String>,
    /// The home folder, for `.pgpass`, `.pg_service.conf` and `.postgresql/`.
    pub home: Option<PathBuf>,
    /// The operating system's name for the user, libpq's default for `user`.
    pub user: Option<String>,
}

impl Environment {
    /// The surroundings of this process.
    pub fn from_process() -> Self {
        let variables: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(key, _)| key.starts_with("PG"))
            .collect();
        let account = account();
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Environment {
            variables,
            home: var("HOME")
                .map(PathBuf::from)
                .or_else(|| account.as_ref().map(|(_, home)| PathBuf::from(home))),
            user: account.map(|(name, _)| name).or_else(|| var("USER")).or_else(|| var("LOGNAME")),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A file below the home folder.
    pub(super) fn at_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }
}

// Variables may hold a password.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("home", &self.home).field("user", &self.user).finish()
    }
}

/// Name and home of the account this process runs as, from `/etc/passwd`.
#[cfg(unix)]
fn account() -> Option<(String, String)> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&uid.as_str()))
            .then(|| Some((fields.first()?.to_string(), fields.get(5)?.to_string())))
            .flatten()
    })
}

#[cfg(not(unix))]
fn account() -> Option<(String, String)> {
    None
}
