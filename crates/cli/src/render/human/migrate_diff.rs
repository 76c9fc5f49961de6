//! `marula migrate diff`: what differs, what is lost, and the migrations.

use marula_core::{ObjectDeed, Report, SchemaDifference};

use super::super::Look;
use super::paint::Ink;
use super::{findings, heading, paragraph, text};

/// What becomes of what, what is lost, the migrations.
pub fn diff(report: &Report, found: &SchemaDifference, look: &Look) -> String {
    let mut out = look.paint.ink(Ink::Strong, &sentence(found));
    out.push('\n');
    if !found.objects.is_empty() {
        out.push('\n');
    }
    for object in &found.objects {
        let (sign, ink) = match object.deed {
            ObjectDeed::Made => ("+", Ink::Good),
            ObjectDeed::Changed => ("~", Ink::Warn),
            ObjectDeed::Dropped => ("-", Ink::Bad),
        };
        let line = text::cut(&format!("  {sign} {}", object.object), look.width);
        out.push_str(&look.paint.ink(ink, &line));
        out.push('\n');
    }
    let mut list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            heading(title, look, &mut out);
        }
        for line in lines {
            out.push_str(&text::wrap(line, paragraph(look), "  · ", "    "));
        }
    };
    list("Still different after the replay", &found.remains);
    list("Lost", &found.destroys);
    let renames: Vec<String> = found
        .likely_renames
        .iter()
        .map(|rename| format!("{}; if so, its rows stay with {}", rename.what, rename.flag))
        .collect();
    list("Perhaps only renamed", &renames);
    if !report.findings.is_empty() {
        heading("What to mind", look, &mut out);
        for finding in &report.findings {
            let mut placed = finding.clone();
            if let (Some(file), Some(line)) = (&finding.place.file, finding.place.line) {
                placed.title = format!("{file}:{line}: {}", finding.title);
            }
            findings::one(&placed, look, &mut out);
        }
    }
    for migration in &found.migrations {
        match &migration.file {
            Some(file) => out.push_str(&format!("\n{file}\n")),
            None => out.push_str(&format!("\n{}\n", migration.text.trim_end())),
        }
    }
    super::notes(report, look, &mut out);
    out
}

/// The result in one line.
pub fn sentence(found: &SchemaDifference) -> String {
    let count =
        |deed: ObjectDeed| found.objects.iter().filter(|object| object.deed == deed).count() as u64;
    let said = [
        (count(ObjectDeed::Made), "made"),
        (count(ObjectDeed::Changed), "changed"),
        (count(ObjectDeed::Dropped), "dropped"),
    ];
    let said: Vec<String> =
        said.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if said.is_empty() {
        return if found.remains.is_empty() {
            format!("{} and {} are the same schema", found.from, found.to)
        } else {
            format!("{} and {} differ in what no migration was found for", found.from, found.to)
        };
    }
    let count = text::counted(found.migrations.len() as u64, "migration", "migrations");
    let proved = if found.remains.is_empty() {
        format!("replayed on {}: no difference is left", found.replayed_on)
    } else {
        format!("replayed on {}: {} still differ", found.replayed_on, found.remains.len())
    };
    format!("{} in {count}, {proved}", said.join(", "))
}
