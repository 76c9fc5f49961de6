//! Why it is slow: one block a finding.

use marula_core::{Evidence, EvidenceValue, Finding, Report, Severity};

use super::super::Look;
use super::numbers::{bytes, duration, number, percent};
use super::paint::Ink;
use super::{heading, paragraph, text};

/// All findings, what matters most first.
pub fn findings(report: &Report, look: &Look, out: &mut String) {
    if report.findings.is_empty() {
        return;
    }
    heading("Why", look, out);
    for (at, finding) in report.findings.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        one(finding, look, out);
    }
}

const INDENT: &str = "           ";

pub(super) fn one(finding: &Finding, look: &Look, out: &mut String) {
    let width = paragraph(look);
    let (ink, word) = match finding.severity {
        Severity::High => (Ink::Bad, "high"),
        Severity::Medium => (Ink::Warn, "medium"),
        Severity::Low => (Ink::Strong, "low"),
        Severity::Info => (Ink::Faint, "info"),
    };
    let title = text::wrap(&text::flat(&finding.title), width, INDENT, INDENT);
    let mark = look.paint.ink(ink, &format!("● {}", text::left(word, 7)));
    out.push_str(&format!("  {mark}"));
    out.push_str(title.get(INDENT.len()..).unwrap_or_default());

    let facts = finding.evidence.iter().map(evidence).collect::<Vec<_>>().join(" · ");
    let facts = [finding.rule.clone(), facts].into_iter().filter(|part| !part.is_empty());
    let facts = text::wrap(&facts.collect::<Vec<_>>().join(": "), width, INDENT, INDENT);
    out.push_str(&look.paint.ink(Ink::Faint, facts.trim_end_matches('\n')));
    out.push('\n');
    if !finding.explanation.trim().is_empty() {
        out.push_str(&text::wrap(finding.explanation.trim(), width, INDENT, INDENT));
    }
    if !finding.changes.is_empty() {
        let ids: Vec<&str> = finding.changes.iter().map(|id| id.0.as_str()).collect();
        out.push_str(&format!("{INDENT}→ {}\n", ids.join(", ")));
    }
}

/// `rows removed by filter 999,988`.
pub fn evidence(evidence: &Evidence) -> String {
    let name = text::flat(&evidence.name);
    let value = match (&evidence.value, evidence.unit.as_deref()) {
        (EvidenceValue::Number(value), Some("ms")) => duration(*value),
        (EvidenceValue::Number(value), Some("bytes")) => bytes(value.max(0.0) as u64),
        (EvidenceValue::Number(value), Some("kB")) => bytes((value.max(0.0) * 1024.0) as u64),
        (EvidenceValue::Number(value), Some("%")) if *value > 99.0 => percent(value / 100.0),
        (EvidenceValue::Number(value), Some(unit)) => format!("{} {unit}", number(*value)),
        (EvidenceValue::Number(value), None) => number(*value),
        (EvidenceValue::Text(value), unit) => {
            format!(
                "{}{}",
                text::cut(value, 120),
                unit.map(|u| format!(" {u}")).unwrap_or_default()
            )
        }
    };
    format!("{name} {value}")
}
