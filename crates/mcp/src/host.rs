use std::path::PathBuf;
use std::time::Duration;

use marula_core::{Engine, Result, TargetKind};
use secrecy::SecretString;

/// What may be done on a target, by the user's own configuration. Nothing that comes over the
/// protocol changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    ReadOnly,
    /// A confirmed plan may be applied.
    ReadWrite,
}

/// A target as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The name the user gave it.
    pub alias: String,
    /// The engine behind it; `None` when it cannot be told, and `trouble` says why.
    pub engine: Option<Engine>,
    /// A server of the user's, or a lab.
    pub kind: TargetKind,
    /// What may be done there.
    pub access: Access,
    /// Whether the configuration names log files of it.
    pub logs: bool,
    /// Why it cannot be opened, without secrets.
    pub trouble: Option<String>,
}

/// A target that is about to be opened.
#[derive(Debug, Clone)]
pub struct Found {
    /// The name the user gave it.
    pub alias: String,
    /// A server of the user's, or a lab.
    pub kind: TargetKind,
    /// The engine behind it.
    pub engine: Engine,
    /// What may be done there.
    pub access: Access,
    /// The URL or conninfo string. It goes to the driver and nowhere else.
    pub connection: SecretString,
    /// The log files and folders the configuration names.
    pub logs: Vec<PathBuf>,
}

/// Who started the server: it knows the user's configuration.
pub trait Host: Send + Sync + 'static {
    /// Every target there is, by name.
    fn targets(&self) -> Vec<Listed>;

    /// What stands behind an alias.
    ///
    /// # Errors
    /// `NotFound` when no target has that name; an address is no name, however it is written.
    fn find(&self, alias: &str) -> Result<Found>;

    /// How long one question to a server may take.
    fn timeout(&self) -> Duration;

    /// The time a query may take, when the user set one, in milliseconds.
    fn goal_ms(&self) -> Option<f64>;
}
