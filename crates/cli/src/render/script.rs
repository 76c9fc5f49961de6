//! The picked changes of a workload as a script with the way back.

use marula_core::{Change, ChangeKind, Engine, Report};

use super::statement;

/// The script: what to run, then the way back as comments.
pub fn script(report: &Report) -> String {
    let engine = report.target.as_ref().map_or(Engine::Postgres, |target| target.engine);
    let mark = if engine == Engine::Postgres { "--" } else { "//" };
    let mut out = String::new();
    let comment = |out: &mut String, text: &str| {
        for line in text.lines() {
            out.push_str(format!("{mark} {line}").trim_end());
            out.push('\n');
        }
    };
    comment(&mut out, &super::human::headline(report));
    if engine == Engine::Postgres {
        comment(
            &mut out,
            "CONCURRENTLY does not go inside a transaction: run it with psql -f, without -1.",
        );
    }
    let (rewrites, others): (Vec<&Change>, Vec<&Change>) =
        report.changes.iter().partition(|change| change.kind == ChangeKind::Rewrite);
    for change in &others {
        out.push('\n');
        comment(&mut out, &format!("{}: {}", change.id.0, change.title));
        for up in &change.up {
            out.push_str(&ended(up));
        }
    }
    for change in &rewrites {
        out.push('\n');
        comment(&mut out, &format!("{}: {}", change.id.0, change.title));
        comment(&mut out, "In the application, in place of the statement it mends:");
        for up in &change.up {
            comment(&mut out, &statement::laid_out(up, engine, 100).join("\n"));
        }
    }
    if others.iter().any(|change| !change.down.is_empty()) {
        out.push('\n');
        comment(&mut out, "The way back:");
        for down in others.iter().rev().flat_map(|change| &change.down) {
            comment(&mut out, ended(down).trim_end());
        }
    }
    out
}

fn ended(statement: &str) -> String {
    let statement = statement.trim();
    if statement.ends_with(';') { format!("{statement}\n") } else { format!("{statement};\n") }
}
