//! Named labs: servers that outlive the command that starts them.
//!
//! `up` starts this program once more as a *supervisor*, which starts the servers and holds them
//! until `down`, until its time is over, until the process it was tied to ends, until somebody
//! removes its folder, or until it dies: the servers die with it. A lab's state is in
//! `labs/NAME/state.json`; the supervisor's lock beside it tells whether it lives.
//!
//! While `up` still works on the lab, a pipe connects the two: if `up` goes away before it says
//! that the lab is to be kept, the supervisor ends and takes everything with it.

mod down;
mod exchange;
mod load;
mod owner;
mod state;
mod supervise;
mod up;

pub use down::down;
pub use owner::Owner;
pub use state::{Lab, LabServerState, find, list};
pub use supervise::supervise;
pub use up::{Supervisor, Up, up};

use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result, Version};
use serde::{Deserialize, Serialize};

use crate::shop::Scale;

/// What a lab is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its name: letters a-z, digits, `_` and `-`, at most 40.
    pub name: String,
    /// Its servers, at most one per engine.
    pub servers: Vec<Wanted>,
    /// What to fill them with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Filling>,
    /// After how long the lab ends by itself.
    pub ttl: Duration,
    /// The process the lab ends with, however that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// A server of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Its engine.
    pub engine: Engine,
    /// Its version; of MongoDB major and minor count, of PostgreSQL the major. The best that is
    /// there when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// Generated data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filling {
    /// The name of the data set, and of the database it is loaded into: `shop`.
    pub name: String,
    /// How much of it; 1 is about a million order items.
    pub scale: f64,
    /// The same seed gives the same data.
    pub seed: u64,
}

impl Request {
    /// How long a lab lives when nothing else is said.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(12 * 60 * 60);

    /// A lab with the best server of each of `engines`, empty.
    pub fn new(name: &str, engines: &[Engine]) -> Self {
        let wanted = |engine: &Engine| Wanted { engine: *engine, version: None };
        Request {
            name: name.to_owned(),
            servers: engines.iter().map(wanted).collect(),
            data: None,
            ttl: Self::DEFAULT_TTL,
            owner: None,
        }
    }

    /// Fails when the request makes no sense, before anything is started.
    pub fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        let usage = |message: &str, hint: &str| {
            Err(Error::new(ErrorKind::Usage, message).at(format!("lab {}", self.name)).hint(hint))
        };
        if self.servers.is_empty() {
            return usage("a lab needs at least one server", "name an engine: postgres or mongodb");
        }
        for (index, server) in self.servers.iter().enumerate() {
            if self.servers[..index].iter().any(|other| other.engine == server.engine) {
                return usage("a lab has at most one server per engine", "name each engine once");
            }
        }
        match &self.data {
            Some(data) if data.name != "shop" => {
                usage(&format!("there is no data set '{}'", data.name), "write 'shop'")
            }
            Some(data) => Scale::new(data.scale).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The request in a few words: `PostgreSQL, MongoDB 6.0; shop at scale 0.1, seed 1`.
    pub fn describe(&self) -> String {
        let servers: Vec<String> = self
            .servers
            .iter()
            .map(|server| match server.version {
                Some(version) => {
                    let series = crate::discover::series(server.engine, version);
                    format!("{} {series}", server.engine.title())
                }
                None => server.engine.title().to_owned(),
            })
            .collect();
        let data = self.data.as_ref().map_or("empty".to_owned(), |data| {
            format!("{} at scale {}, seed {}", data.name, data.scale, data.seed)
        });
        format!("{}; {data}", servers.join(", "))
    }
}

/// Fails unless `name` can be a lab's: it becomes a folder and part of a target.
pub fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if (1..=40).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('-') {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!("'{}' cannot be the name of a lab", name.escape_debug()),
    )
    .hint("use up to 40 of a-z, 0-9, _ and -"))
}
