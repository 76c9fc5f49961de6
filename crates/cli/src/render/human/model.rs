//! `marula model check`: what is wrong with a model file.

use marula_core::{Json, Report};

use super::super::Look;
use super::paint::Ink;
use super::{findings, text};

/// Every mistake with its line.
pub fn check(report: &Report, look: &Look) -> String {
    let mut out = look.paint.ink(Ink::Strong, &sentence(report));
    out.push('\n');
    for finding in &report.findings {
        let mut placed = finding.clone();
        if let Some(line) = finding.place.line {
            placed.title = format!("line {line}: {}", finding.title);
        }
        // All are of one sort; where it is in the model says more.
        placed.rule = finding.place.expression.clone().unwrap_or_default();
        out.push('\n');
        findings::one(&placed, look, &mut out);
    }
    super::notes(report, look, &mut out);
    out
}

/// The result in one line.
pub fn sentence(report: &Report) -> String {
    let none = Json::Null;
    let data = report.data.as_ref().unwrap_or(&none);
    let file = data["file"].as_str().unwrap_or_default();
    let counted = |name: &str, one: &str, several: &str| {
        text::counted(data[name].as_u64().unwrap_or(0), one, several)
    };
    let parts = [
        counted("entities", "entity", "entities"),
        counted("relations", "relation", "relations"),
        counted("queries", "query", "queries"),
        counted("writes", "write", "writes"),
        counted("transactions", "transaction", "transactions"),
    ];
    let wrong = match report.findings.len() as u64 {
        0 => "no mistakes".to_string(),
        some => text::counted(some, "mistake", "mistakes") + "; what can be used is",
    };
    match report.findings.is_empty() {
        true => format!("{file}: {}: {wrong}", parts.join(", ")),
        false => format!("{file}: {wrong} {}", parts.join(", ")),
    }
}
