use std::time::Duration;

use marula_core::{
    CandidateDesign, Engine, EngineDesigns, Error, LabServer, LeftOut, OperationTimes, Progress,
    Result,
};
use marula_lab::discover;
use marula_lab::{MongoServer, PostgresServer, StartOptions};

use super::alone::{self, Times, percentile};
use super::canonical::Answer;
use super::jobs::{Operation, operations};
use super::mongodb::Mongodb;
use super::open;
use super::postgres::Postgres;
use super::subject::Subject;
use super::verdict::rank;
use crate::schema::Schema;
use crate::search::{Candidate, Work, by_the_rules, effort, indexes};
use crate::structure::Structure;
use crate::synth::World;

/// The most of the machine's time that the workload may ask for, by what its operations take alone:
/// above it the rates are lowered, for every design alike.
const BUSY: f64 = 0.5;

/// How a trial is made.
#[derive(Debug, Clone)]
pub struct TrialOptions {
    /// The version of the server; the newest installed when nothing is said.
    pub version: Option<marula_core::Version>,
    /// How long each design is under load.
    pub length: Duration,
    /// The server's cache, in MB.
    pub cache_mb: u32,
}

impl Default for TrialOptions {
    fn default() -> Self {
        TrialOptions { version: None, length: Duration::from_secs(8), cache_mb: 512 }
    }
}

/// What came of trying the candidates of one engine.
#[derive(Debug)]
pub struct Tried {
    /// The designs, measured.
    pub designs: EngineDesigns,
    /// The answers that the proposed design gave before anything was written.
    pub answers: Vec<Answer>,
}

/// Tries candidates on PostgreSQL, with every commit on disk before it is acknowledged.
///
/// # Errors
/// `Lab` when no server starts; what the server says.
pub async fn postgres(
    world: &World<'_>,
    work: &Work,
    candidates: &[Candidate],
    options: &TrialOptions,
    progress: &dyn Progress,
) -> Result<Tried> {
    let install = install(Engine::Postgres, options.version)?;
    let start = StartOptions { cache_mb: options.cache_mb, ..StartOptions::default() }
        .setting("fsync", "on")
        .setting("jit", "off");
    progress.step("starting PostgreSQL");
    let server = PostgresServer::start(&install, &start).await?;
    let mut subjects = Vec::new();
    for candidate in candidates {
        progress.step(&format!("filling {}", candidate.name));
        let spec = server.create_database().await?;
        let wanted = indexes(world.model, &candidate.structure, work);
        let subject =
            Postgres::build(world, work, candidate.structure.clone(), &wanted, spec).await?;
        subjects.push((subject, candidate.structure.clone()));
    }
    let server = LabServer { engine: Engine::Postgres, version: server.version() };
    let built = |subject: &Postgres<'_>| (subject.schema.clone(), subject.filled_ms);
    measure(server, subjects, built, world, work, candidates, options, progress).await
}

/// Tries candidates on MongoDB: a replica set of one, every write in the journal of the majority
/// before it is acknowledged.
///
/// # Errors
/// `Lab` when no server starts; what the server says.
pub async fn mongodb(
    world: &World<'_>,
    work: &Work,
    candidates: &[Candidate],
    options: &TrialOptions,
    progress: &dyn Progress,
) -> Result<Tried> {
    let install = install(Engine::Mongodb, options.version)?;
    let start =
        StartOptions { cache_mb: options.cache_mb, ..StartOptions::default() }.replica_set();
    progress.step("starting MongoDB");
    let server = MongoServer::start(&install, &start).await?;
    let mut subjects = Vec::new();
    for candidate in candidates {
        progress.step(&format!("filling {}", candidate.name));
        let spec = server.create_database().await?;
        let wanted = indexes(world.model, &candidate.structure, work);
        let subject =
            Mongodb::build(world, work, candidate.structure.clone(), &wanted, spec).await?;
        subjects.push((subject, candidate.structure.clone()));
    }
    let server = LabServer { engine: Engine::Mongodb, version: server.version() };
    let built = |subject: &Mongodb<'_>| (subject.schema.clone(), subject.filled_ms);
    measure(server, subjects, built, world, work, candidates, options, progress).await
}

/// The version that was asked for, or the newest there is.
fn install(engine: Engine, version: Option<marula_core::Version>) -> Result<discover::Install> {
    let newest =
        || discover::search().installs.into_iter().find(|install| install.engine == engine);
    match (version, newest()) {
        (None, Some(newest)) => Ok(newest),
        _ => discover::choose_exactly(engine, version),
    }
}

#[allow(clippy::too_many_arguments)]
async fn measure<S: Subject>(
    server: LabServer,
    subjects: Vec<(S, Structure)>,
    built: impl Fn(&S) -> (Schema, f64),
    world: &World<'_>,
    work: &Work,
    candidates: &[Candidate],
    options: &TrialOptions,
    progress: &dyn Progress,
) -> Result<Tried> {
    let (operations, idle): (Vec<Operation>, Vec<Operation>) =
        operations(world.model, work).into_iter().partition(|operation| {
            let structure = subjects.first().map(|(_, structure)| structure);
            structure.is_some_and(|structure| operation.does_something(world, work, structure))
        });
    progress.step("comparing answers");
    let before = answers(&subjects, world, work, &operations).await?;
    progress.step("timing each operation alone");
    let times = alone::time(&subjects, world, work, &operations, progress).await?;
    progress.step("comparing answers after the writes");
    let after = answers(&subjects, world, work, &operations).await?;
    let pace = pace(&operations, &times);
    let by_the_rules = by_the_rules(world.model, work, server.engine);
    let mut designs = Vec::new();
    for (at, (subject, structure)) in subjects.iter().enumerate() {
        let candidate = &candidates[at];
        progress.step(&format!("putting {} to work", candidate.name));
        let under =
            open::load(subject, structure, world, work, &operations, pace, options.length).await?;
        let (schema, filled_ms) = built(subject);
        let mut notes = schema.notes.clone();
        for (when, answers) in [("", &before), (" after the same writes", &after)] {
            let differs = alone::difference(&operations, &answers[0], &answers[at]);
            notes.extend(differs.map(|difference| format!("answers differ{when}: {difference}")));
        }
        let equal = notes.iter().all(|note| !note.starts_with("answers differ"));
        let mut rows = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            let under = &under[number];
            notes.extend(under.failure.as_ref().map(|failure| {
                format!(
                    "{}: {} of {} runs failed: {failure}",
                    operation.name,
                    under.failed,
                    under.ms.len()
                )
            }));
            let sent = subject.prepare(&operation.job(world, work, structure, 0))?;
            rows.push(OperationTimes {
                name: operation.name.clone(),
                kind: operation.kind().into(),
                rate: operation.rate * pace,
                alone_ms: percentile(&times[at][number], 0.5),
                p50_ms: percentile(&under.ms, 0.5),
                p99_ms: percentile(&under.ms, 0.99),
                runs: under.ms.len() as u64,
                failed: under.failed,
                goal_ms: operation.goal_ms,
                text: subject.text(&sent),
            });
        }
        let missed = rows
            .iter()
            .filter(|row| row.runs > 0 && row.goal_ms.is_some_and(|goal| row.p99_ms > goal));
        let design = CandidateDesign {
            name: candidate.name.clone(),
            why: candidate.why.clone(),
            by_the_rules: *structure == by_the_rules,
            work_ms: work_ms(&operations, &times[at]),
            doubt_ms: doubt_ms(&operations, &times[at]),
            estimated_ms: candidate.cost,
            bytes: subject.bytes().await?,
            filled_ms,
            results_equal: work.asked.first().map(|_| equal),
            goals_missed: missed.count() as u32,
            done_per_second: rows.iter().map(|row| (row.runs - row.failed) as f64).sum::<f64>()
                / options.length.as_secs_f64(),
            operations: rows,
            script: schema.to_script(),
            notes,
        };
        designs.push((design, effort(structure)));
    }
    let verdict = rank(&mut designs);
    let designs: Vec<CandidateDesign> = designs.into_iter().map(|(design, _)| design).collect();
    let first = candidates
        .iter()
        .position(|candidate| candidate.name == designs[0].name)
        .unwrap_or_default();
    Ok(Tried {
        answers: before.into_iter().nth(first).unwrap_or_default(),
        designs: EngineDesigns {
            server,
            rows: world.total(),
            share: world.share(),
            pace,
            seconds: options.length.as_secs_f64(),
            rules_of_thumb: rules_of_thumb(&designs),
            candidates: designs,
            verdict,
            left_out: left_out(work, &idle),
        },
    })
}

fn left_out(work: &Work, idle: &[Operation]) -> Vec<LeftOut> {
    let of = |statement: &str, reason: String| LeftOut {
        statement: statement.to_owned(),
        calls: 0,
        reason,
    };
    let queries =
        work.left_out.iter().map(|(name, error): &(String, Error)| of(name, error.to_string()));
    let writes = idle.iter().map(|operation| {
        let reason = "it changes nothing, or adds what everybody it could belong to has already";
        of(&operation.name, reason.into())
    });
    queries.chain(writes).collect()
}

async fn answers<S: Subject>(
    subjects: &[(S, Structure)],
    world: &World<'_>,
    work: &Work,
    operations: &[Operation],
) -> Result<Vec<Vec<Answer>>> {
    let mut all = Vec::new();
    for (subject, structure) in subjects {
        all.push(alone::answers(subject, world, work, structure, operations).await?);
    }
    Ok(all)
}

/// The time all work of a second takes, in milliseconds.
fn work_ms(operations: &[Operation], times: &Times) -> f64 {
    operations
        .iter()
        .zip(times)
        .map(|(operation, times)| operation.rate * percentile(times, 0.5))
        .sum()
}

/// Half the width of the 95 % interval of that time: a median's is 1.57 times the middle half of the
/// times over the root of their number (McGill, Tukey and Larsen, 1978).
fn doubt_ms(operations: &[Operation], times: &Times) -> f64 {
    let each = operations.iter().zip(times).map(|(operation, times)| {
        let middle = percentile(times, 0.75) - percentile(times, 0.25);
        operation.rate * 1.57 * middle / (times.len().max(1) as f64).sqrt()
    });
    each.map(|doubt| doubt * doubt).sum::<f64>().sqrt()
}

/// What the rates are multiplied with so that the best of the designs keeps up.
fn pace(operations: &[Operation], times: &[Times]) -> f64 {
    let least = times.iter().map(|times| work_ms(operations, times)).fold(f64::INFINITY, f64::min);
    let may = 1_000.0 * BUSY;
    if least > may { may / least } else { 1.0 }
}

/// What became of the rules of thumb: how the design they give fared beside the best.
fn rules_of_thumb(designs: &[CandidateDesign]) -> Vec<String> {
    let Some(best) = designs.first() else { return Vec::new() };
    let Some(rules) = designs.iter().find(|design| design.by_the_rules) else { return Vec::new() };
    if best.by_the_rules {
        return vec![format!("the rules of thumb are followed: {}", best.name)];
    }
    vec![format!(
        "the rules of thumb are broken: they give {}, which takes {:.2} times the work and misses {} goals instead of {}",
        rules.name,
        rules.work_ms / best.work_ms.max(1e-9),
        rules.goals_missed,
        best.goals_missed
    )]
}
