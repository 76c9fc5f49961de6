use marula_core::{Report, Result};
use marula_design::ReviewOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::{self, ChangeBrief, FindingBrief, Truncated};
use crate::aside::aside;
use crate::text;

pub struct ReviewSchema;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// Whether fixes are tried on a copy; true unless given.
    prove: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the text below is.
    notice: String,
    #[schemars(with = "Vec<answer::Loose>")]
    findings: Vec<FindingBrief>,
    #[schemars(with = "Vec<answer::Loose>")]
    changes: Vec<ChangeBrief>,
    notes: Vec<String>,
    /// The whole report's URI.
    report: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

impl Operation for ReviewSchema {
    const NAME: &'static str = "review_schema";
    const TITLE: &'static str = "Review a schema";
    const ABOUT: &'static str = "Find faults of an existing schema: missing primary or foreign keys, money in \
        floats, wrong types, dates or numbers as strings, unbounded arrays, large documents, \
        missing validators. Fixes are tried on a copy.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let options =
            ReviewOptions { prove: input.prove.unwrap_or(true), ..ReviewOptions::default() };
        let lab = state.lab(&call.progress).await?;
        let lease = state.lend(&input.target).await?;
        let told = call.progress.told();
        let report = aside(move || async move {
            let _lab = lab;
            let target = &lease.target;
            let made = match &*lease {
                crate::Session::Postgres(session) => {
                    marula_design::postgres::review(session, target, &options, &*told).await
                }
                crate::Session::Mongodb(session) => {
                    marula_design::mongodb::review(session, target, &options, &*told).await
                }
            };
            lease.ended(made)
        })
        .await?;
        let id =
            state.reports.keep(format!("review of the schema of {}", input.target), report.clone());
        Ok(Outcome::Done(answer(call, &report, &id, &input.target)))
    }
}

fn answer(call: &Call, report: &Report, id: &str, alias: &str) -> Output {
    let summary = match report.findings.first() {
        None => "nothing was found to mend".to_string(),
        Some(first) => {
            format!("{} findings, first: {}", report.findings.len(), text::cut(&first.title, 200))
        }
    };
    let mut next = Vec::new();
    if !report.changes.is_empty() && call.state.has("plan_change") {
        next.push(format!("plan_change with target '{alias}' and report '{id}'"));
    }
    Output {
        summary,
        notice: text::NOTICE.into(),
        findings: answer::findings(&report.findings),
        changes: answer::changes(&report.changes),
        notes: report.notes.iter().take(10).map(|note| text::cut(note, 400)).collect(),
        report: format!("marula://labs/{id}/report"),
        truncated: answer::left_out(report, id),
        next,
    }
}
