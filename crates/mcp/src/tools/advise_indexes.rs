use std::time::Duration;

use marula_core::{
    Engine, Error, ErrorKind, Report, Result, Statement, WeightedStatement, Workload,
};
use marula_tune::TuneOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::{self, ChangeBrief, Truncated};
use crate::aside::aside;
use crate::text;

pub struct AdviseIndexes;

/// The most statements of one call.
const MOST: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// The statements that are to be fast.
    #[schemars(length(min = 1, max = 100))]
    statements: Vec<Weighted>,
    /// What new indexes may take together, in MB.
    budget_mb: Option<u64>,
    /// The time one run of each may take.
    goal_ms: Option<f64>,
    /// How long to search; 120 unless given.
    #[schemars(range(min = 5, max = 1800))]
    search_seconds: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Weighted {
    query: String,
    /// How often it runs; 1 unless given.
    calls: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the text below is.
    notice: String,
    /// The indexes to make and drop.
    #[schemars(with = "Vec<answer::Loose>")]
    changes: Vec<ChangeBrief>,
    statements: Vec<Tuned>,
    /// What was tried and is not proposed.
    turned_down: Vec<String>,
    notes: Vec<String>,
    /// The whole report's URI.
    report: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Tuned {
    query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<f64>,
    /// Ids of changes it uses.
    uses: Vec<String>,
}

impl Operation for AdviseIndexes {
    const NAME: &'static str = "advise_indexes";
    const TITLE: &'static str = "Advise indexes for several statements";
    const ABOUT: &'static str = "Find the best set of indexes for several queries together (an index \
        advisor): which indexes to create, which to drop, within a storage budget, so that no query \
        gets slower. The set is built on a copy and every query run with it. Takes minutes. For one \
        query use explain_query.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let found = state.find(&input.target)?;
        let workload = workload(found.engine, &input.statements)?;
        let seconds = input.search_seconds.unwrap_or(120).clamp(5, 1800);
        let options = TuneOptions {
            budget_bytes: input.budget_mb.map(|mb| mb.saturating_mul(1 << 20)),
            goal_ms: input.goal_ms.or(state.host().goal_ms()),
            timeout: state.timeout(),
            search: Duration::from_secs(seconds),
            max_statements: MOST,
            ..TuneOptions::default()
        };
        let lab = state.lab(&call.progress).await?;
        let lease = state.lend(&input.target).await?;
        let told = call.progress.told();
        let report = aside(move || async move {
            let _lab = lab;
            let target = &lease.target;
            let made = match &*lease {
                crate::Session::Postgres(session) => {
                    marula_tune::postgres::tune(session, target, &workload, &options, &*told).await
                }
                crate::Session::Mongodb(session) => {
                    marula_tune::mongodb::tune(session, target, &workload, &options, &*told).await
                }
            };
            lease.ended(made)
        })
        .await?;
        let title =
            format!("index advice on {} for {} statements", input.target, input.statements.len());
        let id = state.reports.keep(title, report.clone());
        Ok(Outcome::Done(answer(call, &report, &id, &input.target)))
    }
}

/// The statements as a workload; each must read, and is looked at before anybody is troubled.
fn workload(engine: Engine, given: &[Weighted]) -> Result<Workload> {
    if given.is_empty() || given.len() > MOST {
        return Err(Error::new(ErrorKind::Usage, format!("{} statements are given", given.len()))
            .hint(format!("give 1 to {MOST} statements")));
    }
    let mut statements = Vec::new();
    for (number, one) in given.iter().enumerate() {
        let at = |error: Error| error.at(format!("statement {}", number + 1));
        match engine {
            Engine::Postgres => drop(marula_postgres::guard::check(&one.query).map_err(at)?),
            Engine::Mongodb => {
                let command = marula_mongodb::shell::parse(&one.query).map_err(at)?;
                marula_mongodb::guard::check(&command).map_err(at)?;
            }
        }
        statements.push(WeightedStatement {
            statement: Statement::new(engine, &one.query),
            calls: one.calls.unwrap_or(1).max(1),
            total_ms: None,
            goal_ms: None,
            samples: Vec::new(),
        });
    }
    Ok(Workload { engine, statements })
}

fn answer(call: &Call, report: &Report, id: &str, alias: &str) -> Output {
    let tuning = report.tuning.clone().unwrap_or_default();
    let summary = if report.changes.is_empty() {
        "no index was found that makes these statements faster together".to_string()
    } else {
        format!(
            "{} changes bring the workload from {:.1} ms to {:.1} ms, measured",
            report.changes.len(),
            tuning.before_ms,
            tuning.after_ms
        )
    };
    let mut next = Vec::new();
    if !report.changes.is_empty() && call.state.has("plan_change") {
        next.push(format!("plan_change with target '{alias}' and report '{id}'"));
    }
    let statements = tuning.statements.iter().take(answer::MOST).map(|one| Tuned {
        query: text::cut(&one.statement.text, 200),
        before_ms: one.before.ms,
        after_ms: one.after.ms,
        uses: one.uses.iter().map(|id| id.0.clone()).collect(),
    });
    let turned_down = tuning.turned_down.iter().take(8);
    Output {
        summary,
        notice: text::NOTICE.into(),
        changes: answer::changes(&report.changes),
        statements: statements.collect(),
        turned_down: turned_down
            .map(|one| text::cut(&format!("{}: {}", one.title, one.reason), 300))
            .collect(),
        notes: report.notes.iter().take(10).map(|note| text::cut(note, 400)).collect(),
        report: format!("marula://labs/{id}/report"),
        truncated: answer::left_out(report, id),
        next,
    }
}
