use std::time::Duration;

use marula_core::{
    CandidateDesign, Engine, EngineDesigns, LabServer, OperationTimes, Progress, Result,
};
use marula_lab::discover;
use marula_lab::{MongoServer, PostgresServer, StartOptions};

use super::alone::{self, percentile};
use super::canonical::Answer;
use super::entrants::{Entrant, Entrants};
use super::figures::{doubt_ms, given, not_asked, pace, rules_of_thumb, work_ms};
use super::jobs::{Operation, operations};
use super::mongodb::Mongodb;
use super::open;
use super::postgres::Postgres;
use super::subject::Subject;
use super::verdict::rank;
use crate::search::{Candidate, Work, by_the_rules, effort, indexes};
use crate::structure::Structure;
use crate::synth::World;

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
    /// The query that each of them answers.
    pub asked: Vec<String>,
}

/// Tries candidates on PostgreSQL, with every commit on disk before it is acknowledged.
///
/// # Errors
/// `Lab` when no server starts, or the server took none of the candidates.
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
    let mut entrants = Entrants::new();
    for candidate in candidates {
        progress.step(&format!("filling {}", candidate.name));
        let spec = server.create_database().await?;
        let wanted = indexes(world.model, &candidate.structure, work);
        let built = Postgres::build(world, work, candidate.structure.clone(), &wanted, spec).await;
        entrants.add(candidate, built)?;
    }
    let server = LabServer { engine: Engine::Postgres, version: server.version() };
    measure(server, entrants, world, work, options, progress).await
}

/// Tries candidates on MongoDB: a replica set of one, every write in the journal of the majority
/// before it is acknowledged.
///
/// # Errors
/// `Lab` when no server starts, or the server took none of the candidates.
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
    let mut entrants = Entrants::new();
    for candidate in candidates {
        progress.step(&format!("filling {}", candidate.name));
        let spec = server.create_database().await?;
        let wanted = indexes(world.model, &candidate.structure, work);
        let built = Mongodb::build(world, work, candidate.structure.clone(), &wanted, spec).await;
        entrants.add(candidate, built)?;
    }
    let server = LabServer { engine: Engine::Mongodb, version: server.version() };
    measure(server, entrants, world, work, options, progress).await
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

async fn measure<S: Subject>(
    server: LabServer,
    mut entrants: Entrants<S>,
    world: &World<'_>,
    work: &Work,
    options: &TrialOptions,
    progress: &dyn Progress,
) -> Result<Tried> {
    entrants.or_end()?;
    let (mut operations, idle): (Vec<Operation>, Vec<Operation>) =
        operations(world.model, work).into_iter().partition(|operation| {
            let structure = entrants.all.first().map(Entrant::structure);
            structure.is_some_and(|structure| operation.does_something(world, work, structure))
        });
    progress.step("comparing answers");
    for entrant in &mut entrants.all {
        entrant.before = alone::answers(entrant, world, work, &operations).await?;
    }
    let refused = |entrant: &Entrant<S>, at: usize| {
        entrant.before[at].as_ref().err().map(super::failing::said)
    };
    // What keeps nothing twice has nothing to keep in step: its answers are the true ones.
    let plain = Structure::normalised(world.model);
    entrants.sift(&mut operations, &plain, refused);
    progress.step("timing each operation alone");
    let timed = alone::time(&entrants.all, world, work, &operations, progress).await?;
    for (entrant, timed) in entrants.all.iter_mut().zip(timed) {
        entrant.failed = timed.iter().map(|timed| timed.failed.clone()).collect();
        entrant.timed = timed;
    }
    let ran = operations.clone();
    entrants.sift(&mut operations, &plain, |entrant, at| entrant.timed[at].refused());
    entrants.or_end()?;
    let apart = entrants.apart(&ran);
    progress.step("comparing answers after the writes");
    for entrant in &mut entrants.all {
        entrant.after = alone::answers(entrant, world, work, &operations).await?;
    }
    let pace = pace(&operations, &entrants.all);
    let length = if operations.is_empty() { Duration::ZERO } else { options.length };
    let by_the_rules = by_the_rules(world.model, work, server.engine);
    let is_plain = |entrant: &Entrant<S>| *entrant.structure() == plain;
    let truth = entrants.all.iter().find(|entrant| is_plain(entrant)).unwrap_or(&entrants.all[0]);
    let mut designs = Vec::new();
    for entrant in &entrants.all {
        let Entrant { subject, candidate, schema, timed, .. } = entrant;
        progress.step(&format!("putting {} to work", candidate.name));
        let under =
            open::load(subject, &candidate.structure, world, work, &operations, pace, length)
                .await?;
        let mut notes = schema.notes.clone();
        if !is_plain(truth) {
            notes.push(format!(
                "answers are compared with those of {}: the normalised design was set aside",
                truth.candidate.name
            ));
        }
        let mut compared = vec![("", &truth.before, &entrant.before)];
        match &apart {
            None => compared.push((" after the same writes", &truth.after, &entrant.after)),
            Some(why) => notes.push(format!(
                "answers after the writes are not compared: one of the designs refuses what another \
                 takes: {why}"
            )),
        }
        for (when, left, right) in compared {
            let differs = alone::difference(&operations, left, right);
            notes.extend(differs.map(|difference| {
                let name = &truth.candidate.name;
                let differ = CandidateDesign::DIFFER;
                format!("{differ} from those of {name}{when}: {difference}")
            }));
        }
        let equal = notes.iter().all(|note| !note.starts_with(CandidateDesign::DIFFER));
        let mut rows = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            let under = &under[number];
            let alone = &timed[number];
            let failures = [
                ("alone", alone.failed.runs.len() as u64, alone.runs, &alone.failed.first),
                ("under load", under.failed, under.ms.len() as u64, &under.failure),
            ];
            for (when, failed, runs, why) in failures {
                notes.extend(why.as_ref().map(|why| {
                    format!("{}: {failed} of {runs} runs {when} failed: {why}", operation.name)
                }));
            }
            let job = operation.job(world, work, &candidate.structure, 0);
            let sent = subject.prepare(&job).map(|sent| subject.text(&sent));
            rows.push(OperationTimes {
                name: operation.name.clone(),
                kind: operation.kind().into(),
                rate: operation.rate * pace,
                alone_ms: percentile(&alone.ms, 0.5),
                p50_ms: percentile(&under.ms, 0.5),
                p99_ms: percentile(&under.ms, 0.99),
                runs: under.ms.len() as u64,
                failed: under.failed,
                goal_ms: operation.goal_ms,
                text: sent.unwrap_or_default(),
            });
        }
        let missed = rows
            .iter()
            .filter(|row| row.runs > 0 && row.goal_ms.is_some_and(|goal| row.p99_ms > goal));
        let design = CandidateDesign {
            name: candidate.name.clone(),
            why: candidate.why.clone(),
            by_the_rules: candidate.structure == by_the_rules,
            work_ms: work_ms(&operations, timed),
            doubt_ms: doubt_ms(&operations, timed),
            estimated_ms: candidate.cost,
            bytes: subject.bytes().await?,
            filled_ms: entrant.filled_ms,
            results_equal: operations.iter().find(|one| one.kind() == "query").map(|_| equal),
            goals_missed: missed.count() as u32,
            done_per_second: match rows.iter().map(|row| row.runs - row.failed).sum::<u64>() {
                0 => 0.0,
                done => done as f64 / length.as_secs_f64(),
            },
            operations: rows,
            script: schema.to_script(),
            notes,
        };
        designs.push((design, effort(&candidate.structure)));
    }
    let verdict = rank(&mut designs);
    let designs: Vec<CandidateDesign> = designs.into_iter().map(|(design, _)| design).collect();
    let best = entrants.all.iter().find(|entrant| entrant.candidate.name == designs[0].name);
    let (asked, answers) = given(&operations, best);
    let mut left = not_asked(world, work, &idle);
    left.extend(entrants.left_out);
    Ok(Tried {
        answers,
        asked,
        designs: EngineDesigns {
            server,
            rows: world.total(),
            share: world.share(),
            pace,
            seconds: length.as_secs_f64(),
            rules_of_thumb: rules_of_thumb(&designs),
            candidates: designs,
            verdict,
            left_out: left,
            set_aside: entrants.aside,
        },
    })
}
