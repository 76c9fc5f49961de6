use std::time::Duration;

use marula_core::{Designs, Engine, EngineDesigns, Error, ErrorKind, Result};
use marula_design::ProposeOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer;
use crate::aside::aside;
use crate::text;

pub struct DesignSchema;

/// The longest script in an answer, in bytes.
const SCRIPT: usize = 24 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// YAML or JSON: name, entities (name, rows, key, attributes: name, type, required), relations
    /// (from, attributes, to, owned, fanout: average, p99, max), queries (name, sql, rate, p99_ms),
    /// writes (name, does, entity, set, rate).
    model: String,
    /// Both when not given.
    engine: Option<Engine>,
    /// Rows to generate; 20000 unless given.
    #[schemars(range(min = 100, max = 1000000))]
    rows: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    #[schemars(with = "Vec<answer::Loose>")]
    designs: Vec<Proposed>,
    notes: Vec<String>,
    /// The whole report's URI.
    report: String,
    next: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Proposed {
    engine: Engine,
    name: String,
    /// Why it is the best of those measured.
    verdict: String,
    /// Milliseconds of work a second, of this one and of each other.
    measured: Vec<String>,
    rules_of_thumb: Vec<String>,
    /// Operations with the median of one run and p99 under load.
    operations: Vec<String>,
    /// Queries, writes, designs and constraints that were left out, each with why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// SQL, or mongosh.
    script: String,
}

impl Operation for DesignSchema {
    const NAME: &'static str = "design_schema";
    const TITLE: &'static str = "Design a schema";
    const ABOUT: &'static str = "Design a new PostgreSQL or MongoDB schema from a model: tables or collections, \
        embedding or references, normalization, keys, indexes, validators. Several designs are \
        measured; the best is given as a script.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let read = marula_design::model::read(&input.model, "model")?;
        if read.is_faulty() {
            let said: Vec<String> = read
                .mistakes
                .iter()
                .take(5)
                .map(|mistake| {
                    let line = mistake.line.map_or(String::new(), |line| format!("line {line}: "));
                    format!("{line}{}", mistake.what)
                })
                .collect();
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the model has mistakes: {}", said.join("; ")),
            )
            .hint("mend the model and call again"));
        }
        let model = read.model;
        let engines =
            input.engine.map_or(vec![Engine::Postgres, Engine::Mongodb], |engine| vec![engine]);
        let options = ProposeOptions {
            rows: input.rows.unwrap_or(20_000).clamp(100, 1_000_000),
            candidates: 3,
            length: Duration::from_secs(4),
            ..ProposeOptions::default()
        };
        let lab = state.lab(&call.progress).await?;
        let told = call.progress.told();
        let report = aside(move || async move {
            let _lab = lab;
            marula_design::propose(&model, &engines, &options, &*told).await
        })
        .await?;
        let designs = report.designs.clone().unwrap_or_default();
        let mut notes = report.notes.clone();
        notes.extend(read.mistakes.iter().map(|mistake| mistake.what.clone()));
        let id = state.reports.keep(format!("designs of {}", designs.model), report);
        Ok(Outcome::Done(answer(call, &designs, &id, notes)))
    }
}

fn answer(call: &Call, designs: &Designs, id: &str, notes: Vec<String>) -> Output {
    let said: Vec<String> = designs
        .engines
        .iter()
        .filter_map(|engine| {
            Some(format!("{}: {}", engine.server.engine.title(), engine.candidates.first()?.name))
        })
        .collect();
    let mut notes: Vec<String> = notes.iter().take(10).map(|note| text::cut(note, 400)).collect();
    for engine in &designs.engines {
        if engine.candidates.first().is_some_and(|best| best.script.len() > SCRIPT) {
            let title = engine.server.engine.title();
            notes.push(format!("{title}'s script is cut; all of it: marula://labs/{id}/report"));
        }
    }
    let mut next = Vec::new();
    if call.state.has("review_migration") {
        next.push("review_migration with the script, before it meets data".into());
    }
    Output {
        summary: format!(
            "measured best of {}: {}",
            designs.model,
            text::cut(&said.join("; "), 600)
        ),
        designs: designs.engines.iter().filter_map(proposed).collect(),
        notes,
        report: format!("marula://labs/{id}/report"),
        next,
    }
}

fn proposed(engine: &EngineDesigns) -> Option<Proposed> {
    let best = engine.candidates.first()?;
    let measured = engine.candidates.iter().map(|design| {
        let answers = if design.results_equal == Some(false) { ", answers differ" } else { "" };
        text::cut(&format!("{}: {:.1} ms{answers}", design.name, design.work_ms), 300)
    });
    let operations = best.operations.iter().map(|one| {
        let goal = one.goal_ms.map_or(String::new(), |goal| format!(", goal {goal} ms"));
        format!(
            "{} {:.1}/s: alone {:.2} ms, p99 {:.2} ms{goal}",
            one.name, one.rate, one.alone_ms, one.p99_ms
        )
    });
    let left = engine.left_out.iter().map(|one| format!("{}: {}", one.statement, one.reason));
    let aside = engine.set_aside.iter().map(|one| format!("{}: {}", one.name, one.reason));
    Some(Proposed {
        engine: engine.server.engine,
        name: text::cut(&best.name, 300),
        verdict: text::cut(&engine.verdict, 400),
        measured: measured.collect(),
        rules_of_thumb: engine.rules_of_thumb.iter().map(|rule| text::cut(rule, 400)).collect(),
        operations: operations.take(40).collect(),
        left_out: left.chain(aside).take(40).map(|said| text::cut(&said, 300)).collect(),
        script: text::cut(&best.script, SCRIPT),
    })
}
