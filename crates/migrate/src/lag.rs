//! How far a standby is behind, by our own clock: positions of the log, and when we saw them
//! written.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often both servers are asked.
pub(crate) const EVERY: Duration = Duration::from_millis(20);
/// How long a standby may take to catch up once nothing is written any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What was written and not yet replayed.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// Positions in the order in which they were seen, each with the first moment it was seen.
    written: VecDeque<(Instant, u64)>,
    last: u64,
    worst: Duration,
}

impl Lag {
    /// The log reaches to `position`.
    pub(crate) fn wrote(&mut self, now: Instant, position: u64) {
        if position > self.last {
            self.last = position;
            self.written.push_back((now, position));
        }
    }

    /// The standby has replayed up to `position`.
    pub(crate) fn replayed(&mut self, now: Instant, position: u64) {
        while self.written.front().is_some_and(|(_, written)| *written <= position) {
            self.written.pop_front();
        }
        if let Some((since, _)) = self.written.front() {
            self.worst = self.worst.max(now.saturating_duration_since(*since));
        }
    }

    /// Whether it has replayed all that was seen.
    pub(crate) fn is_even(&self) -> bool {
        self.written.is_empty()
    }

    /// The most it was behind, in milliseconds.
    pub(crate) fn worst_ms(&self) -> f64 {
        self.worst.as_secs_f64() * 1e3
    }

    /// How far it is behind now: the age of the oldest write it has not replayed.
    pub(crate) fn behind(&self, now: Instant) -> Duration {
        self.written
            .front()
            .map_or(Duration::ZERO, |(since, _)| now.saturating_duration_since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_the_age_of_the_oldest_write_that_is_not_replayed() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let mut lag = Lag::default();
        lag.wrote(at(0), 10);
        lag.replayed(at(1), 10);
        assert_eq!((lag.is_even(), lag.worst_ms()), (true, 0.0));
        lag.wrote(at(100), 20);
        lag.wrote(at(200), 30);
        lag.wrote(at(300), 30);
        lag.replayed(at(310), 15);
        lag.replayed(at(400), 20);
        assert_eq!((lag.is_even(), lag.worst_ms()), (false, 210.0));
        assert_eq!(lag.behind(at(500)), Duration::from_millis(300));
        lag.replayed(at(900), 30);
        assert_eq!((lag.is_even(), lag.worst_ms()), (true, 210.0));
    }
}
