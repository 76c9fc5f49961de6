//! Whether the results are equal, on all the data or, when the statement does not finish on
//! all of it, on a part.

use std::time::{Duration, Instant};

use marula_core::{Change, ChangeKind, Result, Statement};

use super::measure::{Baseline, Pairs};
use super::{Comparison, Prover};
use crate::bench::Bench;
use crate::compare::Outcome;

/// The parts on which a statement that does not finish is compared, largest first.
const SHARES: [f64; 3] = [0.1, 0.01, 0.001];

impl<B: Bench> Prover<'_, B> {
    /// How the results with `changes` compare with those of the statement as it stands, and
    /// the words for the part of the data this was seen on, when it was not all.
    pub(super) async fn outcome(
        &mut self,
        baseline: &Baseline,
        pairs: &Pairs,
        changed: &Statement,
        changes: &[Change],
    ) -> Result<(Outcome, Option<String>)> {
        if let Comparison::Incomparable(reason) = &baseline.comparison {
            return Ok((Outcome::Unknown(reason.clone()), None));
        }
        match (&baseline.digest, &pairs.digest) {
            (Some(a), Some(b)) => Ok((a.compare(b, &baseline.comparison), None)),
            _ if pairs.timed_out => Ok((Outcome::Unknown("it was cancelled".into()), None)),
            _ if baseline.measurement.timed_out => self.on_a_part(baseline, changed, changes).await,
            _ => Ok((Outcome::Unknown("the statement writes and was only explained".into()), None)),
        }
    }

    async fn on_a_part(
        &mut self,
        baseline: &Baseline,
        changed: &Statement,
        changes: &[Change],
    ) -> Result<(Outcome, Option<String>)> {
        let statement = self.statement.clone();
        for share in SHARES {
            if self.out_of_time() {
                break;
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            let limit = (self.options.limit / 4).min(left).max(Duration::from_secs(1));
            self.progress.step(&format!("comparing results on {} % of the rows", share * 100.0));
            let mut part = self.bench.shrink(share).await?;
            let before = part.run(&statement, limit).await?;
            let Some(before) = before.digest else { continue };
            for change in changes.iter().filter(|change| change.kind != ChangeKind::Rewrite) {
                part.apply(change).await?;
            }
            let after = part.run(changed, limit).await?;
            let Some(after) = after.digest else { continue };
            let rows = part.dataset().rows;
            let place = format!(
                " on {} % of the rows ({rows}), where the statement as it stands finishes",
                share * 100.0
            );
            return Ok((before.compare(&after, &baseline.comparison), Some(place)));
        }
        let why = "the statement as it stands finishes on no part of the data that was tried";
        Ok((Outcome::Unknown(why.into()), None))
    }
}
