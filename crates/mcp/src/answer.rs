//! Reports made small enough for a model to read. The whole stays readable as a resource.

use marula_core::{Change, Combination, Dataset, Depth, Finding, Proof, Report, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{rules, text};

/// The most findings, and the most changes, of one answer.
pub const MOST: usize = 20;

/// A rule's verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingBrief {
    /// Its page: marula://rules/{rule}.
    rule: String,
    severity: String,
    title: String,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    why: String,
    /// Ids of changes that mend it.
    changes: Vec<String>,
}

/// An object whose fields another tool's schema tells already: told once, they cost an agent's memory
/// once.
pub type Loose = serde_json::Map<String, serde_json::Value>;

/// Something to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeBrief {
    id: String,
    title: String,
    up: Vec<String>,
    down: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hazards: Vec<String>,
    proof: ProofBrief,
}

/// What was measured.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofBrief {
    /// proven, refuted, inconclusive or not_tried.
    verdict: String,
    reason: String,
    /// What it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speedup: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results_equal: Option<bool>,
}

/// What was left out, and how to get it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Truncated {
    /// What is left out.
    what: String,
    /// How to get the rest.
    how: String,
    /// Give it back for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Truncated {
    /// The rest comes with this cursor.
    pub fn page(what: impl Into<String>, how: impl Into<String>, cursor: String) -> Self {
        Truncated { what: what.into(), how: how.into(), cursor: Some(cursor) }
    }

    /// The rest is elsewhere.
    pub fn rest(what: impl Into<String>, how: impl Into<String>) -> Self {
        Truncated { what: what.into(), how: how.into(), cursor: None }
    }
}

/// The findings, what matters most first.
pub fn findings(all: &[Finding]) -> Vec<FindingBrief> {
    all.iter().take(MOST).map(finding).collect()
}

fn finding(finding: &Finding) -> FindingBrief {
    let place = &finding.place;
    let line = place.line.map(|line| format!("line {line}"));
    let parts = [&place.relation, &place.index, &place.op, &place.expression, &line];
    let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    FindingBrief {
        rule: finding.rule.clone(),
        severity: rules::severity(finding.severity).into(),
        title: text::cut(&finding.title, 300),
        place: (!place.is_empty()).then(|| text::cut(&place.join(", "), 300)),
        why: text::cut(&finding.explanation, 700),
        changes: finding.changes.iter().map(|id| id.0.clone()).collect(),
    }
}

/// The changes.
pub fn changes(all: &[Change]) -> Vec<ChangeBrief> {
    all.iter().take(MOST).map(change).collect()
}

fn change(change: &Change) -> ChangeBrief {
    let short = |lines: &[String]| lines.iter().map(|line| text::cut(line, 4_000)).collect();
    ChangeBrief {
        id: change.id.0.clone(),
        title: text::cut(&change.title, 300),
        up: short(&change.up),
        down: short(&change.down),
        hazards: change.hazards.iter().map(|hazard| text::cut(hazard, 300)).collect(),
        proof: proof(&change.proof),
    }
}

/// A proof in a few numbers.
pub fn proof(proof: &Proof) -> ProofBrief {
    let server = proof.server.map(|server| format!("{} {}", server.engine.title(), server.version));
    let data = match (&proof.dataset, server) {
        (Some(data), Some(server)) => Some(format!("{} on {server}", dataset(data))),
        (Some(data), None) => Some(dataset(data)),
        (None, server) => server,
    };
    ProofBrief {
        verdict: verdict(proof.verdict).into(),
        reason: text::cut(&proof.reason, 500),
        data,
        before_ms: proof.before.as_ref().and_then(|side| side.ms),
        after_ms: proof.after.as_ref().and_then(|side| side.ms),
        speedup: proof.speedup,
        results_equal: proof.results_equal,
    }
}

fn dataset(data: &Dataset) -> String {
    let rows = data.rows;
    match data.depth {
        Depth::Full => format!("a full copy, {rows} rows"),
        Depth::Sample => format!("a sample of {:.1} %, {rows} rows", data.share * 100.0),
        Depth::Synthetic => format!("generated data, {rows} rows"),
        Depth::Statistics => "the planner's statistics without rows".into(),
        Depth::WhatIf => "hypothetical indexes: costs, not times".into(),
    }
}

/// A verdict as reports have it.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => "proven",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NotTried => "not_tried",
    }
}

/// What is best done, in a sentence.
pub fn best(best: &Combination) -> String {
    let names: Vec<&str> = best.changes.iter().map(|id| id.0.as_str()).collect();
    let names = names.join(" and ");
    match (best.proof.verdict, best.proof.speedup) {
        (Verdict::Proven, Some(times)) => {
            format!("with {names} it runs {times:.1} times as fast, measured")
        }
        (other, _) => format!("{names} is the best set found; its proof is {}", verdict(other)),
    }
}

/// What an answer leaves out of a report that is kept.
pub fn left_out(report: &Report, id: &str) -> Option<Truncated> {
    let findings = report.findings.len().saturating_sub(MOST);
    let changes = report.changes.len().saturating_sub(MOST);
    (findings + changes > 0).then(|| {
        Truncated::rest(
            format!("{findings} findings and {changes} changes"),
            format!("read the resource marula://labs/{id}/report"),
        )
    })
}
