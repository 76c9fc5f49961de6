use marula_core::{Engine, Report, Result, TargetKind, Verdict};
use marula_tune::{ExplainOptions, ProveMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::{self, ChangeBrief, FindingBrief, ProofBrief, Truncated};
use crate::aside::aside;
use crate::{text, tree};

pub struct ExplainQuery;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// SQL, mongosh syntax, or a MongoDB command as JSON.
    query: String,
    /// Values for $1, $2 … as text; null is NULL. Missing ones come from statistics.
    #[serde(default)]
    parameters: Vec<Option<String>>,
    /// The time it may take.
    goal_ms: Option<f64>,
    /// lab (default) measures fixes on a copy, what-if uses hypothetical indexes, off only diagnoses.
    #[serde(default)]
    prove: ProveMode,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the text below is.
    notice: String,
    findings: Vec<FindingBrief>,
    changes: Vec<ChangeBrief>,
    /// The best changes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofBrief>,
    /// The rewritten query to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<String>,
    /// The plan today.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    notes: Vec<String>,
    /// The whole report's URI.
    report: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

impl Operation for ExplainQuery {
    const NAME: &'static str = "explain_query";
    const TITLE: &'static str = "Explain a slow query";
    const ABOUT: &'static str = "Say why one query, join or aggregation pipeline is slow (sequential \
        scan, COLLSCAN, bad join order, sort, misestimate), and make it faster: missing index, \
        composite index or rewrite, each measured on a throw-away copy with equal results. Shows \
        the execution plan. Give the goal in ms when there is one.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let found = state.find(&input.target)?;
        match found.engine {
            Engine::Postgres => drop(marula_postgres::guard::check(&input.query)?),
            Engine::Mongodb => {
                marula_mongodb::guard::check(&marula_mongodb::shell::parse(&input.query)?)?;
            }
        }
        let lab = match input.prove {
            ProveMode::Lab => Some(state.lab(&call.progress).await?),
            _ => None,
        };
        let lease = state.lend(&input.target).await?;
        let options = ExplainOptions {
            goal_ms: input.goal_ms.or(state.host().goal_ms()),
            prove: input.prove,
            // On a server of the user's the statement is planned; it runs on the copy.
            analyze: lease.target.kind == TargetKind::Lab,
            timeout: state.timeout(),
            parameters: input.parameters,
            ..ExplainOptions::default()
        };
        let (query, told) = (input.query.clone(), call.progress.told());
        let report = aside(move || async move {
            let _lab = lab;
            let target = &lease.target;
            let made = match &*lease {
                crate::Session::Postgres(session) => {
                    marula_tune::postgres::explain(session, target, &query, &options, &*told).await
                }
                crate::Session::Mongodb(session) => {
                    marula_tune::mongodb::explain(session, target, &query, &options, &*told).await
                }
            };
            lease.ended(made)
        })
        .await?;
        let title = format!("explain on {}: {}", input.target, text::cut(&input.query, 80));
        let id = state.reports.keep(title, report.clone());
        Ok(Outcome::Done(answer(call, &report, &id, &input.target)))
    }
}

fn answer(call: &Call, report: &Report, id: &str, alias: &str) -> Output {
    let summary = summary(report);
    let mut next = Vec::new();
    let indexes: Vec<&str> = report
        .changes
        .iter()
        .filter(|change| change.kind == marula_core::ChangeKind::Index)
        .filter(|change| match &report.best {
            Some(best) => best.changes.contains(&change.id),
            None => change.proof.verdict == Verdict::Proven,
        })
        .map(|change| change.id.0.as_str())
        .collect();
    if !indexes.is_empty() && call.state.has("plan_change") {
        let ids = indexes.join("\", \"");
        next.push(format!("plan_change with target '{alias}', report '{id}', changes [\"{ids}\"]"));
    }
    if report.findings.is_empty() && call.state.has("analyze_workload") {
        next.push(format!("analyze_workload with target '{alias}' to see what is slow"));
    }
    Output {
        summary,
        notice: text::NOTICE.into(),
        findings: answer::findings(&report.findings),
        changes: answer::changes(&report.changes),
        proof: report.best.as_ref().map(|best| answer::proof(&best.proof)),
        rewrite: report.best.as_ref().and_then(|best| best.statement.clone()),
        plan: report.plan.as_ref().map(|plan| text::cut(&tree::text(plan), 6_000)),
        notes: report.notes.iter().take(10).map(|note| text::cut(note, 400)).collect(),
        report: format!("marula://labs/{id}/report"),
        truncated: answer::left_out(report, id),
        next,
    }
}

fn summary(report: &Report) -> String {
    let mut parts = Vec::new();
    if let Some(ms) = report.measured.as_ref().and_then(|measured| measured.ms) {
        parts.push(format!("it takes {ms:.1} ms"));
    }
    match report.findings.first() {
        Some(first) => parts.push(text::cut(&first.title, 200)),
        None => parts.push("nothing was found that slows it".into()),
    }
    if let Some(best) = &report.best {
        parts.push(answer::best(best));
    }
    if let Some(goal) = &report.goal {
        parts.push(match goal.met {
            Some(true) => format!("the goal of {} ms is met", goal.ms),
            Some(false) => format!("the goal of {} ms is not met", goal.ms),
            None => format!("whether the goal of {} ms is met was not measured", goal.ms),
        });
    }
    if let Some(failure) = &report.failure {
        parts.push(format!("it ended early: {}", failure.message));
    }
    parts.join("; ")
}
