use std::time::Instant;

use marula_core::{Progress, Result};

use super::canonical::{Answer, same};
use super::jobs::{Job, Operation};
use super::subject::Subject;
use crate::search::Work;
use crate::structure::Structure;
use crate::synth::World;

/// How often each operation is timed alone, and how often it is run before that. The writes among
/// them are the same for every structure.
const RUNS: u64 = 25;
const WARM_UP: u64 = 5;
/// How often that is in all.
pub(super) const TIMES: u64 = WARM_UP + RUNS;
/// How many parameters each question is compared with.
const COMPARED: u64 = 4;
/// The longest that one operation is timed on one structure.
const PATIENCE_MS: f64 = 3_000.0;

/// Each operation's times on one structure, in milliseconds, sorted.
pub(super) type Times = Vec<Vec<f64>>;

/// The answers to all questions, each with some parameters.
pub(super) async fn answers<S: Subject>(
    subject: &S,
    world: &World<'_>,
    work: &Work,
    structure: &Structure,
    operations: &[Operation],
) -> Result<Vec<Answer>> {
    let mut connection = subject.connect().await?;
    let mut found = Vec::new();
    for operation in operations {
        for serial in 0..COMPARED {
            if let Job::Ask { asked, values } = operation.job(world, work, structure, serial) {
                found.push(subject.answer(&mut connection, asked, &values).await?);
            }
        }
    }
    Ok(found)
}

/// The first difference between two structures' answers, in words.
pub(super) fn difference(
    operations: &[Operation],
    left: &[Answer],
    right: &[Answer],
) -> Option<String> {
    let names = operations
        .iter()
        .filter(|operation| operation.kind() == "query")
        .flat_map(|operation| std::iter::repeat_n(&operation.name, COMPARED as usize));
    names.zip(left.iter().zip(right)).find_map(|(name, (left, right))| {
        same(left, right).err().map(|difference| format!("{name}: {difference}"))
    })
}

/// Times every operation alone, structure after structure in turns, so that whatever else the
/// machine does meets all of them.
pub(super) async fn time<S: Subject>(
    subjects: &[(S, Structure)],
    world: &World<'_>,
    work: &Work,
    operations: &[Operation],
    progress: &dyn Progress,
) -> Result<Vec<Times>> {
    let mut times: Vec<Times> = vec![vec![Vec::new(); operations.len()]; subjects.len()];
    let mut connections = Vec::new();
    for (subject, _) in subjects {
        connections.push(subject.connect().await?);
    }
    let total = operations.len() as u64;
    for (number, operation) in operations.iter().enumerate() {
        progress.advance(number as u64, total);
        for serial in 0..TIMES {
            for (at, (subject, structure)) in subjects.iter().enumerate() {
                let known: f64 = times[at][number].iter().sum();
                // Writes must be the same everywhere, however long they take.
                if operation.kind() == "query" && known > PATIENCE_MS {
                    continue;
                }
                let prepared = subject.prepare(&operation.job(world, work, structure, serial))?;
                let started = Instant::now();
                subject.perform(&mut connections[at], &prepared).await?;
                if serial >= WARM_UP {
                    times[at][number].push(started.elapsed().as_secs_f64() * 1000.0);
                }
            }
        }
    }
    for times in times.iter_mut().flatten() {
        times.sort_unstable_by(f64::total_cmp);
    }
    Ok(times)
}

/// The value that `share` of the sorted times do not exceed.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
