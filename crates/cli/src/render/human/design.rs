//! `marula design`: what is wrong with a schema, and what mends it.

use marula_core::{Report, Severity, Verdict};

use super::super::Look;
use super::paint::Ink;
use super::{changes, findings, heading, headline, text};

/// What a review found.
pub fn design(report: &Report, look: &Look) -> String {
    let mut out = headline::headline(report, look);
    for (at, finding) in report.findings.iter().enumerate() {
        if at == 0 {
            heading("What is wrong", look, &mut out);
        } else {
            out.push('\n');
        }
        findings::one(finding, look, &mut out);
    }
    changes::others(report, look, &mut out);
    super::notes(report, look, &mut out);
    if !report.findings.is_empty() {
        let more = "A rule's page says more: marula rule ID";
        out.push_str(&format!("\n{}\n", look.paint.ink(Ink::Faint, more)));
    }
    out
}

/// The result in one line.
pub fn sentence(report: &Report) -> String {
    let counted = |name: &str| report.data.as_ref().and_then(|data| data[name].as_u64());
    let looked = match (counted("tables"), counted("collections")) {
        (Some(tables), _) => text::counted(tables, "table", "tables"),
        (_, Some(collections)) => text::counted(collections, "collection", "collections"),
        _ => "the design".into(),
    };
    let rules = counted("rules").unwrap_or(0);
    if report.findings.is_empty() {
        return format!("{looked}, {rules} rules: nothing found to mend");
    }
    let of = |severity| report.findings.iter().filter(|one| one.severity == severity).count();
    let parts = [
        (Severity::High, "high"),
        (Severity::Medium, "medium"),
        (Severity::Low, "low"),
        (Severity::Info, "worth knowing"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(severity, _)| of(*severity) > 0)
        .map(|(severity, word)| format!("{} {word}", of(*severity)))
        .collect();
    let proven =
        report.changes.iter().filter(|one| one.proof.verdict == Verdict::Proven).count() as u64;
    let proven = match proven {
        0 => String::new(),
        some => format!("; {} proven in the lab", text::counted(some, "fix", "fixes")),
    };
    let findings = text::counted(report.findings.len() as u64, "finding", "findings");
    format!("{looked}: {findings} ({}){proven}", parts.join(", "))
}
