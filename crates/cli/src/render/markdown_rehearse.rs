//! A rehearsal for pull requests and tickets.

use marula_core::{MigrationForm, Rehearsal, RehearsalRun, Report};

use super::human::rehearse::{client, facts, ground, headline, row};
use super::markdown::{cell, fence, line};
use super::numbers::duration;

/// What each form did, statement by statement.
pub fn rehearsal(report: &Report, rehearsal: &Rehearsal, out: &mut String) {
    out.push_str(&format!("\n{}\n\n", line(&ground(report, rehearsal))));
    out.push_str(
        "| migration | form | longest stall | stalled | failed | took | log | disk | lag | way back |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|---|\n",
    );
    for run in &rehearsal.runs {
        let cells: Vec<String> = row(run).iter().map(|text| cell(text)).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    for run in &rehearsal.runs {
        one(run, rehearsal, out);
    }
}

fn one(run: &RehearsalRun, rehearsal: &Rehearsal, out: &mut String) {
    let form = if run.form == MigrationForm::Safe { ", the safe form" } else { "" };
    out.push_str(&format!("\n### {}{form}\n", line(&run.file)));
    let engine = rehearsal.server.engine;
    for told in &run.statements {
        fence(&told.text, engine, out);
        out.push_str(&format!("\n**{}**\n\n", line(&headline(told, engine))));
        for fact in facts(told, false) {
            out.push_str(&format!("- {}\n", line(&fact)));
        }
        let troubled: Vec<_> =
            told.clients.iter().filter(|c| c.stalled > 0 || c.failed > 0).collect();
        for (at, one) in troubled.iter().enumerate() {
            if at == 0 {
                out.push_str(
                    "\n| clients | operations | half | 99 % | longest | stalled | failed | behind |\n\
                     |---|---:|---:|---:|---:|---:|---:|---|\n",
                );
            }
            let cells: Vec<String> = client(one).iter().map(|text| cell(text)).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        for one in troubled.iter().filter(|one| one.failed > 0) {
            let error = one.error.as_deref().unwrap_or_default();
            out.push_str(&format!("\nThe {} failed: {}\n", one.latency.operation, line(error)));
        }
    }
    if let Some(failure) = &run.failure {
        out.push_str(&format!("\n**It ends here:** {}\n", line(&failure.message)));
    }
    let Some(back) = &run.way_back else { return };
    let how = match (&back.failed, back.restored) {
        (Some(error), _) => format!("fails: {error}"),
        (None, true) => {
            format!("{}; schema and data are as before", duration(back.duration_ms))
        }
        (None, false) => format!("{}; not all is as before", duration(back.duration_ms)),
    };
    out.push_str(&format!("\nWay back: {}\n", line(&how)));
    for (at, difference) in back.differences.iter().take(20).enumerate() {
        let gap = if at == 0 { "\n" } else { "" };
        out.push_str(&format!("{gap}- {}\n", line(difference)));
    }
}
