use std::sync::Arc;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result, nearest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::labs::Labs;
use crate::plans::Plans;
use crate::pool::{Lease, Pool};
use crate::tools::{self, Entry};
use crate::{Found, Host};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most sessions that are open on targets.
    pub sessions: usize,
    /// The most calls that use the lab at a time; more would measure each other.
    pub labs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { sessions: 16, labs: 2 }
    }
}

/// What all clients of one server share: sessions, plans, reports. It lives as long as the program.
pub struct State {
    host: Box<dyn Host>,
    pool: Arc<Pool>,
    labs: Arc<Semaphore>,
    tools: Vec<Entry>,
    pub(crate) plans: Plans,
    pub(crate) reports: Labs,
}

impl State {
    /// With the tools of these names, or all.
    ///
    /// # Errors
    /// `Usage` for a name no tool has.
    pub fn new(host: impl Host, only: Option<&[String]>, limits: Limits) -> Result<Arc<Self>> {
        let mut tools = tools::all();
        if let Some(only) = only {
            let known = tools::names();
            for name in only {
                if !known.contains(&name.as_str()) {
                    let error = Error::new(ErrorKind::Usage, format!("no tool is called '{name}'"));
                    return Err(match nearest(name, known.iter().copied()).first() {
                        Some(near) => error.hint(format!("did you mean '{near}'?")),
                        None => error.hint(format!("the tools are {}", known.join(", "))),
                    });
                }
            }
            tools.retain(|tool| only.iter().any(|name| name == tool.name));
        }
        let pool = Arc::new(Pool::new(limits.sessions.max(1), host.timeout()));
        Ok(Arc::new(State {
            host: Box::new(host),
            pool,
            labs: Arc::new(Semaphore::new(limits.labs.max(1))),
            tools,
            plans: Plans::default(),
            reports: Labs::default(),
        }))
    }

    /// The tools there are.
    pub(crate) fn tools(&self) -> &[Entry] {
        &self.tools
    }

    /// Whether there is a tool of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tools.iter().any(|tool| tool.name == name)
    }

    /// The user's configuration.
    pub(crate) fn host(&self) -> &dyn Host {
        self.host.as_ref()
    }

    /// What an alias stands for. An address is refused before anybody looks at it.
    pub(crate) fn find(&self, alias: &str) -> Result<Found> {
        let address = alias.contains("://")
            || alias.contains('=')
            || ["env:", "file:"].iter().any(|begin| alias.starts_with(begin));
        if address || alias.len() > 200 {
            return Err(Error::new(
                ErrorKind::Refused,
                "a target is named by its alias, never by an address",
            )
            .hint("call list_targets and use a name it gives"));
        }
        self.host.find(alias).map_err(|error| match error.kind() {
            // Hints for the command line do not help here.
            ErrorKind::NotFound => {
                let targets = self.host.targets();
                let near = nearest(alias, targets.iter().map(|target| target.alias.as_str()));
                let hint = match near.first() {
                    Some(near) => format!("did you mean '{near}'? list_targets gives all names"),
                    None => "call list_targets and use a name it gives".into(),
                };
                Error::new(ErrorKind::NotFound, "no target has this alias").hint(hint)
            }
            _ => error,
        })
    }

    /// Lends a session on a target that only reads.
    pub(crate) async fn lend(&self, alias: &str) -> Result<Lease> {
        let found = self.find(alias)?;
        self.pool.lend(found).await
    }

    /// A place in the lab, once one is free.
    pub(crate) async fn lab(
        &self,
        progress: &dyn marula_core::Progress,
    ) -> Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.labs).try_acquire_owned() {
            return Ok(place);
        }
        progress.step("waiting until another call has left the lab");
        Arc::clone(&self.labs).acquire_owned().await.map_err(|_| {
            Error::new(ErrorKind::Interrupted, "the server is ending").hint("start it again")
        })
    }

    /// How long one question to a server may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.host.timeout()
    }
}
