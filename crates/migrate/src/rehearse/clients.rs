//! What clients measured, written down as they go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Span;

/// One operation of a client.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Which sort it is, by its number in the load.
    pub kind: usize,
    /// Which connection sent it, by the server's number for it.
    pub connection: i64,
    /// From sending it to its answer.
    pub span: Span,
    /// The server's complaint.
    pub error: Option<String>,
}

/// Where all clients write down what they measured, and are told to stop.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    done: Mutex<Vec<Operation>>,
    stopped: AtomicBool,
    woken: Notify,
}

impl Ledger {
    /// Writes an operation down.
    pub(crate) fn add(&self, operation: Operation) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }

    /// All that was written down.
    pub(crate) fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks all clients to stop after what they are doing.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.woken.notify_waiters();
    }

    /// Whether clients are to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Waits so long, or until all are to stop.
    pub(crate) async fn pause(&self, time: Duration) {
        let woken = self.woken.notified();
        if !self.is_stopped() && !time.is_zero() {
            let _ = tokio::time::timeout(time, woken).await;
        }
    }
}

/// Keeps a client to its rate: an operation that took too long is not made up for, so that a stall
/// is not followed by a burst that real clients, which wait for their answers, do not make.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    next: Instant,
}

impl Pace {
    /// One operation in `every`; clients begin at different moments of it.
    pub(crate) fn new(clients: u32, rate: f64, client: u32) -> Pace {
        let every = Duration::from_secs_f64(f64::from(clients.max(1)) / rate.clamp(0.1, 1e6));
        let phase = every.mul_f64(f64::from(client) / f64::from(clients.max(1)));
        Pace { every, next: Instant::now() + phase }
    }

    /// Waits until it is time for the next operation.
    pub(crate) async fn wait(&mut self, ledger: &Ledger) {
        let now = Instant::now();
        if self.next > now {
            ledger.pause(self.next - now).await;
        } else {
            self.next = now;
        }
        self.next += self.every;
    }
}

/// Which of the sorts (by name, with their weights) one client does: all of one name, on every
/// table or collection, so that who writes and waits does not keep from reading.
pub(crate) fn deal(sorts: &[(&str, u32)], client: u32, clients: u32) -> Vec<usize> {
    let mut names: Vec<(&str, u32)> = Vec::new();
    for (name, weight) in sorts {
        if !names.iter().any(|(known, _)| known == name) {
            names.push((name, (*weight).max(1)));
        }
    }
    // The first clients do one sort each; the rest are dealt out by weight.
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let chosen = if client < count {
        client as usize
    } else {
        let total: u32 = names.iter().map(|(_, weight)| weight).sum();
        let mut at = (client - count) * total / clients.saturating_sub(count).max(1);
        let passed = |(_, weight): &&(&str, u32)| {
            let passes = at >= *weight;
            at = at.saturating_sub(*weight);
            passes
        };
        names.iter().take_while(passed).count().min(names.len().saturating_sub(1))
    };
    let Some((name, _)) = names.get(chosen) else { return Vec::new() };
    let own = sorts.iter().enumerate().filter(|(_, (own, _))| own == name);
    own.map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::deal;

    #[test]
    fn every_sort_has_a_client_and_the_rest_goes_by_weight() {
        let sorts = [("read", 5), ("update", 3), ("insert", 2), ("read", 5)];
        let dealt: Vec<Vec<usize>> = (0..8).map(|client| deal(&sorts, client, 8)).collect();
        assert_eq!(dealt[..3], [vec![0, 3], vec![1], vec![2]]);
        let readers = dealt.iter().filter(|own| own.contains(&0)).count();
        assert!((3..=5).contains(&readers), "{dealt:?}");
        assert!(deal(&[], 0, 8).is_empty());
        assert_eq!(deal(&sorts, 0, 1), [0, 3]);
    }
}
