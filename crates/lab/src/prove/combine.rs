//! The best set of changes: all that may help together, then without those that add nothing.

use std::time::Duration;

use marula_core::{Change, ChangeKind, Combination, Proof, Result, Statement, Verdict};

use super::Prover;
use super::measure::{Baseline, Pairs, measurement, median};
use super::single::may_combine;
use super::verdict::{Judged, judge};
use crate::bench::Bench;
use crate::compare::Outcome;

/// A member must make the set faster by this factor to stay in it.
const ADDS: f64 = 1.05;

impl<B: Bench> Prover<'_, B> {
    /// The best of the proven changes, alone or together.
    pub(super) async fn best(
        &mut self,
        baseline: &Baseline,
        changes: &[Change],
    ) -> Result<Option<Combination>> {
        let single = best_single(changes).map(|change| self.alone_as_best(change));
        let able: Vec<&Change> = changes.iter().filter(|c| may_combine(&c.proof)).collect();
        if !self.options.combine || able.len() < 2 {
            return Ok(single);
        }
        if self.out_of_time() {
            self.notes.push("no set of changes was tried: the time for proving was used up".into());
            return Ok(single);
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
        let Some(set) = set else { return Ok(single) };
        let beats = match (&single, set.proof.verdict) {
            (_, verdict) if verdict != Verdict::Proven => false,
            (None, _) => true,
            (Some(single), _) => after_ms(&set.proof) * ADDS < after_ms(&single.proof),
        };
        Ok(if beats { Some(set) } else { single })
    }

    fn alone_as_best(&self, change: &Change) -> Combination {
        Combination {
            changes: vec![change.id.clone()],
            statement: (change.kind == ChangeKind::Rewrite).then(|| self.rewritten(change).text),
            proof: change.proof.clone(),
        }
    }

    async fn together(
        &mut self,
        baseline: &Baseline,
        able: &[&Change],
    ) -> Result<Option<Combination>> {
        let (rewrites, mut members): (Vec<&Change>, Vec<&Change>) =
            able.iter().partition(|change| change.kind == ChangeKind::Rewrite);
        for change in &members {
            self.bench.set_active(change, true).await?;
        }
        let found = self.with_members(baseline, &rewrites, &mut members).await;
        if !matches!(&found, Err(error) if super::fatal(error.kind())) {
            for change in able.iter().filter(|change| change.kind != ChangeKind::Rewrite) {
                self.bench.set_active(change, false).await?;
            }
        }
        found
    }

    async fn with_members(
        &mut self,
        baseline: &Baseline,
        rewrites: &[&Change],
        members: &mut Vec<&Change>,
    ) -> Result<Option<Combination>> {
        let cut = self.cut(baseline);
        // The statement as it stands against each rewrite, with everything else in place.
        let mut rewrite: Option<&Change> = None;
        let mut statement = self.statement.clone();
        let mut time = self.time(&statement, cut).await?;
        for candidate in rewrites {
            if self.out_of_time() {
                break;
            }
            let text = self.rewritten(candidate);
            let with = self.time(&text, cut).await?;
            if !with.timed_out && ms(&with) * ADDS < ms(&time) {
                (rewrite, statement, time) = (Some(*candidate), text, with);
            }
        }
        if time.timed_out {
            return Ok(None);
        }
        self.drop_idle(&statement, cut, members).await?;
        if members.len() + usize::from(rewrite.is_some()) < 2 {
            // One change is left: it was measured alone already.
            return Ok(None);
        }
        self.measure_set(baseline, rewrite, &statement, members).await.map(Some)
    }

    /// Takes out the members that add nothing: first those the plan does not use, then, the one
    /// that gains least first, those without which it is as fast.
    async fn drop_idle(
        &mut self,
        statement: &Statement,
        cut: Duration,
        members: &mut Vec<&Change>,
    ) -> Result<()> {
        let plan = self.bench.plan(statement, cut).await?;
        let mut kept = Vec::new();
        for change in members.drain(..) {
            if self.bench.uses(&plan, change) == Some(false) {
                self.bench.set_active(change, false).await?;
            } else {
                kept.push(change);
            }
        }
        kept.sort_by(|a, b| gain(a).total_cmp(&gain(b)));
        let mut with = ms(&self.time(statement, cut).await?);
        let mut number = 0;
        while number < kept.len() && kept.len() > 1 {
            if self.out_of_time() {
                self.notes.push(
                    "the time for proving was used up before every member of the best set had \
                     been tried without"
                        .into(),
                );
                break;
            }
            let Some(change) = kept.get(number).copied() else { break };
            self.bench.set_active(change, false).await?;
            let without = self.time(statement, cut).await?;
            let without_ms = if without.timed_out { f64::INFINITY } else { ms(&without) };
            if without_ms <= with * ADDS {
                kept.remove(number);
                with = without_ms;
            } else {
                self.bench.set_active(change, true).await?;
                number += 1;
            }
        }
        // In the order in which they were proposed.
        kept.sort_by(|a, b| id_order(a).cmp(&id_order(b)));
        *members = kept;
        Ok(())
    }

    async fn measure_set(
        &mut self,
        baseline: &Baseline,
        rewrite: Option<&Change>,
        statement: &Statement,
        members: &[&Change],
    ) -> Result<Combination> {
        let pairs = self
            .pairs(baseline, statement, async |bench: &mut B, on| {
                for change in members {
                    bench.set_active(change, on).await?;
                }
                Ok(())
            })
            .await?;
        let plan = self.bench.plan(statement, self.cut(baseline)).await?;
        let after = measurement(&pairs.after_ms, pairs.timed_out, Some(plan));
        let all: Vec<Change> = members.iter().map(|change| (*change).clone()).collect();
        let (outcome, sampled) = self.outcome(baseline, &pairs, statement, &all).await?;
        let kind = rewrite.map_or(ChangeKind::Index, |change| change.kind);
        let judged = judge(&Judged {
            kind,
            baseline: &baseline.measurement,
            after: &after,
            ratios: &pairs.ratios(),
            used: None,
            outcome: &outcome,
            sampled: sampled.as_deref(),
        });
        let build = members.iter().filter_map(|change| change.proof.build.as_ref()).fold(
            None,
            |sum: Option<marula_core::Build>, build| {
                let (ms, bytes) = sum.map_or((0.0, 0), |sum| (sum.ms, sum.bytes));
                Some(marula_core::Build { ms: ms + build.ms, bytes: bytes + build.bytes })
            },
        );
        let proof = Proof {
            speedup: Some(pairs.speedup()),
            results_equal: match outcome {
                Outcome::Equal => Some(true),
                Outcome::Different(_) => Some(false),
                Outcome::Unknown(_) => None,
            },
            before: Some(baseline.measurement.clone()),
            after: Some(after),
            build,
            ..judged
        };
        Ok(Combination {
            changes: members.iter().chain(rewrite.iter()).map(|change| change.id.clone()).collect(),
            statement: rewrite.map(|_| statement.text.clone()),
            proof: self.proof(proof),
        })
    }
}

fn best_single(changes: &[Change]) -> Option<&Change> {
    changes
        .iter()
        .filter(|change| change.proof.verdict == Verdict::Proven)
        .min_by(|a, b| after_ms(&a.proof).total_cmp(&after_ms(&b.proof)))
}

fn after_ms(proof: &Proof) -> f64 {
    proof.after.as_ref().and_then(|after| after.ms).unwrap_or(f64::INFINITY)
}

fn gain(change: &Change) -> f64 {
    change.proof.speedup.unwrap_or(0.0)
}

fn ms(pairs: &Pairs) -> f64 {
    median(&pairs.after_ms)
}

/// `c2` before `c10`.
fn id_order(change: &Change) -> (usize, &str) {
    (change.id.0.len(), &change.id.0)
}
