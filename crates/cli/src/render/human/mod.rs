//! For people at a terminal: what they need first comes first.

pub mod applied;
mod changes;
mod design;
pub mod designs;
mod document;
mod findings;
mod grid;
mod headline;
mod lab;
pub mod logs;
mod migrate;
pub mod migrate_diff;
mod model;
mod model_infer;
pub mod numbers;
pub mod paint;
pub mod proof;
pub mod rehearse;
mod relational;
pub mod text;
mod tree;
pub mod tune;
mod tune_rest;

use marula_core::{Catalog, Finding, Plan, Proof, Report};

use super::{Look, Paint};
pub use findings::evidence;
pub use headline::sentence as headline;
use paint::Ink;

/// Paragraphs are not wider than this: long lines are hard to read.
const READABLE: usize = 100;

/// The report as text.
pub fn report(report: &Report, look: &Look) -> String {
    if let Some(all) = &report.migrations {
        return applied::migrations(report, all, look);
    }
    match (report.command.as_str(), &report.catalog, &report.data) {
        ("inspect", Some(catalog), data) => {
            let object = data.as_ref().and_then(|data| data["object"].as_str());
            match catalog {
                Catalog::Postgres(catalog) => relational::inspect(report, catalog, object, look),
                Catalog::Mongodb(catalog) => document::inspect(report, catalog, object, look),
            }
        }
        ("migrate diff", _, _) if report.schema_difference.is_some() => report
            .schema_difference
            .as_ref()
            .map_or(String::new(), |found| migrate_diff::diff(report, found, look)),
        ("model check", ..) => model::check(report, look),
        _ if report.designs.is_some() => report
            .designs
            .as_ref()
            .map_or(String::new(), |found| designs::designs(report, found, look)),
        ("design", ..) => design::design(report, look),
        ("model infer", ..) => model_infer::infer(report).unwrap_or_default(),
        ("migrate lint", _, Some(data)) => migrate::lint(report, data, look),
        ("migrate new", _, Some(data)) => migrate::new(report, data, look),
        (command, _, Some(data)) if command.starts_with("lab") => lab::lab(command, data, look),
        ("migrate rehearse", _, None) => report
            .rehearsal
            .as_ref()
            .map_or(String::new(), |rehearsal| rehearse::rehearsal(report, rehearsal, look)),
        (_, _, None) if report.tuning.is_some() => {
            report.tuning.as_ref().map_or(String::new(), |tuning| tune::tune(report, tuning, look))
        }
        _ => match &report.digest {
            Some(digest) => logs::logs(report, digest, look),
            None => explain(report, look),
        },
    }
}

/// How slow, why, what to do, what that gains, how it was proved; then the plan.
fn explain(report: &Report, look: &Look) -> String {
    let mut out = headline::headline(report, look);
    findings::findings(report, look, &mut out);
    changes::to_do(report, look, &mut out);
    proof::how_proved(report, look, &mut out);
    changes::others(report, look, &mut out);
    if let Some(plan) = &report.plan {
        tree::plan(plan, &report.findings, look, &mut out);
    }
    notes(report, look, &mut out);
    out
}

/// What the reader should know besides.
fn notes(report: &Report, look: &Look, out: &mut String) {
    if !report.notes.is_empty() {
        heading("Notes", look, out);
        for note in &report.notes {
            out.push_str(&text::wrap(note, paragraph(look), "  · ", "    "));
        }
    }
}

/// A section's heading, with an empty line before it.
fn heading(title: &str, look: &Look, out: &mut String) {
    out.push('\n');
    out.push_str(&look.paint.ink(Ink::Strong, title));
    out.push('\n');
}

/// The columns a paragraph may take.
fn paragraph(look: &Look) -> usize {
    look.width.min(READABLE)
}

/// The verdict of a proof with what was measured, in one line; `member`: of the best set.
pub fn verdict(proof: &Proof, member: bool) -> String {
    changes::verdict(proof, member).1
}

/// The plan's tree without colour, for a code block.
pub fn tree_text(plan: &Plan, findings: &[Finding]) -> String {
    let look = Look { width: 120, paint: Paint(false), verbose: false, file: None };
    let mut out = String::new();
    tree::plan(plan, findings, &look, &mut out);
    out.trim_start().to_string()
}
