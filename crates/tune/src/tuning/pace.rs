//! How long a run really takes, on a machine that has other things to do as well.

use std::time::Duration;

use marula_core::{Result, Statement};
use marula_lab::bench::Run;

use super::Tuner;
use super::arena::{Arena, Set};
use super::trial::SHORT_MS;

/// The most pairs of runs until it is said that a statement gets slower.
const PAIRS: usize = 4;
/// Beyond this the clock is believed at once: no neighbour on the machine does that to one side of
/// every pair.
const CLEAR: f64 = 2.5;

impl<A: Arena> Tuner<'_, A> {
    /// The time of one run, at the pace of the base's run. Unless it is clearly quicker, both
    /// wordings are run in turn until one side is: a machine that got busier meanwhile makes both
    /// slower, and the quickest run of each side is the one that was disturbed least.
    pub(super) async fn settle(
        &mut self,
        statement: usize,
        text: &Statement,
        first: &Run,
        limit: Duration,
        set: &Set,
    ) -> Result<f64> {
        let base = self.book.base[statement].clone();
        if base.timed_out {
            return Ok(if first.timed_out { base.ms } else { first.ms });
        }
        let mut ms = if first.timed_out { f64::INFINITY } else { first.ms };
        if ms < SHORT_MS && ms >= base.ms * 0.5 {
            ms = ms.min(self.run(text, limit).await?.ms);
        }
        // So short that a timer's tick shows in it.
        let more = if ms < 2.0 { 10 } else { 4 };
        for _ in 0..if ms < 50.0 { more } else { 0 } {
            ms = ms.min(self.run(text, limit).await?.ms);
        }
        if ms < base.ms * 0.8 {
            return Ok(ms);
        }
        let original = self.subjects[statement].statement.clone();
        let mut before = f64::INFINITY;
        for pair in 0..PAIRS {
            self.activate(&Set::new()).await?;
            let original = self.run(&original, self.options.timeout).await?;
            before = before.min(original.ms);
            self.activate(set).await?;
            // What takes longer than this while the original does not is no good beyond doubt.
            let limit = original.clock_ms * CLEAR / 1000.0 + 0.5;
            let limit = Duration::from_secs_f64(limit.clamp(1.0, 3600.0));
            let run = self.run(text, limit).await?;
            ms = if run.timed_out { ms } else { ms.min(run.ms) };
            let quick = ms < before * 1.03;
            let slow = ms > before * CLEAR;
            if (quick && (before > SHORT_MS || pair > 0)) || slow {
                break;
            }
        }
        Ok(if ms.is_finite() { base.ms * ms / before.max(0.001) } else { ms })
    }

    /// How long a run may take until it is no good beyond doubt.
    pub(super) fn cut(&self, statement: usize) -> Duration {
        let base = &self.book.base[statement];
        match base.timed_out {
            true => self.options.timeout,
            false => {
                let seconds = (base.ms * 2.0 / 1000.0 + 0.5) * self.pace.max(1.0);
                Duration::from_secs_f64(seconds.clamp(1.0, 3600.0))
            }
        }
    }
}
