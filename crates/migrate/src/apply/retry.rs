//! Trying again what failed for want of a lock.

use std::time::Duration;

use rand::Rng;

/// How long to wait before try `n + 1`, `n` from 1: twice as long each time, up to five seconds,
/// and never twice the same, so that two that met do not meet again.
pub(crate) fn pause(n: u32) -> Duration {
    let full = 100u64.saturating_mul(1 << n.min(6)).min(5_000);
    Duration::from_millis(rand::rng().random_range(full / 2..=full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for _ in 0..100 {
            assert!(pause(1) <= Duration::from_millis(200));
            assert!(pause(3) >= Duration::from_millis(400));
            assert!(pause(u32::MAX) <= Duration::from_secs(5));
        }
    }
}
