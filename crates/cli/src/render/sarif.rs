//! SARIF 2.1.0 for code scanning.

use std::collections::BTreeSet;

use marula_core::{Report, Result, Severity};
use serde_json::{Value, json};

use super::human::{evidence, headline};

/// The report as a SARIF log with one run.
pub fn report(report: &Report, file: Option<&str>) -> Result<String> {
    let used: BTreeSet<&str> = report.findings.iter().map(|f| f.rule.as_str()).collect();
    let known = crate::rules::all();
    let rules: Vec<Value> = used
        .iter()
        .map(|id| match known.iter().find(|rule| rule.id == *id) {
            Some(rule) => json!({
                "id": id,
                "shortDescription": { "text": rule.title },
                "help": { "text": rule.page, "markdown": rule.page },
                "defaultConfiguration": { "level": level(rule.severity) },
            }),
            None => json!({ "id": id }),
        })
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let facts: Vec<String> = finding.evidence.iter().map(evidence).collect();
            let parts = [finding.title.clone(), facts.join(" · "), finding.explanation.clone()];
            let text: Vec<&str> =
                parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
            let name = finding.place.relation.clone().or_else(|| finding.place.op.clone());
            let mut location = json!({
                "logicalLocations": [{
                    "fullyQualifiedName": name.unwrap_or_else(|| "statement".into()),
                }],
            });
            if let Some(file) = finding.place.file.as_deref().or(file) {
                location["physicalLocation"] = json!({
                    "artifactLocation": { "uri": uri(file) },
                    "region": { "startLine": finding.place.line.unwrap_or(1) },
                });
            }
            json!({
                "ruleId": finding.rule,
                "ruleIndex": used.iter().position(|id| *id == finding.rule),
                "level": level(finding.severity),
                "message": { "text": text.join("\n") },
                "locations": [location],
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "marula",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
            "properties": { "headline": headline(report) },
        }],
    });
    Ok(format!("{log:#}\n"))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A relative reference as SARIF wants it.
fn uri(file: &str) -> String {
    let mut out = String::new();
    for byte in file.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
