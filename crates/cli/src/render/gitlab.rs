//! GitLab's code quality report.

use marula_core::{Error, ErrorKind, Report, Result, Severity};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::human::evidence;

/// The findings as a JSON array of issues.
pub fn report(report: &Report, file: Option<&str>) -> Result<String> {
    let mut seen = std::collections::HashMap::new();
    let issues: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let path = finding.place.file.as_deref().or(file).unwrap_or("statement");
            let text = finding.place.expression.as_deref().unwrap_or(&finding.title);
            let identity = format!("{}\0{path}\0{text}", finding.rule);
            // The same finding on the same text twice in a file is still two issues.
            let count = seen.entry(identity.clone()).or_insert(0u32);
            *count += 1;
            let digest = Sha256::digest(format!("{identity}\0{count}").as_bytes());
            let fingerprint: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
            let facts: Vec<String> = finding.evidence.iter().map(evidence).collect();
            let parts = [finding.title.clone(), facts.join(" · "), finding.explanation.clone()];
            let parts: Vec<&str> =
                parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
            json!({
                "description": parts.join("\n"),
                "check_name": finding.rule,
                "fingerprint": fingerprint,
                "severity": match finding.severity {
                    Severity::High => "critical",
                    Severity::Medium => "major",
                    Severity::Low => "minor",
                    Severity::Info => "info",
                },
                "location": {
                    "path": path.strip_prefix("./").unwrap_or(path),
                    "lines": { "begin": finding.place.line.unwrap_or(1) },
                },
            })
        })
        .collect();
    serde_json::to_string_pretty(&issues).map(|text| text + "\n").map_err(|error| {
        Error::new(ErrorKind::Internal, "the findings cannot be written as JSON").because(error)
    })
}
