//! Whether the results are equal, on all the data or, when the statement does not finish on
//! all of it, on a part.

use std::time::{Duration, Instant};

use marula_core::{Change, ChangeKind, Result, Statement};

use super::decided::Settled;
use super::measure::{Baseline, Pairs};
use super::{Comparison, Prover};
use crate::bench::Bench;
use crate::compare::Outcome;

/// The parts on which a statement that does not finish is compared, largest first.
const SHARES: [f64; 3] = [0.1, 0.01, 0.001];
/// A change that leaves the statement as it is needs no dearer check than this.
const SHORT_MS: f64 = 2000.0;

/// What came of comparing, and the words for how it was compared when not simply as it came, on
/// all the data: ` on 10 % of the rows`.
pub(super) type Compared = (Outcome, Option<String>);

fn unknown(why: impl Into<String>) -> Compared {
    (Outcome::Unknown(why.into()), None)
}

impl<B: Bench> Prover<'_, B> {
    /// How the results with `changes` compare with those of the statement as it stands.
    pub(super) async fn outcome(
        &mut self,
        baseline: &Baseline,
        pairs: &Pairs,
        changed: &Statement,
        changes: &[Change],
    ) -> Result<Compared> {
        if let Comparison::Incomparable(reason) = &baseline.comparison {
            return self.when_decided(baseline, pairs, changed, changes, reason).await;
        }
        match (&baseline.digest, &pairs.digest) {
            (Some(a), Some(b)) => Ok((a.compare(b, &baseline.comparison), None)),
            _ if pairs.timed_out => Ok(unknown("it was cancelled")),
            _ if baseline.measurement.timed_out => {
                let (before, how) = (self.statement.clone(), &baseline.comparison);
                self.on_a_part(&before, changed, how, changes, "").await
            }
            _ => Ok(unknown("the statement writes and was only explained")),
        }
    }

    /// Compares both wordings with nothing left open, where the results as they come may differ
    /// and yet both be right.
    async fn when_decided(
        &mut self,
        baseline: &Baseline,
        pairs: &Pairs,
        changed: &Statement,
        changes: &[Change],
        reason: &str,
    ) -> Result<Compared> {
        if pairs.timed_out {
            return Ok(unknown("it was cancelled"));
        }
        let both = (self.decided(self.statement), self.decided(changed));
        let (Some((before, ours)), Some((after, theirs))) = both else {
            return Ok(unknown(reason));
        };
        if ours.by != theirs.by || ours.comparison != theirs.comparison {
            return Ok(unknown(reason));
        }
        let how = format!(" with {}", ours.by);
        if baseline.measurement.timed_out {
            return self.on_a_part(&before, &after, &ours.comparison, changes, &how).await;
        }
        let Some(Settled { digest, ms }) = &baseline.settled else { return Ok(unknown(reason)) };
        if before.text == after.text && *ms > SHORT_MS {
            return Ok(unknown(reason));
        }
        let run = match self.bench.run(&after, self.options.limit).await {
            Ok(run) => run,
            Err(error) if super::fatal(error.kind()) => return Err(error),
            Err(error) => return Ok(unknown(format!("{reason}; and{how}: {error}"))),
        };
        Ok(match run.digest {
            Some(after) => (digest.compare(&after, &ours.comparison), Some(how)),
            None => unknown(format!("{reason}; and{how} it was cancelled")),
        })
    }

    async fn on_a_part(
        &mut self,
        before: &Statement,
        after: &Statement,
        comparison: &Comparison,
        changes: &[Change],
        how: &str,
    ) -> Result<Compared> {
        for share in SHARES {
            if self.out_of_time() {
                break;
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            let limit = (self.options.limit / 4).min(left).max(Duration::from_secs(1));
            self.progress.step(&format!("comparing results on {} % of the rows", share * 100.0));
            let mut part = self.bench.shrink(share).await?;
            let before = part.run(before, limit).await?;
            let Some(before) = before.digest else { continue };
            for change in changes.iter().filter(|change| change.kind != ChangeKind::Rewrite) {
                part.apply(change).await?;
            }
            let after = part.run(after, limit).await?;
            let Some(after) = after.digest else { continue };
            let rows = part.dataset().rows;
            let place = format!(
                "{how} on {} % of the rows ({rows}), where the statement as it stands finishes",
                share * 100.0
            );
            return Ok((before.compare(&after, comparison), Some(place)));
        }
        Ok(unknown("the statement as it stands finishes on no part of the data that was tried"))
    }
}
