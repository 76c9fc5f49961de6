//! The lab's side of the search: indexes are built once and then shown or hidden, and statements
//! are measured by what they examine, which does not wobble as clocks do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use marula_core::{DocumentCatalog, Effort, ErrorKind, Progress, Result, Statement, Version};
use marula_lab::bench::Bench;
use marula_lab::bench::mongodb::MongoBench;

use super::cost::Cost;
use super::cursors;
use super::made::Made;
use super::query::Query;
use super::required::Required;
use crate::TuneOptions;

/// The bench with what is built on it.
pub(super) struct Trial<'a> {
    pub bench: MongoBench,
    pub options: &'a TuneOptions,
    pub progress: &'a dyn Progress,
    pub version: Version,
    pub effort: Effort,
    /// When the search ends, besides the runs of statements.
    pub started: Instant,
    pub(super) made: BTreeMap<usize, Made>,
    /// Indexes without which the server refuses statements, by number: they are always shown.
    pub required: BTreeMap<usize, Required>,
    /// Indexes that could not be built, and why.
    pub failed: BTreeMap<usize, String>,
    /// How many indexes each collection has already.
    pub(super) existing: BTreeMap<String, usize>,
    /// How often something was shown.
    pub(super) clock: u64,
}

impl<'a> Trial<'a> {
    pub fn new(
        bench: MongoBench,
        options: &'a TuneOptions,
        progress: &'a dyn Progress,
        catalog: &DocumentCatalog,
    ) -> Self {
        let existing = catalog.collections.iter();
        let existing = existing.map(|found| (found.name.clone(), found.indexes.len())).collect();
        Trial {
            version: bench.server().version,
            bench,
            options,
            progress,
            effort: Effort::default(),
            started: Instant::now(),
            made: BTreeMap::new(),
            required: BTreeMap::new(),
            failed: BTreeMap::new(),
            existing,
            clock: 0,
        }
    }

    /// Whether the search is to end: it was asked to, or its time is over.
    pub fn is_over(&self) -> bool {
        let searched = self.started.elapsed().as_secs_f64() - self.effort.run_ms / 1000.0;
        self.options.stop.is_stopped() || searched > self.options.search.as_secs_f64()
    }

    /// What is left of the budget for indexes that are picked.
    pub fn budget(&self) -> Option<u64> {
        let taken = self.bytes(self.required.keys().copied());
        self.options.budget_bytes.map(|budget| budget.saturating_sub(taken))
    }

    /// What a wording of a statement costs; nothing when it fails. `limit` ends the run.
    pub async fn cost(
        &mut self,
        query: &Query,
        wording: usize,
        limit: Duration,
    ) -> Result<Option<Cost>> {
        if let Some((_, cost)) = query.natural.as_ref().filter(|(natural, _)| *natural == wording) {
            // It reads the collection, whatever indexes there are.
            return Ok(Some(cost.clone()));
        }
        let Some(wording) = query.wordings.get(wording) else { return Ok(None) };
        let started = Instant::now();
        let plan = self.bench.plan(&wording.statement, limit).await;
        let counted = match &plan {
            Ok(plan) if plan.executed && query.counters_lie(self.version) => {
                self.counted(query, &wording.statement, limit).await
            }
            _ => Ok(None),
        };
        self.effort.runs += 1;
        self.effort.run_ms += started.elapsed().as_secs_f64() * 1000.0;
        match plan.and_then(|plan| Ok((plan, counted?))) {
            Ok((plan, counted)) => Ok(Some(Cost::of(plan, counted))),
            Err(error) if fatal(error.kind()) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// What a run reads of all collections as the storage engine counts it; infinite when it did
    /// not end in time.
    async fn counted(
        &mut self,
        query: &Query,
        statement: &Statement,
        limit: Duration,
    ) -> Result<Option<f64>> {
        let names = query.command.collections();
        let session = self.bench.session().clone();
        let Some(before) = cursors::calls(&session, &names).await else { return Ok(None) };
        let run = self.bench.run(statement, limit).await?;
        let Some(after) = cursors::calls(&session, &names).await else { return Ok(None) };
        Ok(Some(if run.timed_out { f64::INFINITY } else { (after - before).max(0.0) }))
    }
}

/// Whether an error ends the whole rather than one trial.
pub(super) fn fatal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ServerDied | ErrorKind::Interrupted | ErrorKind::Unreachable | ErrorKind::Io
    )
}
