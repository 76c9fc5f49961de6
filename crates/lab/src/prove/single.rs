//! One change alone.

use marula_core::{Build, Change, ChangeKind, Combination, Proof, Result};

use super::Prover;
use super::measure::{Baseline, measurement};
use super::same::same_plan;
use super::verdict::{Judged, proof};
use crate::bench::Bench;

impl<B: Bench> Prover<'_, B> {
    /// Measures `change`, which is made and switched off, and leaves it so. `set` is what all
    /// the changes come to together.
    pub(super) async fn alone(
        &mut self,
        baseline: &Baseline,
        change: &Change,
        build: Option<Build>,
        set: Option<&Combination>,
    ) -> Result<Proof> {
        let rewrite = change.kind == ChangeKind::Rewrite;
        if !rewrite {
            self.bench.set_active(change, true).await?;
        }
        let measured = self.measured(baseline, change, build, set).await;
        if !rewrite && !matches!(&measured, Err(error) if super::fatal(error.kind())) {
            self.bench.set_active(change, false).await?;
        }
        measured
    }

    async fn measured(
        &mut self,
        baseline: &Baseline,
        change: &Change,
        build: Option<Build>,
        set: Option<&Combination>,
    ) -> Result<Proof> {
        let rewrite = change.kind == ChangeKind::Rewrite;
        let statement = self.rewritten(change);
        let limit = self.cut(baseline, set);
        let pairs = self
            .pairs(baseline, &statement, limit, async |bench: &mut B, on| {
                if rewrite { Ok(()) } else { bench.set_active(change, on).await }
            })
            .await?;
        let limit = if pairs.timed_out { std::time::Duration::ZERO } else { limit };
        let plan = self.bench.plan(&statement, limit).await?;
        let used = match change.kind {
            ChangeKind::Rewrite => None,
            // Statistics and settings are used when they lead to another plan.
            ChangeKind::Statistics | ChangeKind::Setting => {
                let before = baseline.measurement.plan.as_deref();
                before.and_then(|before| same_plan(before, &plan)).map(|same| !same)
            }
            _ => self.bench.uses(&plan, change),
        };
        let after = measurement(&pairs.after_ms, pairs.timed_out, Some(plan));
        let (outcome, sampled) =
            self.outcome(baseline, &pairs, &statement, std::slice::from_ref(change)).await?;
        let judged = Judged {
            kind: change.kind,
            baseline: &baseline.measurement,
            after: &after,
            pairs: &pairs,
            used,
            outcome: &outcome,
            sampled: sampled.as_deref(),
        };
        Ok(proof(&judged, build))
    }
}
