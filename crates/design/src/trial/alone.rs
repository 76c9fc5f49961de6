use std::time::Instant;

use marula_core::{Progress, Result};

use super::canonical::{Answer, same};
use super::entrants::Entrant;
use super::failing::{Failed, ends_all, said};
use super::jobs::{Job, Operation};
use super::subject::Subject;
use crate::search::Work;
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

/// The answers to each operation that asks, with some parameters; or why there are none.
pub(super) type Answers = Vec<Result<Vec<Answer>>>;

/// The answers to all questions, each with some parameters.
///
/// # Errors
/// When nothing can be asked any more.
pub(super) async fn answers<S: Subject>(
    entrant: &Entrant<S>,
    world: &World<'_>,
    work: &Work,
    operations: &[Operation],
) -> Result<Answers> {
    let mut connection = entrant.subject.connect().await?;
    let mut found = Vec::new();
    for operation in operations {
        let mut answers = Ok(Vec::new());
        for serial in 0..COMPARED {
            let job = operation.job(world, work, entrant.structure(), serial);
            let (Job::Ask { asked, values }, Ok(known)) = (job, &mut answers) else { break };
            match entrant.subject.answer(&mut connection, asked, &values).await {
                Ok(answer) => known.push(answer),
                Err(error) if ends_all(&error) => return Err(error),
                Err(error) => answers = Err(error),
            }
        }
        found.push(answers);
    }
    Ok(found)
}

/// The first difference between two structures' answers, in words.
pub(super) fn difference(
    operations: &[Operation],
    left: &Answers,
    right: &Answers,
) -> Option<String> {
    let each = operations.iter().zip(left.iter().zip(right));
    each.into_iter().find_map(|(operation, pair)| {
        let found = match pair {
            (Ok(left), Ok(right)) => left.iter().zip(right).find_map(|(l, r)| same(l, r).err()),
            (Err(_), Err(_)) => None,
            (Err(error), _) | (_, Err(error)) => Some(said(error)),
        };
        found.map(|difference| format!("{}: {difference}", operation.name))
    })
}

/// How each operation went on one structure, one run after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Timed {
    /// The times of the runs that were done, in milliseconds, sorted.
    pub(super) ms: Vec<f64>,
    /// How many runs there were.
    pub(super) runs: u64,
    /// Those that failed.
    pub(super) failed: Failed,
}

impl Timed {
    /// Why the operation cannot be measured here: half of its runs and more failed.
    pub(super) fn refused(&self) -> Option<String> {
        let failed = self.failed.runs.len() as u64;
        self.failed.first.clone().filter(|_| failed * 2 >= self.runs)
    }
}

/// Times every operation alone, structure after structure in turns, so that whatever else the
/// machine does meets all of them.
///
/// # Errors
/// When nothing can be run any more.
pub(super) async fn time<S: Subject>(
    entrants: &[Entrant<S>],
    world: &World<'_>,
    work: &Work,
    operations: &[Operation],
    progress: &dyn Progress,
) -> Result<Vec<Vec<Timed>>> {
    let mut times: Vec<Vec<Timed>> = vec![vec![Timed::default(); operations.len()]; entrants.len()];
    let mut connections = Vec::new();
    for entrant in entrants {
        connections.push(entrant.subject.connect().await?);
    }
    let total = operations.len() as u64;
    for (number, operation) in operations.iter().enumerate() {
        progress.advance(number as u64, total);
        for serial in 0..TIMES {
            for (at, Entrant { subject, candidate, .. }) in entrants.iter().enumerate() {
                let timed = &mut times[at][number];
                let known: f64 = timed.ms.iter().sum();
                // Writes must be the same everywhere, however long they take.
                if operation.kind() == "query" && known > PATIENCE_MS {
                    continue;
                }
                let job = operation.job(world, work, &candidate.structure, serial);
                // There was nobody left to write to.
                if matches!(&job, Job::Do(effects) if effects.is_empty()) {
                    continue;
                }
                timed.runs += 1;
                let run = async {
                    let prepared = subject.prepare(&job)?;
                    let started = Instant::now();
                    subject.perform(&mut connections[at], &prepared).await?;
                    Ok(started.elapsed().as_secs_f64() * 1000.0)
                };
                match run.await {
                    Ok(ms) if serial >= WARM_UP => timed.ms.push(ms),
                    Ok(_) => {}
                    Err(error) if ends_all(&error) => return Err(error),
                    Err(error) => timed.failed.add(serial, &error),
                }
            }
        }
    }
    for timed in times.iter_mut().flatten() {
        timed.ms.sort_unstable_by(f64::total_cmp);
    }
    Ok(times)
}

/// The value that `share` of the sorted times do not exceed.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
