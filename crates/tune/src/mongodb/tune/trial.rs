//! The lab's side of the search: indexes are built once and then shown or hidden, and statements
//! are measured by what they examine, which does not wobble as clocks do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use marula_core::{
    Build, Change, ChangeId, Effort, Engine, ErrorKind, Plan, Progress, Proof, Result, Version,
};
use marula_lab::bench::Bench;
use marula_lab::bench::mongodb::MongoBench;

use super::idea::Ideas;
use super::query::Query;
use crate::TuneOptions;

/// What sorting a document costs, where reading one costs 1.
const SORTED: f64 = 0.1;
/// Indexes kept built at the same time; a server takes 64 of a collection.
const KEPT: usize = 40;

/// What a statement costs as things are shown now.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    /// What is compared: keys and documents examined, or the time where the server's counters
    /// leave out a part. Infinite when it did not finish.
    pub value: f64,
    /// Keys and documents examined.
    pub examined: u64,
    /// The plan it ran by.
    pub plan: Plan,
}

/// An index that is built on the bench.
pub(super) struct Made {
    /// It as the bench knows it.
    pub change: Change,
    /// What building it took.
    pub build: Build,
    on: bool,
}

/// The bench with what is built on it.
pub(super) struct Trial<'a> {
    pub bench: MongoBench,
    pub options: &'a TuneOptions,
    pub progress: &'a dyn Progress,
    pub version: Version,
    pub effort: Effort,
    /// When the search ends, besides the runs of statements.
    pub started: Instant,
    made: BTreeMap<usize, Made>,
    /// Indexes that could not be built, and why.
    pub failed: BTreeMap<usize, String>,
}

impl<'a> Trial<'a> {
    pub fn new(
        bench: MongoBench,
        options: &'a TuneOptions,
        progress: &'a dyn Progress,
        version: Version,
    ) -> Self {
        Trial {
            bench,
            options,
            progress,
            version,
            effort: Effort::default(),
            started: Instant::now(),
            made: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Whether the search is to end: it was asked to, or its time is over.
    pub fn is_over(&self) -> bool {
        let searched = self.started.elapsed().as_secs_f64() - self.effort.run_ms / 1000.0;
        self.options.stop.is_stopped() || searched > self.options.search.as_secs_f64()
    }

    /// What a wording of a statement costs; nothing when it fails. `limit` ends the run.
    pub async fn cost(
        &mut self,
        query: &Query,
        wording: usize,
        limit: Duration,
    ) -> Result<Option<Cost>> {
        let Some(wording) = query.wordings.get(wording) else { return Ok(None) };
        let started = Instant::now();
        let plan = self.bench.plan(&wording.statement, limit).await;
        self.effort.runs += 1;
        self.effort.run_ms += started.elapsed().as_secs_f64() * 1000.0;
        match plan {
            Ok(plan) => Ok(Some(self.worth(query, plan))),
            Err(error) if fatal(error.kind()) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn worth(&self, query: &Query, plan: Plan) -> Cost {
        let summary = &plan.summary;
        let examined = summary.reads.unwrap_or(0).saturating_add(summary.keys.unwrap_or(0));
        let sorts = |op: &str| matches!(op, "SORT" | "sort" | "$sort" | "SORT_KEY_GENERATOR");
        let sorted: f64 = plan
            .tree
            .walk()
            .iter()
            .filter(|(_, node)| sorts(&node.op))
            .flat_map(|(_, node)| node.children.iter().filter_map(|child| child.actual_rows))
            .sum();
        let value = match plan.executed {
            false => f64::INFINITY,
            true if query.counters_lie(self.version) => plan.execution_ms.unwrap_or(0.0) + 1.0,
            true => examined as f64 + SORTED * sorted + 1.0,
        };
        Cost { value, examined, plan }
    }

    /// Builds an index, hidden; whether it could be built.
    pub async fn build(&mut self, ideas: &Ideas, at: usize) -> Result<bool> {
        if self.made.contains_key(&at) {
            return Ok(true);
        }
        let Some(candidate) = ideas.indexes.get(at) else { return Ok(false) };
        if self.failed.contains_key(&at) {
            return Ok(false);
        }
        let proposal = candidate.proposal(1.0);
        let change = Change {
            id: ChangeId(format!("i{at}")),
            kind: proposal.kind,
            engine: Engine::Mongodb,
            title: proposal.title,
            relation: proposal.relation,
            up: proposal.up,
            down: proposal.down,
            hazards: proposal.hazards,
            conditions: proposal.conditions,
            proof: Proof::not_tried("not tried yet"),
        };
        self.progress.step(&format!("building {}", change.title));
        let built = match self.bench.apply(&change).await {
            Ok(build) => self.bench.set_active(&change, false).await.map(|()| build),
            Err(error) => Err(error),
        };
        match built {
            Ok(build) => {
                let build = build.unwrap_or(Build { ms: 0.0, bytes: 0 });
                self.effort.built += 1;
                self.made.insert(at, Made { change, build, on: false });
                Ok(true)
            }
            Err(error) if fatal(error.kind()) => Err(error),
            Err(error) => {
                self.failed.insert(at, error.message().to_string());
                Ok(false)
            }
        }
    }

    /// Shows exactly these indexes of those that are built.
    pub async fn show(&mut self, wanted: &BTreeSet<usize>) -> Result<()> {
        for (at, made) in &mut self.made {
            let on = wanted.contains(at);
            if made.on != on {
                self.bench.set_active(&made.change, on).await?;
                made.on = on;
            }
        }
        Ok(())
    }

    /// An index that is built.
    pub fn made(&self, at: usize) -> Option<&Made> {
        self.made.get(&at)
    }

    /// Takes an index away for good.
    pub async fn remove(&mut self, at: usize) -> Result<()> {
        match self.made.remove(&at) {
            Some(made) => self.bench.revert(&made.change).await,
            None => Ok(()),
        }
    }

    /// Whether so many indexes of a collection are built that some have to go.
    pub fn is_full(&self, collection: &str) -> bool {
        let on = |made: &&Made| made.change.relation.as_deref() == Some(collection);
        self.made.values().filter(on).count() >= KEPT
    }

    /// Takes away all indexes but these.
    pub async fn keep(&mut self, wanted: &BTreeSet<usize>) -> Result<()> {
        let others: Vec<usize> =
            self.made.keys().filter(|at| !wanted.contains(at)).copied().collect();
        for at in others {
            self.remove(at).await?;
        }
        Ok(())
    }

    /// The bytes of these indexes together.
    pub fn bytes(&self, indexes: impl IntoIterator<Item = usize>) -> u64 {
        indexes.into_iter().filter_map(|at| self.made.get(&at)).map(|made| made.build.bytes).sum()
    }

    /// Whether a plan uses an index that is built.
    pub fn uses(&self, plan: &Plan, at: usize) -> bool {
        self.made.get(&at).is_some_and(|made| self.bench.uses(plan, &made.change) == Some(true))
    }
}

/// Whether an error ends the whole rather than one trial.
pub(super) fn fatal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ServerDied | ErrorKind::Interrupted | ErrorKind::Unreachable | ErrorKind::Io
    )
}

impl Trial<'_> {
    /// Drops what is built of a collection; gives what [`Trial::build_again`] takes.
    pub async fn drop_built(&mut self, collection: &str) -> Result<Vec<(usize, Made)>> {
        let on = |made: &Made| made.change.relation.as_deref() == Some(collection);
        let numbers: Vec<usize> =
            self.made.iter().filter(|(_, made)| on(made)).map(|(at, _)| *at).collect();
        let mut dropped = Vec::new();
        for at in numbers {
            if let Some(made) = self.made.remove(&at) {
                self.bench.revert(&made.change).await?;
                dropped.push((at, made));
            }
        }
        Ok(dropped)
    }

    /// Builds again what was dropped, and leaves it hidden.
    pub async fn build_again(&mut self, dropped: Vec<(usize, Made)>) -> Result<()> {
        for (at, mut made) in dropped {
            self.bench.apply(&made.change).await?;
            self.bench.set_active(&made.change, false).await?;
            made.on = false;
            self.made.insert(at, made);
        }
        Ok(())
    }
}
