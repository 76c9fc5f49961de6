//! The bench on a MongoDB lab server. Indexes are switched by hiding them.

mod hash;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bson::{Bson, doc};
use marula_core::{
    Build, Change, Dataset, Engine, Error, ErrorKind, LabServer, Plan, Quiet, Result, Statement,
};
use marula_mongodb::explain::{self, Mode};
use marula_mongodb::{Command, ConnectSpec, Operation, Session, run, shell};

use super::{Bench, Run};
use crate::clone::Size;
use crate::clone::mongodb::{Request, copy};
use crate::compare::Digest;

/// What a clone hands over.
pub(crate) struct Copied {
    pub lab: ConnectSpec,
    pub session: Session,
    pub dataset: Dataset,
    pub request: Request,
    pub notes: Vec<String>,
}

/// A copy of what a command touches, on a MongoDB lab server.
pub struct MongoBench {
    copied: Copied,
    changes: BTreeMap<String, Applied>,
}

/// A change that was made, and its state.
#[derive(Debug, Clone)]
struct Applied {
    /// Collections and names of the indexes it makes; empty when it does something else.
    indexes: Vec<(String, String)>,
    on: bool,
}

impl MongoBench {
    pub(crate) fn new(copied: Copied) -> Self {
        MongoBench { copied, changes: BTreeMap::new() }
    }

    /// The session on the copy.
    pub fn session(&self) -> &Session {
        &self.copied.session
    }

    /// Drops the database of this bench.
    ///
    /// # Errors
    /// When the lab server is gone.
    pub async fn close(self) -> Result<()> {
        let session = &self.copied.session;
        session.database().drop().await.map_err(|error| session.map(error))
    }

    /// The command a text stands for, on the copy whatever database it names.
    fn parse(text: &str) -> Result<Command> {
        let mut command = shell::parse(text)?;
        command.database = None;
        Ok(command)
    }

    async fn execute(&self, texts: &[String]) -> Result<()> {
        for text in texts {
            run::apply(&self.copied.session, &Self::parse(text)?).await?;
        }
        Ok(())
    }

    /// Shows or hides indexes; where the server cannot hide, drops and builds them again.
    async fn switch(&self, change: &Change, applied: &Applied, on: bool) -> Result<()> {
        if applied.indexes.is_empty() {
            return self.execute(if on { &change.up } else { &change.down }).await;
        }
        let session = &self.copied.session;
        for (collection, name) in &applied.indexes {
            let hide = doc! { "collMod": collection, "index": { "name": name, "hidden": !on } };
            if let Err(error) = session.database().run_command(hide).await {
                let error = session.map(error);
                if matches!(error.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable) {
                    return Err(error);
                }
                return self.execute(if on { &change.up } else { &change.down }).await;
            }
        }
        Ok(())
    }

    async fn size_of(&self, indexes: &[(String, String)]) -> u64 {
        let session = &self.copied.session;
        let mut bytes = 0;
        for (collection, name) in indexes {
            let stats = session.database().run_command(doc! { "collStats": collection }).await;
            let size = stats.ok().and_then(|stats| {
                let sizes = stats.get_document("indexSizes").ok()?;
                match sizes.get(name)? {
                    Bson::Int32(n) => u64::try_from(*n).ok(),
                    Bson::Int64(n) => u64::try_from(*n).ok(),
                    Bson::Double(n) => Some(*n as u64),
                    _ => None,
                }
            });
            bytes += size.unwrap_or(0);
        }
        bytes
    }
}

/// Collections and names of the indexes that all of `commands` make; empty when one of them
/// does something else.
fn created(commands: &[Command]) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for command in commands {
        let Operation::CreateIndexes(create) = &command.operation else { return Vec::new() };
        for index in &create.indexes {
            if let Ok(name) = index.get_str("name") {
                names.push((command.collection.clone(), name.to_owned()));
            }
        }
    }
    names
}

impl Bench for MongoBench {
    fn server(&self) -> LabServer {
        LabServer { engine: Engine::Mongodb, version: self.copied.session.version() }
    }

    fn dataset(&self) -> Dataset {
        self.copied.dataset.clone()
    }

    fn notes(&self) -> &[String] {
        &self.copied.notes
    }

    async fn run(&mut self, statement: &Statement, limit: Duration) -> Result<Run> {
        let command = Self::parse(&statement.text)?;
        let session = self.copied.session.with_timeout(limit.max(Duration::from_millis(1)));
        let limit_ms = limit.as_secs_f64() * 1000.0;
        let cut = Run { ms: limit_ms, clock_ms: limit_ms, digest: None, timed_out: true };
        if command.writes() {
            // The server only looks for what it would change.
            let started = Instant::now();
            match explain::explain(&session, &command, Mode::Execute).await {
                Err(error) if error.kind() == ErrorKind::Timeout => return Ok(cut),
                other => other?,
            };
            // The clock, as for reads: the server's own time has whole milliseconds only, and
            // what ends within the first would count as none.
            let ms = started.elapsed().as_secs_f64() * 1000.0;
            return Ok(Run { ms, clock_ms: ms, digest: None, timed_out: false });
        }
        let mut digest = Digest::new(0);
        let started = Instant::now();
        let ran = run::run(&session, &command, |document| {
            digest.push(hash::document(document));
            Ok(())
        });
        // A cursor's every batch has the limit anew: the whole is watched here.
        match tokio::time::timeout(limit, ran).await {
            Ok(Ok(_)) => {
                let ms = started.elapsed().as_secs_f64() * 1000.0;
                Ok(Run { ms, clock_ms: ms, digest: Some(digest), timed_out: false })
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Timeout => Ok(cut),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(cut),
        }
    }

    async fn plan(&mut self, statement: &Statement, limit: Duration) -> Result<Plan> {
        let command = Self::parse(&statement.text)?;
        if limit > Duration::ZERO {
            let session = self.copied.session.with_timeout(limit);
            match explain::explain(&session, &command, Mode::Execute).await {
                Err(error) if error.kind() == ErrorKind::Timeout => {}
                other => return other,
            }
        }
        let session = self.copied.session.with_timeout(Duration::from_secs(60));
        explain::explain(&session, &command, Mode::Estimate).await
    }

    async fn apply(&mut self, change: &Change) -> Result<Option<Build>> {
        let commands =
            change.up.iter().map(|text| Self::parse(text)).collect::<Result<Vec<_>>>()?;
        let indexes = created(&commands);
        let started = Instant::now();
        self.execute(&change.up).await?;
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        let bytes = self.size_of(&indexes).await;
        let build = (!indexes.is_empty()).then_some(Build { ms, bytes });
        self.changes.insert(change.id.0.clone(), Applied { indexes, on: true });
        Ok(build)
    }

    async fn set_active(&mut self, change: &Change, active: bool) -> Result<()> {
        let Some(applied) = self.changes.get(&change.id.0).cloned() else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("change {} was not applied", change.id.0),
            ));
        };
        if applied.on != active {
            self.switch(change, &applied, active).await?;
            if let Some(applied) = self.changes.get_mut(&change.id.0) {
                applied.on = active;
            }
        }
        Ok(())
    }

    async fn revert(&mut self, change: &Change) -> Result<()> {
        let Some(applied) = self.changes.remove(&change.id.0) else { return Ok(()) };
        let session = &self.copied.session;
        for (collection, name) in &applied.indexes {
            let drop = doc! { "dropIndexes": collection, "index": name };
            session.database().run_command(drop).await.map_err(|error| session.map(error))?;
        }
        if applied.indexes.is_empty() && applied.on {
            self.execute(&change.down).await?;
        }
        Ok(())
    }

    fn uses(&self, plan: &Plan, change: &Change) -> Option<bool> {
        let applied = self.changes.get(&change.id.0)?;
        if applied.indexes.is_empty() {
            return None;
        }
        // Servers up to 4.4 do not show which index a $lookup used.
        let hidden = plan.tree.walk().iter().any(|(_, node)| {
            node.op.contains("lookup")
                && node.index.is_none()
                && self.copied.session.version().major < 5
        });
        // By collection as well: several may have an index of the same name.
        let used = plan.tree.walk().iter().any(|(_, node)| {
            let inside = node.native.get("indexesUsed").and_then(|used| used.as_array());
            let inside = inside.into_iter().flatten().filter_map(|used| used.as_str());
            let names: Vec<&str> = node.index.as_deref().into_iter().chain(inside).collect();
            applied.indexes.iter().any(|(collection, name)| {
                node.relation.as_deref().is_none_or(|relation| {
                    // A time-series collection's indexes are those of its buckets.
                    relation.strip_prefix("system.buckets.").unwrap_or(relation) == collection
                }) && names.iter().any(|used| used == name || used.ends_with(&format!(".{name}")))
            })
        });
        if !used && hidden { None } else { Some(used) }
    }

    async fn shrink(&mut self, share: f64) -> Result<Self> {
        let request = self.copied.request.clone();
        let lab = self.copied.lab.clone();
        // Indexes of changes come along hidden or not; the part is to have none of them.
        let part = copy(&self.copied.session, &lab, &request, Size::Share(share), &Quiet).await?;
        for applied in self.changes.values() {
            for (collection, name) in &applied.indexes {
                let drop = doc! { "dropIndexes": collection, "index": name };
                let _ = part.copied.session.database().run_command(drop).await;
            }
        }
        Ok(part)
    }
}
