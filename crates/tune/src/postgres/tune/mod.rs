//! The way through for a whole workload: from its statements to the best set of changes.

mod arena;
mod choices;
mod drops;
mod lookup;
mod read;
mod statistics;
mod writes;

use marula_core::{Engine, Error, ErrorKind, LeftOut, Progress, Report, Result, Target, Workload};
use marula_lab::clone::CloneLimits;
use marula_lab::clone::postgres::{Request, clone};
use marula_lab::{discover, shared};
use marula_postgres::{Session, sql};

use super::{order, prove};
use crate::tuning::{self, Subject, Tuner};
use crate::{TuneOptions, failure};
use arena::PostgresArena;
use read::Read;

/// The best set of changes for `workload`, proved statement by statement on a copy of what it
/// touches.
///
/// # Errors
/// `Usage` when no statement of the workload can take part; `Lab` when no copy can be made; and
/// what the server says. An interruption is no error: the report says what was proved until then.
pub async fn tune(
    session: &Session,
    target: &Target,
    workload: &Workload,
    options: &TuneOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let mut report = Report::new("tune");
    report.target = Some(target.clone());
    let shape = |text: &str| Some(sql::parse(text).ok()?.fingerprint().0.clone());
    let (shapes, note) = tuning::by_shape(workload, options.max_statements, shape);
    report.notes.extend(note);
    let sampled = tuning::sample(&shapes, options.max_statements);
    report.notes.extend(sampled.note());
    let stopped = || Error::new(ErrorKind::Interrupted, "interrupted");
    let opening = async {
        progress.step("reading the catalogue");
        let read = read::read(session, &sampled.statements, progress).await?;
        if read.parts.is_empty() {
            return Err(nothing(&read.left_out));
        }
        let facts = drops::facts(session).await?;
        let arena = open(session, &read, &mut report, progress).await?;
        Ok((read, facts, arena))
    };
    // Before anything was measured there is nothing to show.
    let (read, facts, arena) = tokio::select! {
        biased;
        opened = opening => opened?,
        () = options.stop.stopped() => return Err(stopped()),
    };
    if read.lookups > 0 {
        let note = "what UPDATEs and DELETEs look for takes part as SELECTs of the same rows' ctid";
        report.notes.push(note.into());
    }
    let mut left_out = read.left_out.clone();
    let (mut notes, mut costs) = (Vec::new(), Vec::new());
    let mut tuner = Tuner::new(arena, options, progress);
    let worked = tokio::select! {
        biased;
        worked = work(
            &mut tuner,
            (&read, &facts),
            (&mut left_out, &mut notes, &mut costs),
            progress,
        ) => worked,
        () = options.stop.stopped() => Err(stopped()),
    };
    let existing = read.index_bytes();
    match worked {
        Ok(()) => tuning::tell(&mut tuner, &mut report, left_out, existing),
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            tuning::tell(&mut tuner, &mut report, left_out, existing);
            if let Some(tuning) = &mut report.tuning {
                tuning.interrupted = true;
            }
            let mut failure = marula_core::Failure::from(&error);
            failure.message = "interrupted; what is said is the best set proved until then".into();
            report.failure = Some(failure);
        }
        Err(error) if failure::went_away(&error) => {
            tuning::tell(&mut tuner, &mut report, left_out, existing);
            failure::note(&mut report, failure::of_lab(&error));
        }
        Err(error) => return Err(error),
    }
    // The real sizes are told; what was expected before is not.
    for hazard in report.changes.iter_mut().flat_map(|change| &mut change.hazards) {
        if let Some((_, rest)) = hazard.split_once(" on disk, and ") {
            *hazard = rest.to_owned();
        }
    }
    report.notes.extend(notes);
    if let Some(tuning) = &mut report.tuning {
        tuning.writes = costs;
    }
    let closed = tuner.arena.close().await;
    if report.failure.is_none() { closed.map(|()| report) } else { Ok(report) }
}

async fn work(
    tuner: &mut Tuner<'_, PostgresArena>,
    (read, facts): (&Read, &drops::Facts),
    (left_out, notes, costs): (
        &mut Vec<LeftOut>,
        &mut Vec<String>,
        &mut Vec<marula_core::WriteCost>,
    ),
    progress: &dyn Progress,
) -> Result<()> {
    tuner.subjects = read
        .parts
        .iter()
        .map(|part| Subject {
            statement: part.statement.clone(),
            calls: part.calls,
            goal_ms: part.goal_ms,
            comparison: order::comparison(&part.root, &read.catalog),
        })
        .collect();
    let failed = tuner.baseline().await?;
    left_out.extend(failed.into_iter().map(|(subject, why)| LeftOut {
        statement: subject.statement.text,
        calls: subject.calls,
        reason: format!("it fails on the lab's copy: {why}"),
    }));
    if tuner.subjects.is_empty() {
        return Err(nothing(left_out));
    }
    tuner.data_bytes = read.data_bytes();
    progress.step("thinking of indexes and rewrites");
    let (choices, thought) = choices::choices(tuner, read);
    tuner.choices = choices;
    tuner.arena.prepare(&tuner.choices).await?;
    tuner.late = statistics::statistics(tuner, read).await?;
    tuner.work().await?;
    *costs = writes::weigh(tuner, read, left_out, progress).await?;
    let picked: Vec<_> = tuner.best.set.iter().filter_map(|number| thought.get(*number)).collect();
    let (idle, note) = drops::drops(read, &read.still(tuner), &picked, facts);
    notes.extend(note);
    let before = tuner.best.set.clone();
    tuner.drop_idle(idle).await?;
    if tuner.best.set != before {
        *costs = writes::measured(tuner, read, &mut Vec::new(), progress).await?;
    }
    Ok(())
}

/// Copies all that the statements touch.
async fn open(
    session: &Session,
    read: &Read,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<PostgresArena> {
    let choice = discover::choose(Engine::Postgres, Some(session.version()))?;
    report.notes.extend(choice.note);
    let server = shared::postgres(choice.install.version.major).await?;
    let texts: Vec<&str> = read.parts.iter().map(|part| part.statement.text.as_str()).collect();
    let mut joins = Vec::new();
    for join in read.parts.iter().flat_map(|part| prove::joins_of(&part.shape)) {
        if !joins.contains(&join) {
            joins.push(join);
        }
    }
    let request = Request {
        relations: read.relations(),
        joins,
        statement: texts.join("\n"),
        limits: CloneLimits::default(),
    };
    let bench = clone(session, &server.spec(), &request, progress).await?;
    Ok(PostgresArena::new(bench))
}

fn nothing(left_out: &[LeftOut]) -> Error {
    let error = Error::new(ErrorKind::Usage, "no statement of the workload can take part");
    left_out.iter().take(3).fold(error, |error, left| {
        let text: String = left.statement.chars().take(80).collect();
        error.hint(format!("{text}: {}", left.reason))
    })
}
