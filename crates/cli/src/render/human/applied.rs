//! `marula migrate status`, `plan`, `apply`, `rollback`, `verify`, `repair`.

use marula_core::{Finding, MigrationState, MigrationStatus, Migrations, Report, Severity};

use super::super::Look;
use super::paint::Ink;
use super::{findings, text};

/// Where the migrations stand.
pub fn migrations(report: &Report, migrations: &Migrations, look: &Look) -> String {
    let mut out = look.paint.ink(Ink::Strong, &sentence(report, migrations));
    out.push('\n');
    if let Some(holder) = &migrations.holder {
        out.push_str(&format!("At work now: {holder}\n"));
    }
    let data = report.data.as_ref();
    for said in data.and_then(|data| data["settled"].as_array()).into_iter().flatten() {
        out.push_str(&format!("  {}\n", said.as_str().unwrap_or_default()));
    }
    let plan = report.command == "migrate plan";
    let shown: Vec<&MigrationStatus> =
        migrations.list.iter().filter(|one| is_shown(report, one, look)).collect();
    if !shown.is_empty() {
        out.push('\n');
    }
    let width = shown.iter().map(|one| one.key.chars().count()).max().unwrap_or(0);
    for one in shown {
        out.push_str(&line(one, width, look));
        for step in &one.statements {
            let first = text::flat(&step.text);
            let first = text::cut(&first, look.width.saturating_sub(8).max(40));
            out.push_str(&format!("      {first}\n"));
            let how = format!("line {}, {}", step.line, step.how);
            out.push_str(&look.paint.ink(Ink::Faint, &format!("        {how}\n")));
        }
        if plan {
            of_file(report, one, look, &mut out);
        }
    }
    if !plan {
        for finding in report.findings.iter().filter(|f| f.severity > Severity::Info) {
            out.push('\n');
            findings::one(finding, look, &mut out);
        }
    }
    super::notes(report, look, &mut out);
    out
}

fn is_shown(report: &Report, one: &MigrationStatus, look: &Look) -> bool {
    match report.command.as_str() {
        "migrate plan" => !one.statements.is_empty(),
        "migrate apply" | "migrate rollback" => one.ms.is_some() || half(one) || look.verbose,
        _ => true,
    }
}

fn half(one: &MigrationStatus) -> bool {
    matches!(one.state, MigrationState::Half | MigrationState::HalfReverted)
}

fn line(one: &MigrationStatus, width: usize, look: &Look) -> String {
    let (mark, ink, mut words) = match one.state {
        MigrationState::Applied => ("✓", Ink::Good, String::new()),
        MigrationState::Pending => ("·", Ink::Faint, "to come".to_string()),
        MigrationState::Half => {
            ("◐", Ink::Warn, format!("half applied, {} of {} done", one.done, one.steps))
        }
        MigrationState::HalfReverted => {
            ("◐", Ink::Warn, format!("half rolled back, {} of {} done", one.done, one.steps))
        }
    };
    let mut add = |more: String| {
        if !words.is_empty() {
            words.push_str(", ");
        }
        words.push_str(&more);
    };
    if let Some(rows) = one.rows {
        add(format!("{} changed so far", text::counted(rows, "row", "rows")));
    }
    match (one.ms, one.finished) {
        (Some(ms), _) => add(super::numbers::duration(ms)),
        (None, Some(finished)) if one.state == MigrationState::Applied => {
            add(finished
                .to_string()
                .split('.')
                .next()
                .unwrap_or_default()
                .trim_end_matches('Z')
                .replace('T', " "));
        }
        _ => {}
    }
    if let Some(tool) = &one.adopted_from {
        add(format!("by {tool}"));
    }
    if one.file.is_none() {
        add("its file is gone".into());
    }
    if one.ms.is_none() && !one.reversible && one.file.is_some() {
        add("no way back".into());
    }
    let mark = look.paint.ink(ink, mark);
    let key = format!("{:width$}", one.key);
    format!("  {mark} {key}  {}  {}\n", one.name, look.paint.ink(Ink::Faint, &words))
}

/// What the rules find in a file that would run.
fn of_file(report: &Report, one: &MigrationStatus, look: &Look, out: &mut String) {
    let own = |finding: &&Finding| {
        finding.place.file == one.file && (look.verbose || finding.severity > Severity::Info)
    };
    for finding in report.findings.iter().filter(own) {
        let mut placed = finding.clone();
        if let Some(line) = finding.place.line {
            placed.title = format!("line {line}: {}", finding.title);
        }
        findings::one(&placed, look, out);
    }
}

/// The result in one line.
pub fn sentence(report: &Report, migrations: &Migrations) -> String {
    let target = report.target.as_ref().map_or("the target", |target| target.name.as_str());
    let count = |state| migrations.list.iter().filter(|one| one.state == state).count() as u64;
    let ran = migrations.list.iter().filter(|one| one.ms.is_some()).count() as u64;
    let counted = |n| text::counted(n, "migration", "migrations");
    match report.command.as_str() {
        "migrate plan" => {
            let due = migrations.list.iter().filter(|one| !one.statements.is_empty());
            let steps = due.clone().map(|one| one.statements.len()).sum::<usize>() as u64;
            match due.count() as u64 {
                0 => format!("{target}: nothing to run"),
                n => format!(
                    "{target}: {} would run, {}",
                    counted(n),
                    text::counted(steps, "statement", "statements")
                ),
            }
        }
        "migrate apply" | "migrate rollback" => {
            let word = if report.command == "migrate apply" { "applied" } else { "rolled back" };
            match (ran, report.failure.is_some()) {
                (0, false) => format!("{target}: nothing to do"),
                (0, true) => format!("{target}: no migration was {word} to its end"),
                (n, false) => format!("{target}: {} {word}", counted(n)),
                (n, true) => format!("{target}: {} {word}, then it broke off", counted(n)),
            }
        }
        _ => {
            let (done, half) = (
                count(MigrationState::Applied),
                count(MigrationState::Half) + count(MigrationState::HalfReverted),
            );
            let pending = count(MigrationState::Pending);
            let mut parts = vec![format!("{done} applied")];
            if half > 0 {
                parts.push(format!("{half} half done"));
            }
            parts.push(format!("{pending} to come"));
            match migrations.drift.len() {
                0 => {}
                1 => parts.push("1 disagreement with the folder".into()),
                n => parts.push(format!("{n} disagreements with the folder")),
            }
            format!("{target}: {}", parts.join(", "))
        }
    }
}
