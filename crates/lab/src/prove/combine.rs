//! The best set of changes: all that may help together, then without those that add nothing.

use std::time::Duration;

use marula_core::{
    Build, Change, ChangeKind, Combination, Plan, Proof, Result, Statement, Verdict,
};

use super::measure::{Baseline, Pairs, measurement, median};
use super::same::same_plan;
use super::verdict::{Judged, proof};
use super::{Built, Prover};
use crate::bench::Bench;

/// A member must make the set faster by this factor to stay in it.
const ADDS: f64 = 1.05;
/// Below this a busy machine can hide any difference, in milliseconds.
const SHORT_MS: f64 = 30.0;
/// A member without which so many times as much is read stays in the set.
const FAR_MORE: u64 = 10;
/// Less than this is noise of the clock where something needs not be built.
const NOISE_MS: f64 = 0.5;

impl<B: Bench> Prover<'_, B> {
    /// What all the changes that could be made come to together, without those that add
    /// nothing; `None` when that is no gain, or was not to be tried.
    pub(super) async fn set(
        &mut self,
        baseline: &Baseline,
        changes: &[Change],
        built: &[Built],
    ) -> Result<Option<Combination>> {
        let able: Vec<Made<'_>> = changes
            .iter()
            .zip(built)
            .filter_map(|(change, built)| match built {
                Built::Ready(build) => Some((change, build.as_ref())),
                Built::Not(_) => None,
            })
            .collect();
        if !self.options.combine || able.len() < 2 {
            return Ok(None);
        }
        self.progress.step("proving the best set of changes");
        let set = match self.together(baseline, &able).await {
            Ok(set) => set,
            Err(error) if super::fatal(error.kind()) => return Err(error),
            Err(error) => {
                self.notes.push(format!("the set of changes could not be tried: {error}"));
                None
            }
        };
        Ok(set.filter(|set| set.proof.verdict == Verdict::Proven))
    }

    /// The fastest of the changes that are proven alone.
    pub(super) fn best_single(&self, changes: &[Change]) -> Option<Combination> {
        let change = changes
            .iter()
            .filter(|change| change.proof.verdict == Verdict::Proven)
            .min_by(|a, b| after_ms(&a.proof).total_cmp(&after_ms(&b.proof)))?;
        Some(Combination {
            changes: vec![change.id.clone()],
            statement: (change.kind == ChangeKind::Rewrite).then(|| self.rewritten(change).text),
            proof: change.proof.clone(),
        })
    }

    async fn together(
        &mut self,
        baseline: &Baseline,
        able: &[Made<'_>],
    ) -> Result<Option<Combination>> {
        let (rewrites, mut members): (Vec<Made<'_>>, Vec<Made<'_>>) =
            able.iter().copied().partition(|(change, _)| change.kind == ChangeKind::Rewrite);
        let all = members.clone();
        for (change, _) in &all {
            self.bench.set_active(change, true).await?;
        }
        let found = self.with_members(baseline, &rewrites, &mut members).await;
        if !matches!(&found, Err(error) if super::fatal(error.kind())) {
            for (change, _) in all {
                self.bench.set_active(change, false).await?;
            }
        }
        found
    }

    async fn with_members(
        &mut self,
        baseline: &Baseline,
        rewrites: &[Made<'_>],
        members: &mut Vec<Made<'_>>,
    ) -> Result<Option<Combination>> {
        let cut = self.cut(baseline, None);
        // The statement as it stands against each rewrite, with everything else in place.
        let mut chosen = self.way(self.statement.clone(), None, cut, members).await?;
        for (rewrite, _) in rewrites {
            if self.out_of_time() {
                break;
            }
            let way = self.way(self.rewritten(rewrite), Some(rewrite), cut, members).await?;
            if way.beats(&chosen) {
                chosen = way;
            }
        }
        if chosen.ms.is_infinite() {
            return Ok(None);
        }
        self.drop_idle(&chosen.statement, cut, members).await?;
        if members.is_empty() && chosen.rewrite.is_none() {
            return Ok(None);
        }
        self.measure_set(baseline, chosen.rewrite, &chosen.statement, members).await.map(Some)
    }

    /// Times one wording of the statement with everything in place.
    async fn way<'c>(
        &mut self,
        statement: Statement,
        rewrite: Option<&'c Change>,
        cut: Duration,
        members: &[Made<'_>],
    ) -> Result<Way<'c>> {
        let time = self.time(&statement, cut).await?;
        if time.timed_out {
            return Ok(Way {
                statement,
                rewrite,
                ms: f64::INFINITY,
                built: members.len(),
                examined: u64::MAX,
            });
        }
        let plan = self.bench.plan(&statement, cut).await?;
        let built =
            members.iter().filter(|(change, _)| self.bench.uses(&plan, change) == Some(true));
        Ok(Way {
            built: built.count(),
            statement,
            rewrite,
            ms: ms(&time),
            examined: examined(&plan),
        })
    }

    /// Takes out the members that add nothing: first those the plan does not use, then, the last
    /// proposed first, those without which it is as fast.
    async fn drop_idle(
        &mut self,
        statement: &Statement,
        cut: Duration,
        members: &mut Vec<Made<'_>>,
    ) -> Result<()> {
        let plan = self.bench.plan(statement, cut).await?;
        let mut kept = Vec::new();
        for (change, build) in members.drain(..) {
            if self.bench.uses(&plan, change) == Some(false) {
                self.bench.set_active(change, false).await?;
            } else {
                kept.push((change, build));
            }
        }
        // Callers propose what promises most first.
        kept.reverse();
        let mut with = ms(&self.time(statement, cut).await?);
        let mut number = 0;
        while number < kept.len() {
            if self.out_of_time() {
                self.notes.push(
                    "the time for proving was used up before every member of the best set had \
                     been tried without"
                        .into(),
                );
                break;
            }
            let Some((change, _)) = kept.get(number).copied() else { break };
            self.bench.set_active(change, false).await?;
            let without = self.time(statement, cut).await?;
            let without_ms = if without.timed_out { f64::INFINITY } else { ms(&without) };
            // What leads to the same plan adds nothing, however the clocks wobble.
            let idle = matches!(change.kind, ChangeKind::Statistics | ChangeKind::Setting)
                && !without.timed_out
                && same_plan(&plan, &self.bench.plan(statement, cut).await?) == Some(true);
            // Nor does the clock of a busy machine hide what reads far less.
            let far = !idle && without_ms <= with * ADDS && {
                let less = self.bench.plan(statement, cut).await?;
                examined(&less) > FAR_MORE * examined(&plan).max(1)
            };
            if !far && (idle || without_ms <= with * ADDS) {
                kept.remove(number);
                with = with.min(without_ms);
            } else {
                self.bench.set_active(change, true).await?;
                number += 1;
            }
        }
        kept.reverse();
        *members = kept;
        Ok(())
    }

    async fn measure_set(
        &mut self,
        baseline: &Baseline,
        rewrite: Option<&Change>,
        statement: &Statement,
        members: &[Made<'_>],
    ) -> Result<Combination> {
        let cut = self.cut(baseline, None);
        let pairs = self
            .pairs(baseline, statement, cut, async |bench: &mut B, on| {
                for (change, _) in members {
                    bench.set_active(change, on).await?;
                }
                Ok(())
            })
            .await?;
        let plan = self.bench.plan(statement, cut).await?;
        let after = measurement(&pairs.after_ms, pairs.timed_out, Some(plan));
        let all: Vec<Change> = members.iter().map(|(change, _)| (*change).clone()).collect();
        let (outcome, sampled) = self.outcome(baseline, &pairs, statement, &all).await?;
        let kind = rewrite.map_or(ChangeKind::Index, |change| change.kind);
        let judged = Judged {
            kind,
            baseline: &baseline.measurement,
            after: &after,
            pairs: &pairs,
            used: None,
            outcome: &outcome,
            sampled: sampled.as_deref(),
        };
        let build = members.iter().filter_map(|(_, build)| *build).fold(
            None,
            |sum: Option<Build>, build| {
                let (ms, bytes) = sum.map_or((0.0, 0), |sum| (sum.ms, sum.bytes));
                Some(Build { ms: ms + build.ms, bytes: bytes + build.bytes })
            },
        );
        Ok(Combination {
            changes: members
                .iter()
                .map(|(change, _)| *change)
                .chain(rewrite)
                .map(|change| change.id.clone())
                .collect(),
            statement: rewrite.map(|_| statement.text.clone()),
            proof: self.proof(proof(&judged, build)),
        })
    }
}

/// What a plan that ran has read: buffers, or keys and documents.
fn examined(plan: &Plan) -> u64 {
    let summary = &plan.summary;
    match plan.executed {
        true => summary.reads.unwrap_or(0).saturating_add(summary.keys.unwrap_or(0)),
        false => 0,
    }
}

/// A change that is made on the bench, with what building it took.
type Made<'c> = (&'c Change, Option<&'c Build>);

/// One wording of the statement, with all other changes in place.
struct Way<'c> {
    statement: Statement,
    rewrite: Option<&'c Change>,
    /// Infinite when it did not finish.
    ms: f64,
    /// How many of the things that were built its plan uses.
    built: usize,
    /// What its run read.
    examined: u64,
}

impl Way<'_> {
    /// Whether this one is to be preferred: clearly faster, or as fast with less to build.
    fn beats(&self, other: &Way<'_>) -> bool {
        self.ms * ADDS < other.ms
            || (self.ms <= other.ms * ADDS + NOISE_MS && self.built < other.built)
            // Of short runs a busy machine's clock tells little; what they read does.
            || (self.ms < SHORT_MS
                && self.ms < other.ms * 2.0
                && self.examined <= other.examined
                && self.built < other.built)
    }
}

/// The set, unless one change alone is clearly faster.
pub(super) fn better(set: Option<Combination>, single: Option<Combination>) -> Option<Combination> {
    match (set, single) {
        (Some(set), Some(single)) => {
            let alone = after_ms(&single.proof) * ADDS < after_ms(&set.proof);
            Some(if alone { single } else { set })
        }
        (set, single) => set.or(single),
    }
}

fn after_ms(proof: &Proof) -> f64 {
    proof.after.as_ref().and_then(|after| after.ms).unwrap_or(f64::INFINITY)
}

fn ms(pairs: &Pairs) -> f64 {
    median(&pairs.after_ms)
}
