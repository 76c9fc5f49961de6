//! Workflow commands of GitHub Actions: one annotation a finding.

use marula_core::{Report, Severity};

use super::human::{evidence, headline};

/// The report as `::error`, `::warning` and `::notice` lines.
pub fn report(report: &Report, file: Option<&str>) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let level = match finding.severity {
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Info => "notice",
        };
        let mut message = finding.title.clone();
        let facts: Vec<String> = finding.evidence.iter().map(evidence).collect();
        for part in [facts.join(" · "), finding.explanation.clone()] {
            if !part.trim().is_empty() {
                message.push('\n');
                message.push_str(part.trim());
            }
        }
        for id in &finding.changes {
            if let Some(change) = report.changes.iter().find(|change| change.id == *id) {
                message.push_str(&format!("\n{}: {}", change.title, change.up.join("; ")));
            }
        }
        let line = finding.place.line.unwrap_or(1);
        let place = finding.place.file.as_deref().or(file);
        let place = place.map(|file| format!("file={},line={line},", property(file)));
        let place = place.unwrap_or_default();
        let title = property(&format!("marula {}", finding.rule));
        out.push_str(&format!("::{level} {place}title={title}::{}\n", data(&message)));
    }
    out.push_str(&format!("::notice title=marula::{}\n", data(&headline(report))));
    out
}

/// What GitHub takes as a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What GitHub takes as a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
