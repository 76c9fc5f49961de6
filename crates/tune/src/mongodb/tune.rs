//! The way through for a whole workload: from its statements to the best set of changes.
//!
//! MongoDB has no hypothetical indexes, so everything is built on a copy and measured there by
//! what it examines: first each idea by itself (`table.rs`), then the set (`choose.rs`), which is
//! proved statement by statement (`proof.rs`). What then is superfluous is proposed for hiding
//! (`hide.rs`), and what the set costs those who write is measured last (`writes.rs`). Statements
//! that the server refuses without an index get one first (`required.rs`).

mod choose;
mod cost;
mod cursors;
mod gain;
mod harm;
mod hide;
mod idea;
mod made;
mod natural;
mod opening;
mod passed_over;
mod proof;
mod query;
mod reconsider;
mod required;
mod server;
mod settle;
mod table;
mod tell;
mod trial;
mod work;
mod writes;

use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, LeftOut, Progress, Report, Result, Target, Workload};
use marula_mongodb::Session;

use crate::tuning::{by_shape, sample};
use crate::{ProveMode, Stop, TuneOptions, failure};
use work::Known;

/// How long the work may take to come to its end when it is asked to: what was measured until then
/// is proved once. After that only what is proved already is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// The best set of changes for `workload`, proved statement by statement.
///
/// # Errors
/// What the server says; `Lab` when no copy can be made; `Usage` when no statement can be
/// measured; `Unsupported` for what-if proofs; `Interrupted` before anything was measured. A later
/// interruption is no error: the report says what was proved until then.
pub async fn tune(
    session: &Session,
    target: &Target,
    workload: &Workload,
    options: &TuneOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    if options.prove != ProveMode::Lab {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "MongoDB has no hypothetical indexes: a workload is tuned on a copy or not at all",
        )
        .hint("use --prove lab"));
    }
    let started = Instant::now();
    let mut report = Report::new("tune");
    report.target = Some(target.clone());
    let (shapes, note) = by_shape(workload, options.max_statements, query::shape_of);
    report.notes.extend(note);
    let sampled = sample(&shapes, options.max_statements);
    report.notes.extend(sampled.note());
    let mut parsed = query::parse(sampled.statements, session.database().name());
    let stopped = || Error::new(ErrorKind::Interrupted, "interrupted");
    let opening = async {
        progress.step("reading the collections");
        let catalog = opening::catalog(session, &mut parsed).await?;
        if parsed.commands.is_empty() {
            return Err(nothing(&parsed.left_out));
        }
        let about = server::ask(session).await;
        let notes = &mut report.notes;
        let trial = opening::open(session, &parsed, &catalog, options, progress, notes).await?;
        Ok((catalog, about, trial))
    };
    // Before anything was measured there is nothing to show.
    let (catalog, about, mut trial) = tokio::select! {
        biased;
        opened = opening => opened?,
        () = options.stop.stopped() => return Err(stopped()),
    };
    let mut known = Known::default();
    let worked = tokio::select! {
        biased;
        worked = work::work(&mut trial, parsed, &catalog, &about, &mut known) => worked,
        () = patience(&options.stop) => Err(stopped()),
    };
    let interrupted = options.stop.is_stopped();
    let ended = match worked {
        Ok(()) => None,
        Err(error) if interrupted || error.kind() == ErrorKind::Interrupted => None,
        Err(error) if failure::went_away(&error) && !known.queries.is_empty() => Some(error),
        Err(error) => return trial.bench.close().await.and(Err(error)),
    };
    if interrupted && known.queries.is_empty() {
        return trial.bench.close().await.and(Err(stopped()));
    }
    let mut tuning = known.tell(&trial, &catalog, &about, &mut report);
    tuning.effort = trial.effort;
    tuning.effort.total_ms = started.elapsed().as_secs_f64() * 1000.0;
    tuning.interrupted = interrupted;
    report.tuning = Some(tuning);
    if let Some(error) = ended {
        // What went away has nothing to close.
        failure::note(&mut report, failure::of_lab(&error));
        return Ok(report);
    }
    if interrupted {
        let mut failure = marula_core::Failure::from(&stopped());
        failure.message = "interrupted; what is said is the best set proved until then".into();
        report.failure = Some(failure);
    }
    trial.bench.close().await.map(|()| report)
}

/// Ends some time after the end was asked for.
async fn patience(stop: &Stop) {
    stop.stopped().await;
    tokio::time::sleep(PATIENCE).await;
}

fn nothing(left_out: &[LeftOut]) -> Error {
    let error = Error::new(ErrorKind::Usage, "no statement of the workload can take part");
    left_out.iter().take(3).fold(error, |error, left| {
        let text: String = left.statement.chars().take(80).collect();
        error.hint(format!("{text}: {}", left.reason))
    })
}
