//! Which engine serves a model better: each with its own best design, the same data, the same
//! durability, the same answers, the same rates.

mod crossover;
mod qualities;

use marula_core::model::Model;
use marula_core::{
    CandidateDesign, Designs, Engine, EngineChoice, OperationChoice, Progress, Report, Result,
};

use crate::propose::{ProposeOptions, try_engine};
use crate::search::Work;
use crate::trial::{Answer, same};

/// Times that differ by less than this share are no difference.
const NOISE: f64 = 0.10;

/// Measures both engines' own best designs of a model and says which serves it better.
///
/// # Errors
/// As [`crate::propose`].
pub async fn choose(
    model: &Model,
    options: &ProposeOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let work = Work::new(model);
    let postgres = try_engine(model, &work, Engine::Postgres, options, progress).await?;
    let mongodb = try_engine(model, &work, Engine::Mongodb, options, progress).await?;
    let difference = difference(&postgres.answers, &mongodb.answers);
    let best = [&postgres.designs, &mongodb.designs].map(|designs| &designs.candidates[0]);
    let operations = operations(best);
    let mut crossovers = crossover::rates(best);
    crossovers.extend(crossover::sizes(model, options, best, progress).await?);
    let choice = EngineChoice {
        engine: better(best[0].work_ms, best[1].work_ms, doubt(best)),
        verdict: verdict(best, difference.as_deref()),
        results_equal: difference.is_none(),
        operations,
        crossovers,
        qualities: qualities::qualities(model, best),
    };
    let mut report = Report::new("choose");
    report.notes.extend(crate::figures::unsaid(model));
    report
        .notes
        .extend(difference.map(|difference| format!("the engines' answers differ: {difference}")));
    report.designs = Some(Designs {
        model: model.name.clone(),
        engines: vec![postgres.designs, mongodb.designs],
        choice: Some(choice),
    });
    Ok(report)
}

/// The engine that takes clearly less: by more than the noise, and by more than is in doubt.
fn better(postgres_ms: f64, mongodb_ms: f64, doubt_ms: f64) -> Option<Engine> {
    let noise = postgres_ms.min(mongodb_ms) * NOISE;
    if (postgres_ms - mongodb_ms).abs() <= noise.max(doubt_ms) {
        return None;
    }
    Some(if postgres_ms < mongodb_ms { Engine::Postgres } else { Engine::Mongodb })
}

/// How much of the difference between two designs' work is in doubt, in milliseconds.
fn doubt([postgres, mongodb]: [&CandidateDesign; 2]) -> f64 {
    postgres.doubt_ms.hypot(mongodb.doubt_ms)
}

fn difference(postgres: &[Answer], mongodb: &[Answer]) -> Option<String> {
    postgres.iter().zip(mongodb).find_map(|(left, right)| same(left, right).err())
}

fn operations(best: [&CandidateDesign; 2]) -> Vec<OperationChoice> {
    let pairs = best[0].operations.iter().zip(&best[1].operations);
    pairs
        .map(|(postgres, mongodb)| OperationChoice {
            name: postgres.name.clone(),
            engine: better(postgres.alone_ms, mongodb.alone_ms, 0.0),
            postgres_ms: postgres.alone_ms,
            mongodb_ms: mongodb.alone_ms,
        })
        .collect()
}

fn verdict(best: [&CandidateDesign; 2], difference: Option<&str>) -> String {
    let [postgres, mongodb] = best;
    let numbers = format!(
        "{:.1} ms of work a second on PostgreSQL ({}), {:.1} on MongoDB ({})",
        postgres.work_ms, postgres.name, mongodb.work_ms, mongodb.name
    );
    match (difference, better(postgres.work_ms, mongodb.work_ms, doubt(best))) {
        (Some(_), _) => format!("no verdict, since the answers differ: {numbers}"),
        (None, None) => {
            format!("no difference beyond the noise of {:.0} %: {numbers}", NOISE * 100.0)
        }
        (None, Some(engine)) => format!("{}: {numbers}", engine.title()),
    }
}
