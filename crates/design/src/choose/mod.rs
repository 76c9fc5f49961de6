//! Which engine serves a model better: each with its own best design, the same data, the same
//! durability, the same answers, the same rates.

mod crossover;
mod qualities;

use marula_core::model::Model;
use marula_core::{
    CandidateDesign, Designs, Engine, EngineChoice, EngineDesigns, OperationChoice, OperationTimes,
    Progress, Report, Result,
};

use crate::propose::{ProposeOptions, try_engine};
use crate::search::Work;
use crate::trial::{Answer, Tried, same};

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
    let difference = difference(&postgres, &mongodb);
    let best = [&postgres.designs, &mongodb.designs].map(|designs| &designs.candidates[0]);
    let compared = Compared::new(&postgres.designs, &mongodb.designs);
    // Where there is no verdict none turns.
    let mut crossovers = Vec::new();
    if difference.is_none() && !compared.pairs.is_empty() {
        crossovers = crossover::rates(&compared);
        crossovers.extend(crossover::sizes(model, options, &compared, progress).await?);
    }
    let choice = EngineChoice {
        engine: compared.better().filter(|_| difference.is_none()),
        verdict: verdict(&compared, difference.as_deref()),
        results_equal: difference.is_none(),
        operations: compared.operations(),
        crossovers,
        qualities: qualities::qualities(model, best),
    };
    let mut report = Report::new("choose");
    report.notes.extend(crate::figures::unsaid(model));
    report.notes.extend(compared.one_sided.iter().map(|(name, engine)| {
        format!("{name} was measured on {} only, and is no part of the comparison", engine.title())
    }));
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

/// The best designs of both engines, by what was measured on both.
struct Compared<'a> {
    /// The designs.
    best: [&'a CandidateDesign; 2],
    /// The operations of both, each with its rate in the model.
    pairs: Vec<(&'a OperationTimes, &'a OperationTimes, f64)>,
    /// Operations that were measured on one engine only.
    one_sided: Vec<(&'a str, Engine)>,
    /// The time all work of a second takes, in milliseconds.
    work_ms: [f64; 2],
}

impl<'a> Compared<'a> {
    fn new(postgres: &'a EngineDesigns, mongodb: &'a EngineDesigns) -> Self {
        let best = [&postgres.candidates[0], &mongodb.candidates[0]];
        let of = |design: &'a CandidateDesign, name: &str| {
            design.operations.iter().find(|one| one.name == name)
        };
        let pace = postgres.pace.max(1e-9);
        let pairs: Vec<_> = best[0]
            .operations
            .iter()
            .filter_map(|left| Some((left, of(best[1], &left.name)?, left.rate / pace)))
            .collect();
        let lacks = |here: &'a CandidateDesign, there: &'a CandidateDesign, engine| {
            let own = here.operations.iter().filter(move |one| of(there, &one.name).is_none());
            own.map(move |one| (one.name.as_str(), engine))
        };
        let one_sided: Vec<_> = lacks(best[0], best[1], Engine::Postgres)
            .chain(lacks(best[1], best[0], Engine::Mongodb))
            .collect();
        let work_ms = match one_sided.is_empty() {
            true => best.map(|design| design.work_ms),
            false => [
                pairs.iter().map(|(left, _, rate)| rate * left.alone_ms).sum(),
                pairs.iter().map(|(_, right, rate)| rate * right.alone_ms).sum(),
            ],
        };
        Compared { best, pairs, one_sided, work_ms }
    }

    fn better(&self) -> Option<Engine> {
        better(self.work_ms[0], self.work_ms[1], self.doubt())
    }

    /// How much of the difference between the designs' work is in doubt, in milliseconds.
    fn doubt(&self) -> f64 {
        self.best[0].doubt_ms.hypot(self.best[1].doubt_ms)
    }

    fn operations(&self) -> Vec<OperationChoice> {
        let pairs = self.pairs.iter();
        pairs
            .map(|(postgres, mongodb, _)| OperationChoice {
                name: postgres.name.clone(),
                engine: better(postgres.alone_ms, mongodb.alone_ms, 0.0),
                postgres_ms: postgres.alone_ms,
                mongodb_ms: mongodb.alone_ms,
            })
            .collect()
    }
}

/// The engine that takes clearly less: by more than the noise, and by more than is in doubt.
fn better(postgres_ms: f64, mongodb_ms: f64, doubt_ms: f64) -> Option<Engine> {
    let noise = postgres_ms.min(mongodb_ms) * NOISE;
    if (postgres_ms - mongodb_ms).abs() <= noise.max(doubt_ms) {
        return None;
    }
    Some(if postgres_ms < mongodb_ms { Engine::Postgres } else { Engine::Mongodb })
}

/// The first difference between the answers to what both were asked.
fn difference(postgres: &Tried, mongodb: &Tried) -> Option<String> {
    let of = |tried: &'_ Tried, name: &str| -> Vec<Answer> {
        let each = tried.asked.iter().zip(&tried.answers);
        each.filter(|(asked, _)| *asked == name).map(|(_, answer)| answer.clone()).collect()
    };
    let mut names: Vec<&String> = postgres.asked.iter().collect();
    names.dedup();
    names.into_iter().find_map(|name| {
        let (left, right) = (of(postgres, name), of(mongodb, name));
        let differs = left.iter().zip(&right).find_map(|(l, r)| same(l, r).err())?;
        Some(format!("{name}: {differs}"))
    })
}

fn verdict(compared: &Compared<'_>, difference: Option<&str>) -> String {
    let ([postgres, mongodb], [left, right]) = (compared.best, compared.work_ms);
    let numbers = format!(
        "{left:.1} ms of work a second on PostgreSQL ({}), {right:.1} on MongoDB ({})",
        postgres.name, mongodb.name
    );
    match (difference, compared.better()) {
        _ if compared.pairs.is_empty() => {
            "no verdict, since nothing was measured on both engines".into()
        }
        (Some(_), _) => format!("no verdict, since the answers differ: {numbers}"),
        (None, None) => {
            format!("no difference beyond the noise of {:.0} %: {numbers}", NOISE * 100.0)
        }
        (None, Some(engine)) => format!("{}: {numbers}", engine.title()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn designs(engine: Engine, operations: &[(&str, f64)]) -> EngineDesigns {
        let times = operations.iter().map(|(name, alone_ms)| OperationTimes {
            name: (*name).to_owned(),
            rate: 10.0,
            alone_ms: *alone_ms,
            ..OperationTimes::default()
        });
        let best = CandidateDesign {
            work_ms: operations.iter().map(|(_, ms)| ms * 10.0).sum(),
            operations: times.collect(),
            ..CandidateDesign::default()
        };
        EngineDesigns {
            server: marula_core::LabServer { engine, version: marula_core::Version::new(1, 0, 0) },
            rows: 0,
            share: 1.0,
            pace: 1.0,
            seconds: 0.0,
            candidates: vec![best],
            verdict: String::new(),
            rules_of_thumb: Vec::new(),
            left_out: Vec::new(),
            set_aside: Vec::new(),
        }
    }

    /// Who is measured with less to do is not quicker for that.
    #[test]
    fn what_is_measured_on_one_engine_only_is_not_compared() {
        let postgres = designs(Engine::Postgres, &[("a", 1.0), ("heavy", 50.0), ("b", 2.0)]);
        let mongodb = designs(Engine::Mongodb, &[("b", 4.0), ("a", 2.0)]);
        let compared = Compared::new(&postgres, &mongodb);
        assert_eq!(compared.work_ms, [30.0, 60.0]);
        assert_eq!(compared.better(), Some(Engine::Postgres));
        assert_eq!(compared.one_sided, [("heavy", Engine::Postgres)]);
        let told = compared.operations();
        let told: Vec<_> =
            told.iter().map(|one| (&*one.name, one.postgres_ms, one.mongodb_ms)).collect();
        assert_eq!(told, [("a", 1.0, 2.0), ("b", 2.0, 4.0)]);
    }
}
