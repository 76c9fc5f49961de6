//! Proving changes: all of them together first, then each alone.
//!
//! The best set is what the reader needs, and its time bounds what is worth waiting for when
//! each change is tried alone; so it comes first, and a budget that runs out costs the detail
//! and not the answer.
//!
//! One algorithm for both engines, written over [`Bench`]. Runs go in pairs (without, with,
//! without, with …), medians are compared, and counters that do not wobble (buffers, keys and
//! documents) have their say. A change that alters the results is refuted however fast it is.

mod combine;
mod decided;
mod equal;
mod measure;
mod same;
mod single;
mod verdict;

use std::time::{Duration, Instant};

use marula_core::{
    Build, Change, ChangeKind, Combination, Engine, Error, ErrorKind, Goal, Measurement, Progress,
    Proof, Result, Statement,
};

pub use crate::compare::Comparison;
pub use decided::{Comparing, Decide, Decided};

use crate::bench::Bench;
use measure::Baseline;

/// Bounds of a proof.
#[derive(Debug, Clone)]
pub struct ProveOptions {
    /// One run may take this long; then it is cancelled on the server.
    pub limit: Duration,
    /// All measuring together may take this long; what is left then is not tried, and says so.
    pub budget: Duration,
    /// The time the user wants the statement to stay under, in milliseconds.
    pub goal_ms: Option<f64>,
    /// Whether sets of changes are tried when single ones were.
    pub combine: bool,
}

impl Default for ProveOptions {
    fn default() -> Self {
        ProveOptions {
            limit: Duration::from_secs(60),
            budget: Duration::from_secs(300),
            goal_ms: None,
            combine: true,
        }
    }
}

/// What came of proving.
#[derive(Debug)]
pub struct Proved {
    /// The statement as it stands, on the bench.
    pub baseline: Measurement,
    /// The changes, in the order given, each with its proof.
    pub changes: Vec<Change>,
    /// The best of the proven: a set of changes that beats every single one, or else the best
    /// single one; `None` when nothing was proven.
    pub best: Option<Combination>,
    /// Whether the best meets the goal (or the statement already does), when there is one.
    pub goal: Option<Goal>,
    /// What the reader should know: what the copy lacks, limits met.
    pub notes: Vec<String>,
    /// Why the proof ended before its end: the lab server went away. What was proved until then
    /// stands.
    pub failure: Option<Error>,
}

/// Measures `statement` without and with each of `changes`, then with the best set of them.
///
/// A rewrite's `up[0]` is run in place of the statement, with the same parameters. At most one
/// rewrite is in a set: a caller that has several which go together passes them combined, too.
///
/// # Errors
/// `ServerDied` when the lab server goes away before the statement was measured, and what the
/// statement itself fails with. A change that cannot be made is not an error: its proof says so.
pub async fn prove<'a, B: Bench>(
    bench: &'a mut B,
    statement: &'a Statement,
    comparing: impl Into<Comparing<'a>>,
    changes: Vec<Change>,
    options: &'a ProveOptions,
    progress: &'a dyn Progress,
) -> Result<Proved> {
    let mut prover = Prover {
        bench,
        statement,
        comparing: comparing.into(),
        options,
        progress,
        deadline: Instant::now() + options.budget,
        notes: Vec::new(),
    };
    progress.step("measuring the statement as it stands");
    let baseline = prover.baseline().await?;
    let mut proved = Proved {
        baseline: baseline.measurement.clone(),
        changes,
        best: None,
        goal: None,
        notes: Vec::new(),
        failure: None,
    };
    for change in &mut proved.changes {
        change.proof = Proof::not_tried("the lab's server went away before it was tried");
    }
    proved.failure = prover.changes(&baseline, &mut proved).await.err();
    proved.best = combine::better(proved.best.take(), prover.best_single(&proved.changes));
    proved.goal = options.goal_ms.map(|ms| {
        let after = proved.best.as_ref().and_then(|best| best.proof.after.as_ref());
        let reached = after.unwrap_or(&proved.baseline);
        Goal { ms, met: reached.ms.map(|reached_ms| !reached.timed_out && reached_ms <= ms) }
    });
    proved.notes = prover.bench.notes().to_vec();
    proved.notes.append(&mut prover.notes);
    Ok(proved)
}

/// The state of one proof.
struct Prover<'a, B: Bench> {
    bench: &'a mut B,
    statement: &'a Statement,
    comparing: Comparing<'a>,
    options: &'a ProveOptions,
    progress: &'a dyn Progress,
    deadline: Instant,
    notes: Vec<String>,
}

/// What came of making a change on the bench.
enum Built {
    /// It is made and switched off; with what building it took, when it builds something.
    Ready(Option<Build>),
    /// It could not be made, or must not be tried; with the proof that says so.
    Not(Box<Proof>),
}

impl<B: Bench> Prover<'_, B> {
    fn out_of_time(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// A proof with the data set and server filled in.
    fn proof(&self, mut proof: Proof) -> Proof {
        proof.dataset = Some(self.bench.dataset());
        proof.server = Some(self.bench.server());
        proof
    }

    /// Proves the best set, and then each change alone. An error leaves what was proved before it.
    async fn changes(&mut self, baseline: &Baseline, proved: &mut Proved) -> Result<()> {
        let built = self.build(&proved.changes).await?;
        proved.best = self.set(baseline, &proved.changes, &built).await?;
        self.each_alone(baseline, &mut proved.changes, built, proved.best.as_ref()).await
    }

    /// The statement to run with `change` in place.
    fn rewritten(&self, change: &Change) -> Statement {
        match (change.kind, change.up.first()) {
            (ChangeKind::Rewrite, Some(text)) => {
                Statement { text: text.clone(), fingerprint: None, ..self.statement.clone() }
            }
            _ => self.statement.clone(),
        }
    }

    /// Makes every change, and leaves each switched off.
    async fn build(&mut self, changes: &[Change]) -> Result<Vec<Built>> {
        let mut built = Vec::with_capacity(changes.len());
        for change in changes {
            if let Some(reason) = self.cannot_try(change) {
                built.push(Built::Not(Box::new(Proof::not_tried(reason))));
                continue;
            }
            if change.kind == ChangeKind::Rewrite {
                built.push(Built::Ready(None));
                continue;
            }
            self.progress.step(&format!("building {}: {}", change.id.0, change.title));
            let made = match self.bench.apply(change).await {
                Ok(build) => self.bench.set_active(change, false).await.map(|()| build),
                Err(error) => Err(error),
            };
            built.push(match made {
                Ok(build) => Built::Ready(build),
                Err(error) if fatal(error.kind()) => return Err(error),
                Err(error) => Built::Not(Box::new(self.proof(verdict::failed(&error)))),
            });
        }
        Ok(built)
    }

    async fn each_alone(
        &mut self,
        baseline: &Baseline,
        changes: &mut [Change],
        built: Vec<Built>,
        set: Option<&Combination>,
    ) -> Result<()> {
        let total = changes.len() as u64;
        for (number, (change, built)) in changes.iter_mut().zip(built).enumerate() {
            self.progress.step(&format!("proving {}: {}", change.id.0, change.title));
            self.progress.advance(number as u64, total);
            change.proof = match (built, self.cannot_try(change)) {
                (Built::Not(proof), _) => *proof,
                (Built::Ready(build), Some(reason)) => Proof { build, ..Proof::not_tried(reason) },
                (Built::Ready(build), None) => match self.alone(baseline, change, build, set).await
                {
                    Ok(proof) => self.proof(proof),
                    Err(error) if fatal(error.kind()) => return Err(error),
                    Err(error) => self.proof(verdict::failed(&error)),
                },
            };
        }
        self.progress.advance(total, total);
        Ok(())
    }

    fn cannot_try(&self, change: &Change) -> Option<String> {
        if self.out_of_time() {
            let seconds = self.options.budget.as_secs();
            return Some(format!("the {seconds} s for proving were used up by the changes before"));
        }
        match change.kind {
            ChangeKind::Grant => Some("a grant does not change how a statement runs".into()),
            _ if change.up.is_empty() => Some("it is to be done by hand".into()),
            ChangeKind::Setting if change.engine == Engine::Mongodb => {
                Some("a server setting of MongoDB is not tried in the lab".into())
            }
            _ => None,
        }
    }
}

/// Whether an error ends the whole proof rather than one change's.
fn fatal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ServerDied | ErrorKind::Interrupted | ErrorKind::Unreachable | ErrorKind::Io
    )
}
