//! Runs, medians and pairs.

use std::time::{Duration, Instant};

use marula_core::{Combination, Measurement, Plan, Result, Statement};

use super::decided::Settled;
use super::{Comparison, Prover};
use crate::bench::Bench;
use crate::compare::{Digest, Outcome};

/// The statement as it stands.
pub(super) struct Baseline {
    pub measurement: Measurement,
    pub digest: Option<Digest>,
    /// How results are compared; stricter knowledge than the caller's when two runs of the
    /// unchanged statement already differ.
    pub comparison: Comparison,
    /// What it gives with nothing left open, when `comparison` leaves something open.
    pub settled: Option<Settled>,
}

impl Baseline {
    pub fn ms(&self) -> f64 {
        self.measurement.ms.unwrap_or(0.0)
    }
}

/// Pairs of runs, and what the last ones gave.
pub(super) struct Pairs {
    pub before_ms: Vec<f64>,
    pub after_ms: Vec<f64>,
    pub digest: Option<Digest>,
    pub timed_out: bool,
}

impl Pairs {
    /// The median over the pairs of before / after.
    pub fn speedup(&self) -> f64 {
        median(&self.ratios())
    }

    /// Whether each run with the changes was faster than each without: no accident of the clock.
    pub fn apart(&self) -> bool {
        let slowest = self.after_ms.iter().copied().fold(0.0, f64::max);
        let fastest = self.before_ms.iter().copied().fold(f64::INFINITY, f64::min);
        slowest < fastest
    }

    pub fn ratios(&self) -> Vec<f64> {
        self.before_ms.iter().zip(&self.after_ms).map(|(b, a)| b / a.max(0.001)).collect()
    }
}

/// How many pairs a statement of this speed is worth.
pub(super) fn pairs_for(ms: f64) -> usize {
    match ms {
        ms if ms < 200.0 => 5,
        ms if ms < 2000.0 => 3,
        _ => 1,
    }
}

/// The middle value; the mean of the two middle ones when they are even in number.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => 0.0,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => (sorted.get(middle.saturating_sub(1)).unwrap_or(upper) + upper) / 2.0,
    }
}

impl<B: Bench> Prover<'_, B> {
    /// The limit of one run: the user's, but not far past the end of the budget.
    fn run_limit(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.options.limit.min(left.max(Duration::from_secs(1)))
    }

    /// Runs the statement as it stands until its time is known.
    pub(super) async fn baseline(&mut self) -> Result<Baseline> {
        let statement = self.statement.clone();
        let limit = self.options.limit;
        let first = self.bench.run(&statement, limit).await?;
        let mut comparison = self.comparing.comparison.clone();
        if first.timed_out {
            let plan = self.bench.plan(&statement, Duration::ZERO).await?;
            let measurement = measurement(&[first.ms], true, Some(plan));
            return Ok(Baseline { measurement, digest: None, comparison, settled: None });
        }
        // The first run warmed the cache; only a slow statement's first run counts.
        let runs = pairs_for(first.ms);
        let mut times = if runs == 1 { vec![first.ms] } else { Vec::new() };
        for _ in times.len()..runs {
            let run = self.bench.run(&statement, limit).await?;
            if let (Some(a), Some(b)) = (&first.digest, &run.digest)
                && let Outcome::Different(how) = a.compare(b, &comparison)
            {
                comparison = Comparison::Incomparable(format!(
                    "two runs of the unchanged statement already differ ({how})"
                ));
            }
            times.push(run.ms);
        }
        let plan = self.bench.plan(&statement, limit).await?;
        let measurement = measurement(&times, false, Some(plan));
        let settled = self.settle().await?;
        Ok(Baseline { measurement, digest: first.digest, comparison, settled })
    }

    /// Runs the statement `runs` times as things are now, after a warm-up when it is fast.
    pub(super) async fn time(&mut self, statement: &Statement, cut: Duration) -> Result<Pairs> {
        let limit = self.run_limit().min(cut);
        let mut pairs =
            Pairs { before_ms: Vec::new(), after_ms: Vec::new(), digest: None, timed_out: false };
        let warm = self.bench.run(statement, limit).await?;
        pairs.digest = warm.digest;
        pairs.timed_out = warm.timed_out;
        if warm.timed_out || pairs_for(warm.ms) == 1 {
            pairs.after_ms.push(warm.ms);
            return Ok(pairs);
        }
        for _ in 0..3 {
            pairs.after_ms.push(self.bench.run(statement, limit).await?.ms);
        }
        Ok(pairs)
    }

    /// Past this a run with changes is cut: it is no faster than before, beyond doubt.
    ///
    /// A statement that did not finish as it stands says nothing of how long a change may take;
    /// the time of the best set does, and a change that takes many times that is not what the
    /// reader is looking for.
    pub(super) fn cut(&self, baseline: &Baseline, set: Option<&Combination>) -> Duration {
        const AT_LEAST: Duration = Duration::from_secs(2);
        if !baseline.measurement.timed_out {
            // A fast statement wobbles, and its runs are cheap.
            let factor = if pairs_for(baseline.ms()) == 1 { 1.0 } else { 3.0 };
            return Duration::from_secs_f64((baseline.ms() * factor / 1000.0).clamp(2.0, 3600.0));
        }
        let best = set.and_then(|set| set.proof.after.as_ref()).and_then(|after| after.ms);
        match best {
            Some(ms) => Duration::from_secs_f64((ms * 20.0 / 1000.0).clamp(0.0, 3600.0)),
            None => self.options.limit,
        }
        .clamp(AT_LEAST, self.options.limit.max(AT_LEAST))
    }

    /// Measures what is switched on now against the statement as it stands. `switch` turns the
    /// changes off (`false`) and on (`true`) between the runs of a pair; `cut` ends a run with
    /// them.
    pub(super) async fn pairs<S>(
        &mut self,
        baseline: &Baseline,
        changed: &Statement,
        cut: Duration,
        mut switch: S,
    ) -> Result<Pairs>
    where
        S: AsyncFnMut(&mut B, bool) -> Result<()>,
    {
        let statement = self.statement.clone();
        let limit = self.run_limit().min(cut);
        let warm = self.bench.run(changed, limit).await?;
        let mut pairs = Pairs {
            before_ms: Vec::new(),
            after_ms: Vec::new(),
            digest: warm.digest,
            timed_out: warm.timed_out,
        };
        let before = baseline.ms();
        let clear = |ms: f64| before > 3.0 * ms || ms > 3.0 * before;
        if warm.timed_out || (pairs_for(before) == 1 && (clear(warm.ms) || before > 10_000.0)) {
            // The baseline just ran and the difference is beyond any wobble.
            pairs.before_ms.push(before);
            pairs.after_ms.push(warm.ms);
            if !warm.timed_out && warm.ms < 2000.0 {
                for _ in 0..2 {
                    pairs.before_ms.push(before);
                    pairs.after_ms.push(self.bench.run(changed, limit).await?.ms);
                }
            }
            return Ok(pairs);
        }
        let count = pairs_for(before);
        for number in 0..count {
            switch(self.bench, false).await?;
            let a = self.bench.run(&statement, self.options.limit).await?;
            switch(self.bench, true).await?;
            let b = self.bench.run(changed, limit).await?;
            pairs.before_ms.push(a.ms);
            pairs.after_ms.push(b.ms);
            pairs.timed_out |= b.timed_out;
            let decided = number + 1 >= 3 && {
                let ratios = pairs.ratios();
                ratios.iter().all(|r| *r > 3.0) || ratios.iter().all(|r| *r < 1.0 / 3.0)
            };
            if decided || self.out_of_time() {
                break;
            }
        }
        Ok(pairs)
    }
}

/// A measurement from times and a plan.
pub(super) fn measurement(times: &[f64], timed_out: bool, plan: Option<Plan>) -> Measurement {
    Measurement {
        ms: Some(median(times)),
        runs: u32::try_from(times.len()).unwrap_or(u32::MAX),
        reads: plan.as_ref().filter(|plan| plan.executed).and_then(|plan| plan.summary.reads),
        cost: None,
        timed_out,
        plan: plan.map(Box::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn slow_statements_run_less_often() {
        assert_eq!([1.0, 500.0, 5000.0].map(pairs_for), [5, 3, 1]);
    }
}
