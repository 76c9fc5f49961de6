//! `marula migrate`: what was found, file by file.

use marula_core::{Finding, Json, MigrationHazard, Report, Severity};

use super::super::Look;
use super::paint::Ink;
use super::{findings, text};

/// What was found in migrations.
pub fn lint(report: &Report, data: &Json, look: &Look) -> String {
    let mut out = look.paint.ink(Ink::Strong, &sentence(report));
    out.push('\n');
    let mut quiet = 0;
    for file in data["files"].as_array().into_iter().flatten() {
        let name = file["file"].as_str().unwrap_or_default();
        let own = report.findings.iter().filter(|f| f.place.file.as_deref() == Some(name));
        let (shown, small): (Vec<&Finding>, Vec<&Finding>) =
            own.partition(|finding| look.verbose || finding.severity > Severity::Info);
        quiet += small.len() as u64;
        let fixed = file["fixed"].as_str();
        if shown.is_empty() && fixed.is_none() {
            continue;
        }
        out.push('\n');
        out.push_str(&look.paint.ink(Ink::Strong, name));
        out.push('\n');
        for finding in shown {
            let mut placed = finding.clone();
            if let Some(line) = finding.place.line {
                placed.title = format!("line {line}: {}", finding.title);
            }
            findings::one(&placed, look, &mut out);
        }
        if let Some(fixed) = fixed {
            out.push_str(&format!("\n{}\n", fixed.trim_end()));
        }
    }
    if quiet > 0 {
        let more = text::counted(quiet, "note", "notes");
        out.push_str(&format!("\nand {more} on locks held for a moment only (-v shows them)\n"));
    }
    super::notes(report, look, &mut out);
    out
}

/// The result in one line.
pub fn sentence(report: &Report) -> String {
    let files = report.data.as_ref().and_then(|data| data["files"].as_array()).map_or(0, Vec::len);
    let grows = |f: &&Finding| f.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking);
    let heavy = report.findings.iter().filter(grows).count() as u64;
    let all = report.findings.iter().filter(|f| f.severity > Severity::Info).count() as u64;
    let files = text::counted(files as u64, "migration", "migrations");
    match (all, heavy) {
        (0, 0) => format!("{files}: nothing found to mend"),
        (all, 0) => format!("{files}: {}", text::counted(all, "finding", "findings")),
        (all, heavy) => format!(
            "{files}: {}, {heavy} of them keep others waiting for as long as the table is large",
            text::counted(all.max(heavy), "finding", "findings")
        ),
    }
}

/// Where new migrations were made.
pub fn new(report: &Report, data: &Json, look: &Look) -> String {
    let mut out = String::new();
    match data["files"].as_array() {
        Some(files) => {
            for file in files {
                out.push_str(&format!("{}\n", file.as_str().unwrap_or_default()));
            }
        }
        None => out.push_str(&format!("{}\n", data["file"].as_str().unwrap_or_default())),
    }
    super::notes(report, look, &mut out);
    out
}
