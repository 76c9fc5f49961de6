//! A digest for tickets: numbers, statements, errors, events, sources.

use marula_core::{Comparison, Digest};

use super::human::logs::{self, examined, few, kind, known, label, moment};
use super::human::numbers::{bytes, duration, grouped, percent, short};
use super::markdown::{cell, fence, line};

/// So many statements are told in full.
const IN_FULL: usize = 5;

/// What follows the headline and the advice.
pub fn digest(digest: &Digest, out: &mut String) {
    objects(digest, out);
    statements(digest, out);
    if !digest.errors.is_empty() {
        out.push_str("\n### Errors\n");
        table("count|severity|code|message", "---:|---|---|---", out);
        for error in &digest.errors {
            row(
                &[
                    &grouped(error.count),
                    &error.severity,
                    error.code.as_deref().unwrap_or_default(),
                    &error.message,
                ],
                out,
            );
        }
    }
    if !digest.events.is_empty() {
        out.push_str("\n### Events\n");
        table("count|what|in all|at most|about", "---:|---|---:|---:|---", out);
        for event in &digest.events {
            let about: Vec<String> = event
                .about
                .iter()
                .take(4)
                .map(|one| format!("{} {}", one.name, grouped(one.count)))
                .collect();
            row(
                &[
                    &grouped(event.count),
                    kind(event.kind),
                    &logs::amount(event, event.total),
                    &logs::amount(event, event.max),
                    &about.join(", "),
                ],
                out,
            );
        }
    }
    out.push_str("\n### Sources\n");
    table("source|format|size|entries|lines|unread", "---|---|---:|---:|---:|---:", out);
    for source in &digest.sources {
        row(
            &[
                &source.name,
                source.format.as_deref().unwrap_or("not recognised"),
                &bytes(source.bytes),
                &grouped(source.entries),
                &grouped(source.lines),
                &grouped(source.unread),
            ],
            out,
        );
    }
}

/// What changed since other logs.
pub fn comparison(comparison: &Comparison, out: &mut String) {
    let title = logs::compared_title(comparison);
    out.push_str(&format!(
        "\n### {}\n\n{}\n",
        line(&title),
        line(&logs::compared_sentence(comparison))
    ));
    table(
        "|statement|time/h|mean|times|p95|calls|times",
        "---|---|---:|---:|---:|---:|---:|---:",
        out,
    );
    for (trend, name) in logs::TRENDS {
        for one in comparison.statements.iter().filter(|one| one.trend == trend).take(20) {
            let cells = logs::change_cells(one);
            let cells: Vec<&str> =
                std::iter::once(name).chain(cells.iter().map(String::as_str)).collect();
            row(&cells, out);
        }
    }
}

fn objects(digest: &Digest, out: &mut String) {
    if digest.objects.is_empty() {
        return;
    }
    out.push_str(&format!("\n### {}\n", logs::objects_title(digest)));
    table(
        "name|reads|mean|p95|total|share|read/row|keys/row",
        "---|---:|---:|---:|---:|---:|---:|---:",
        out,
    );
    for one in &digest.objects {
        let load = &one.load;
        row(
            &[
                &one.name,
                &short(load.calls),
                &duration(load.mean_ms),
                &known(load.p95_ms, duration),
                &duration(load.total_ms),
                &percent(one.share),
                &examined(load).map(few).unwrap_or_default(),
                &logs::keys_examined(load).map(few).unwrap_or_default(),
            ],
            out,
        );
    }
}

fn statements(digest: &Digest, out: &mut String) {
    if digest.statements.is_empty() {
        return;
    }
    out.push_str("\n### Statements\n");
    table(
        "#|statement|share|total|calls|mean|p95|p99|longest|read/row",
        "---:|---|---:|---:|---:|---:|---:|---:|---:|---:",
        out,
    );
    for (at, one) in digest.statements.iter().enumerate() {
        let load = &one.load;
        row(
            &[
                &(at + 1).to_string(),
                &label(one),
                &percent(one.share),
                &duration(load.total_ms),
                &short(load.calls),
                &duration(load.mean_ms),
                &known(load.p95_ms, duration),
                &known(load.p99_ms, duration),
                &known(load.max_ms, duration),
                &examined(load).map(few).unwrap_or_default(),
            ],
            out,
        );
    }
    if digest.statements_left_out > 0 {
        out.push_str(&format!("\n{} more are in the sums.\n", grouped(digest.statements_left_out)));
    }
    for (at, one) in digest.statements.iter().take(IN_FULL).enumerate() {
        out.push_str(&format!("\n**{}.** {} of the time", at + 1, percent(one.share)));
        if let Some((sample, ms)) =
            one.samples.first().and_then(|sample| Some((sample, sample.ms?)))
        {
            let when = sample.at.map(|at| format!(" at {} UTC", moment(at))).unwrap_or_default();
            out.push_str(&format!(", slowest run {}{when}", duration(ms)));
        }
        out.push('\n');
        fence(&one.shape, one.engine, out);
    }
}

fn table(head: &str, rule: &str, out: &mut String) {
    let cells: Vec<String> = head.split('|').map(line).collect();
    out.push_str(&format!("\n| {} |\n|{rule}|\n", cells.join(" | ")));
}

fn row(cells: &[&str], out: &mut String) {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    out.push_str(&format!("| {} |\n", cells.join(" | ")));
}
