use std::time::Duration;

use marula_core::model::Model;
use marula_core::{Designs, Engine, Error, ErrorKind, Progress, Report, Result, Version};

use crate::search::{Work, candidates};
use crate::synth::World;
use crate::trial::{self, TrialOptions, Tried};

/// How designs are searched and measured.
#[derive(Debug, Clone)]
pub struct ProposeOptions {
    /// How many designs of an engine are built.
    pub candidates: usize,
    /// About how many rows are generated in all.
    pub rows: u64,
    /// What the generated data follows from.
    pub seed: u64,
    /// How long each design is under load; zero leaves that out.
    pub length: Duration,
    /// The PostgreSQL version, the newest installed when nothing is said.
    pub postgres: Option<Version>,
    /// The MongoDB version, the newest installed when nothing is said.
    pub mongodb: Option<Version>,
}

impl Default for ProposeOptions {
    fn default() -> Self {
        ProposeOptions {
            candidates: 4,
            rows: 60_000,
            seed: 1,
            length: Duration::from_secs(8),
            postgres: None,
            mongodb: None,
        }
    }
}

/// Designs a model for each of some engines: the best candidates are built and measured, and the
/// measured best is proposed. Where the lab fails for one of several, a note says so.
///
/// # Errors
/// `Usage` for a model without entities; `Lab` when no server starts, or when the server takes none
/// of the designs, for any engine: what it refuses of a design is set aside, and the rest goes on.
pub async fn propose(
    model: &Model,
    engines: &[Engine],
    options: &ProposeOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let work = Work::new(model);
    let mut report = Report::new("design");
    report.notes.extend(crate::figures::unsaid(model));
    let mut designs = Designs { model: model.name.clone(), ..Designs::default() };
    let mut failed: Option<Error> = None;
    for engine in engines {
        match try_engine(model, &work, *engine, options, progress).await {
            Ok(tried) => designs.engines.push(tried.designs),
            Err(error) if error.kind() == ErrorKind::Lab => {
                let hints = error.hints().join("; ");
                let what = format!("no design for {}: {}", engine.title(), error.message());
                report.notes.push(if hints.is_empty() {
                    what
                } else {
                    format!("{what} ({hints})")
                });
                failed.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let (true, Some(error)) = (designs.engines.is_empty(), failed) {
        return Err(error);
    }
    report.designs = Some(designs);
    Ok(report)
}

/// The candidates of one engine, measured.
pub(crate) async fn try_engine(
    model: &Model,
    work: &Work,
    engine: Engine,
    options: &ProposeOptions,
    progress: &dyn Progress,
) -> Result<Tried> {
    if model.entities.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the model has no entities")
            .hint("say what is kept: marula schema model tells how"));
    }
    let world = World::new(model, options.rows, options.seed);
    let found = candidates(model, work, engine, options.candidates.max(1));
    let trial = TrialOptions {
        length: options.length,
        version: if engine == Engine::Postgres { options.postgres } else { options.mongodb },
        ..TrialOptions::default()
    };
    match engine {
        Engine::Postgres => trial::postgres(&world, work, &found, &trial, progress).await,
        Engine::Mongodb => trial::mongodb(&world, work, &found, &trial, progress).await,
    }
}
