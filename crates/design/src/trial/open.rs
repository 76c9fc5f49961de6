//! The whole workload at the model's rates, whether the server keeps up or not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use marula_core::{Error, Result};

use super::alone;
use super::failing::said;
use super::jobs::{Job, Operation};
use super::subject::Subject;
use crate::search::Work;
use crate::structure::Structure;
use crate::synth::{Dice, World};

/// How many connections there are.
const CONNECTIONS: usize = 12;
/// Writes of the load have numbers of their own: they go on where those done alone ended.
const FIRST: u64 = alone::TIMES;
/// How many different jobs are made of an operation; after them it begins anew with its questions.
const MOST: usize = 200_000;

/// What an operation came to under load.
#[derive(Debug, Clone, Default)]
pub(super) struct Under {
    /// The times from when a run was due, in milliseconds, sorted.
    pub(super) ms: Vec<f64>,
    /// How many runs failed.
    pub(super) failed: u64,
    /// The first failure.
    pub(super) failure: Option<String>,
}

/// Runs the operations at their rates times `pace`. Arrivals are a Poisson process: the next one
/// does not wait for the last.
pub(super) async fn load<S: Subject>(
    subject: &S,
    structure: &Structure,
    world: &World<'_>,
    work: &Work,
    operations: &[Operation],
    pace: f64,
    length: Duration,
) -> Result<Vec<Under>> {
    if length.is_zero() {
        return Ok(vec![Under::default(); operations.len()]);
    }
    let mut due: Vec<(f64, usize, u64)> = Vec::new();
    for (at, operation) in operations.iter().enumerate() {
        let mut dice = Dice::of(&[0x6c6f_6164, at as u64]);
        let rate = operation.rate * pace;
        let mut moment = 0.0;
        let mut serial = FIRST;
        while rate > 0.0 && due.len() < MOST {
            moment += -(1.0 - dice.share()).ln() / rate;
            if moment >= length.as_secs_f64() {
                break;
            }
            due.push((moment, at, serial));
            serial += 1;
        }
    }
    due.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut jobs = Vec::with_capacity(due.len());
    for (moment, at, serial) in due {
        let job = operations[at].job(world, work, structure, serial);
        // There was nobody left to write to.
        if matches!(&job, Job::Do(effects) if effects.is_empty()) {
            continue;
        }
        jobs.push((Duration::from_secs_f64(moment), at, subject.prepare(&job)));
    }
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(subject.connect().await?);
    }
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Under>> = Mutex::new(vec![Under::default(); operations.len()]);
    let begun = Instant::now() + Duration::from_millis(20);
    let workers = connections.into_iter().map(|mut connection| {
        let (jobs, next, found) = (&jobs, &next, &found);
        async move {
            while let Some((after, at, prepared)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let due = begun + *after;
                // Waiting is no fault of the server; coming late, with all connections taken, is.
                let late = Instant::now() > due;
                tokio::time::sleep_until(due.into()).await;
                let started = if late { due } else { Instant::now() };
                let done = match prepared {
                    Ok(prepared) => subject.perform(&mut connection, prepared).await,
                    Err(error) => Err(Error::new(error.kind(), error.message())),
                };
                let ms = started.elapsed().as_secs_f64() * 1000.0;
                let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                found[*at].ms.push(ms);
                if let Err(error) = done {
                    found[*at].failed += 1;
                    found[*at].failure.get_or_insert_with(|| said(&error));
                }
            }
            Ok::<(), Error>(())
        }
    });
    try_join_all(workers).await?;
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.iter_mut().for_each(|under| under.ms.sort_unstable_by(f64::total_cmp));
    Ok(found)
}
