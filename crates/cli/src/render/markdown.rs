//! For pull requests and tickets.

use marula_core::{
    Catalog, Change, Engine, ObjectDeed, Report, SchemaDifference, Severity, Verdict,
};

use super::human::{evidence, headline, proof, tree_text};
use super::{statement, text};

/// The report as Markdown.
pub fn report(report: &Report) -> String {
    let mut out = format!("## {}\n", headline(report));
    if let Some(digest) = report.digest.as_ref().filter(|digest| digest.totals.calls > 0) {
        out.push_str(&format!("\n{}\n", super::human::logs::latencies(&digest.totals)));
    }
    if let Some(goal) = &report.goal {
        let met = match goal.met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "unknown",
        };
        out.push_str(&format!("\nGoal {}: {met}\n", super::numbers::duration(goal.ms)));
    }
    if let Some(statement) = &report.statement {
        fence(&statement.text, statement.engine, &mut out);
    }
    if !report.findings.is_empty() {
        let why = if ["design", "model infer"].contains(&report.command.as_str()) {
            "What is wrong"
        } else {
            "Why"
        };
        out.push_str(&format!("\n### {why}\n\n"));
    }
    for finding in &report.findings {
        let facts: Vec<String> = finding.evidence.iter().map(evidence).collect();
        let severity = match finding.severity {
            Severity::High => "**high**",
            Severity::Medium => "**medium**",
            Severity::Low => "low",
            Severity::Info => "info",
        };
        let place = match (&finding.place.file, finding.place.line) {
            (Some(file), Some(at)) => format!("`{file}:{at}` "),
            _ => String::new(),
        };
        out.push_str(&format!("- {severity} {place}{} (`{}`)", line(&finding.title), finding.rule));
        for part in [facts.join(" · "), finding.explanation.clone()] {
            if !part.trim().is_empty() {
                out.push_str(&format!("  \n  {}", line(&part)));
            }
        }
        out.push('\n');
    }
    match &report.tuning {
        Some(tuning) => super::markdown_tune::tuning(report, tuning, &mut out),
        None => changes(report, &mut out),
    }
    if let Some(designs) = &report.designs {
        super::markdown_designs::designs(designs, &mut out);
    }
    if let Some(rehearsal) = &report.rehearsal {
        super::markdown_rehearse::rehearsal(report, rehearsal, &mut out);
    }
    if let Some(best) = &report.best {
        out.push_str(&format!(
            "\n### How it was proved\n\n{}\n",
            line(&proof::account(&best.proof))
        ));
        if let (Some(before), Some(after)) = (&best.proof.before, &best.proof.after) {
            let documents = report.changes.first().is_some_and(|c| c.engine == Engine::Mongodb);
            for (at, row) in proof::table(&best.proof, before, after, documents).iter().enumerate()
            {
                let cells: Vec<String> = row.iter().map(|cell| self::cell(cell)).collect();
                out.push_str(&format!(
                    "{}| {} |\n",
                    if at == 0 { "\n" } else { "" },
                    cells.join(" | ")
                ));
                if at == 0 {
                    out.push_str("|---|---:|---:|---:|\n");
                }
            }
        }
    }
    if let Some(found) = &report.schema_difference {
        difference(found, report, &mut out);
    }
    if let Some(plan) = &report.plan {
        out.push_str("\n<details><summary>Plan</summary>\n\n```text\n");
        out.push_str(&tree_text(plan, &report.findings).replace("```", "'''"));
        out.push_str("```\n\n</details>\n");
    }
    if let Some(comparison) = &report.comparison {
        super::markdown_logs::comparison(comparison, &mut out);
    }
    if let Some(digest) = &report.digest {
        super::markdown_logs::digest(digest, &mut out);
    }
    catalog(report, &mut out);
    if let Some(data) = report
        .data
        .as_ref()
        .filter(|_| !["migrate lint", "design", "model infer"].contains(&report.command.as_str()))
    {
        let data = serde_json::to_string_pretty(data).unwrap_or_default();
        out.push_str(&format!("\n```json\n{data}\n```\n"));
    }
    for (at, note) in report.notes.iter().enumerate() {
        out.push_str(&format!(
            "{}- {}\n",
            if at == 0 { "\n### Notes\n\n" } else { "" },
            line(note)
        ));
    }
    out
}

/// What differs between two schemas, and the migrations.
fn difference(found: &SchemaDifference, report: &Report, out: &mut String) {
    for (at, object) in found.objects.iter().enumerate() {
        let deed = match object.deed {
            ObjectDeed::Made => "made",
            ObjectDeed::Changed => "changed",
            ObjectDeed::Dropped => "**dropped**",
        };
        let object = line(&object.object);
        out.push_str(&format!("{}- {deed}: {object}\n", if at == 0 { "\n" } else { "" }));
    }
    let renames: Vec<String> =
        found.likely_renames.iter().map(|one| format!("{}: `{}`", one.what, one.flag)).collect();
    for (title, lines) in [
        ("Still different after the replay", &found.remains),
        ("Lost", &found.destroys),
        ("Perhaps only renamed", &renames),
    ] {
        for (at, text) in lines.iter().enumerate() {
            let head = if at == 0 { format!("\n### {title}\n\n") } else { String::new() };
            out.push_str(&format!("{head}- {}\n", line(text)));
        }
    }
    let engine = report.target.as_ref().map(|target| target.engine);
    for migration in &found.migrations {
        if let Some(file) = &migration.file {
            out.push_str(&format!("\n`{file}`\n"));
        }
        let json = migration.text.starts_with('{') && engine != Some(Engine::Postgres);
        let language = if json { "json" } else { "sql" };
        let text = migration.text.trim_end();
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let ticks = "`".repeat(longest.max(2) + 1);
        out.push_str(&format!("\n{ticks}{language}\n{text}\n{ticks}\n"));
    }
}

fn changes(report: &Report, out: &mut String) {
    let best: &[_] = report.best.as_ref().map_or(&[], |best| &best.changes);
    let chosen = best.iter().filter_map(|id| report.changes.iter().find(|c| c.id == *id));
    let together = report
        .best
        .as_ref()
        .is_some_and(|best| best.proof.verdict == Verdict::Proven && best.changes.len() > 1);
    section("What to do", together, chosen, out);
    let others = report.changes.iter().filter(|c| !best.contains(&c.id));
    let title = if best.is_empty() { "What could be done" } else { "Also thought of" };
    section(title, false, others, out);
}

fn section<'a>(
    title: &str,
    member: bool,
    changes: impl Iterator<Item = &'a Change>,
    out: &mut String,
) {
    for (at, change) in changes.enumerate() {
        if at == 0 {
            out.push_str(&format!("\n### {title}\n"));
        }
        let verdict = super::human::verdict(&change.proof, member);
        out.push_str(&format!(
            "\n**{}** (`{}`)  \n{}\n",
            line(&change.title),
            change.id.0,
            line(&verdict)
        ));
        for up in &change.up {
            fence(up, change.engine, out);
        }
        for (word, asides) in [("Mind", &change.hazards), ("Checked", &change.conditions)] {
            for aside in asides {
                out.push_str(&format!("\n{word}: {}\n", line(aside)));
            }
        }
    }
}

fn catalog(report: &Report, out: &mut String) {
    let rows: Vec<(String, u64, u64, u64, usize)> = match &report.catalog {
        Some(Catalog::Postgres(catalog)) => catalog
            .relations
            .iter()
            .map(|r| {
                (
                    r.qualified(),
                    r.rows.unwrap_or(0.0).max(0.0) as u64,
                    r.bytes,
                    r.index_bytes,
                    r.indexes.len(),
                )
            })
            .collect(),
        Some(Catalog::Mongodb(catalog)) => catalog
            .collections
            .iter()
            .map(|c| (c.name.clone(), c.documents, c.bytes, c.index_bytes, c.indexes.len()))
            .collect(),
        None => return,
    };
    out.push_str("\n| name | rows | size | indexes | number |\n|---|---:|---:|---:|---:|\n");
    for (name, rows, bytes, index_bytes, number) in rows {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {number} |\n",
            cell(&name),
            super::numbers::grouped(rows),
            super::numbers::bytes(bytes),
            super::numbers::bytes(index_bytes)
        ));
    }
}

/// A statement as a block of code.
pub fn fence(text: &str, engine: Engine, out: &mut String) {
    let language = if engine == Engine::Postgres { "sql" } else { "javascript" };
    // A fence inside the statement is outdone by a longer one.
    let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
    let lines = statement::laid_out(text, engine, 100).join("\n");
    out.push_str(&format!("\n{ticks}{language}\n{lines}\n{ticks}\n"));
}

/// Text on one line that Markdown and HTML leave alone.
pub fn line(text: &str) -> String {
    text::flat(text).replace('<', "&lt;")
}

/// Text for a cell of a table.
pub fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}
