//! What was read, what was inferred, how sure that is, and what was wrong.

use marula_core::model::Model;
use marula_core::{
    Error, ErrorKind, Evidence, Finding, Place, Proof, Report, Result, Severity, Verdict, grouped,
};
use serde_json::json;

use super::prove::Rejoined;
use super::read::{SourceRead, Trouble, What};
use super::world::World;
use crate::model::{self, Comments, Way};

/// Lines of comment above a model: where it comes from, and how far it is to be trusted.
pub fn head(world: &World, sources: &[SourceRead], proof: &Proof) -> Vec<String> {
    let mut lines = vec!["Inferred from data by `marula model infer`.".to_string()];
    for source in sources {
        let mut line = format!("{}: {}", source.name, counts(source));
        if !source.how.is_empty() {
            line.push_str(&format!("; {}", source.how));
        }
        lines.push(line);
        for trouble in &source.trouble {
            lines.push(format!("  {}", words(source, trouble)));
        }
    }
    let tally = tally(world);
    lines.push(format!(
        "{} dependencies looked at: {} hold in every row, {} more held in nine tenths of the rows \
         and failed on the last",
        grouped(tally.candidates),
        grouped(tally.held),
        grouped(tally.failed_held_out)
    ));
    let verdict = match proof.verdict {
        Verdict::Proven => "proven",
        Verdict::Refuted => "REFUTED",
        Verdict::Inconclusive => "not decided",
        Verdict::NotTried => "not proven",
    };
    lines.push(format!("{verdict}: {}", proof.reason));
    lines
}

fn tally(world: &World) -> super::dependency::Tally {
    let mut all = super::dependency::Tally::default();
    for one in &world.decomposed {
        all.candidates += one.tally.candidates;
        all.held += one.tally.held;
        all.failed_held_out += one.tally.failed_held_out;
    }
    all
}

/// What was read of a source and what became of it, in words.
pub fn counts(source: &SourceRead) -> String {
    let mut line = format!(
        "{} {} read, {} kept, {} set aside",
        grouped(source.read),
        if source.read == 1 { "row" } else { "rows" },
        grouped(source.kept),
        grouped(source.set_aside)
    );
    if source.beyond > 0 {
        line.push_str(&format!(", {} beyond the bounds and not used", grouped(source.beyond)));
    }
    if let Some(of) = source.of {
        line.push_str(&format!(" of about {}", grouped(of)));
    }
    line
}

fn words(source: &SourceRead, trouble: &Trouble) -> String {
    let place = source.form.place();
    let places: Vec<String> =
        trouble.places.iter().map(|(at, detail)| format!("{place} {at}: {detail}")).collect();
    let more = trouble.count.saturating_sub(trouble.places.len() as u64);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    format!("{} {} ({}{more})", grouped(trouble.count), trouble.what.words(), places.join("; "))
}

/// The report. `yaml` goes along as the model's file.
///
/// # Errors
/// `Internal` when it cannot be written as JSON.
pub fn report(
    world: &World,
    model: &Model,
    comments: &Comments,
    sources: &[SourceRead],
    proof: &Proof,
    rejoined: &[Rejoined],
) -> Result<Report> {
    let mut report = Report::new("model infer");
    for source in sources {
        report.notes.push(format!("{}: {}", source.name, counts(source)));
        for trouble in &source.trouble {
            report.findings.push(finding(source, trouble));
        }
    }
    report.findings.sort_by_key(|one| std::cmp::Reverse(one.severity));
    report.notes.extend(world.notes.iter().cloned());
    report.notes.push(proof.reason.clone());
    let mut comments = comments.clone();
    comments.insert(Way::root(), head(world, sources, proof));
    let text = model::write(model, &comments);
    let passed: Vec<_> = world
        .decomposed
        .iter()
        .zip(&world.tables)
        .flat_map(|(one, table)| one.passed.iter().map(move |passed| (table, passed)))
        .map(|(table, passed)| {
            let names = |ids: &[usize]| -> Vec<&str> {
                ids.iter().map(|at| table.columns[*at].name.as_str()).collect()
            };
            json!({
                "table": table.name,
                "left": names(&passed.left),
                "right": names(&passed.right),
                "why": passed.why,
            })
        })
        .collect();
    let defect = |error: serde_json::Error| {
        Error::new(ErrorKind::Internal, "the report cannot be written as JSON").because(error)
    };
    report.data = Some(json!({
        "model": serde_json::to_value(model).map_err(defect)?,
        "yaml": text,
        "sources": serde_json::to_value(sources).map_err(defect)?,
        "dependencies": serde_json::to_value(tally(world)).map_err(defect)?,
        "not_used": passed,
        "proof": serde_json::to_value(proof).map_err(defect)?,
        "rejoined": serde_json::to_value(rejoined).map_err(defect)?,
    }));
    Ok(report)
}

fn finding(source: &SourceRead, trouble: &Trouble) -> Finding {
    let severity = match trouble.what {
        what if what.sets_aside() => Severity::Medium,
        What::Empty
        | What::MixedTypes
        | What::DuplicateField
        | What::DuplicateName
        | What::Replaced => Severity::Low,
        _ => Severity::Info,
    };
    let first = trouble.places.first();
    Finding {
        rule: trouble.what.id().into(),
        severity,
        title: format!("{}: {} {}", source.name, grouped(trouble.count), trouble.what.words()),
        place: Place {
            file: Some(source.name.clone()),
            line: first.and_then(|(line, _)| usize::try_from(*line).ok()),
            ..Place::default()
        },
        evidence: trouble
            .places
            .iter()
            .map(|(at, detail)| {
                Evidence::text(&format!("{} {at}", source.form.place()), detail.clone())
            })
            .collect(),
        explanation: "What is named here did not take part as it stands; everything else did."
            .into(),
        changes: Vec::new(),
        hazard: None,
    }
}
