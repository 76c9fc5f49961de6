//! How the best set was proved: the data, the server, both sides in numbers.

use marula_core::{Engine, Measurement, Proof, Report, Verdict};

use super::super::Look;
use super::headline::{depth, is_what_if, shown_time};
use super::numbers::{grouped, times};
use super::paint::Ink;
use super::{heading, paragraph, text};

/// The section, when something was measured.
pub fn how_proved(report: &Report, look: &Look, out: &mut String) {
    let Some(proof) = report.best.as_ref().map(|best| &best.proof) else { return };
    heading(title(proof), look, out);
    out.push_str(&text::wrap(&account(proof), paragraph(look), "  ", "  "));
    if let (Some(before), Some(after)) = (&proof.before, &proof.after) {
        out.push('\n');
        let documents = proof.server.is_some_and(|server| server.engine == Engine::Mongodb);
        let rows = table(proof, before, after, documents);
        for (at, row) in rows.iter().enumerate() {
            let line = columns(row, &rows, look.width);
            if at == 0 {
                out.push_str(&look.paint.ink(Ink::Faint, line.trim_end()));
                out.push('\n');
            } else {
                text::push_line(out, &line);
            }
        }
    }
}

/// The section's heading.
pub fn title(proof: &Proof) -> &'static str {
    match proof.verdict {
        Verdict::Proven => "How it was proved",
        _ if is_what_if(proof) => "How it was estimated",
        Verdict::NotTried => "Why it was not proved",
        Verdict::Refuted | Verdict::Inconclusive => "What was measured",
    }
}

/// The data, the server and the runs in a sentence or two.
pub fn account(proof: &Proof) -> String {
    let mut parts = Vec::new();
    if let Some(data) = &proof.dataset {
        let documents = proof.server.is_some_and(|server| server.engine == Engine::Mongodb);
        let what = match (data.rows, documents) {
            (0, _) => String::new(),
            (rows, false) => format!(", {}", text::counted(rows, "row", "rows")),
            (rows, true) => format!(", {}", text::counted(rows, "document", "documents")),
        };
        parts.push(format!("On {}{what}", depth(data)));
    }
    if let Some(server) = proof.server {
        parts.push(format!("in a lab {} {}", server.engine.title(), server.version));
    }
    if let (Some(before), Some(after)) = (&proof.before, &proof.after)
        && before.ms.is_some()
        && before.runs.max(after.runs) > 0
    {
        parts.push(match (before.runs, after.runs) {
            (1, 1) => "one run each".into(),
            (a, b) if a == b => format!("{a} runs each, in turn, medians"),
            (a, b) => format!("{a} and {b} runs, medians"),
        });
    }
    let mut sentence = parts.join(", ");
    let reason = text::flat(&proof.reason);
    if !reason.is_empty() {
        if !sentence.is_empty() {
            sentence.push_str(". ");
        }
        let mut letters = reason.chars();
        sentence.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        sentence.push_str(letters.as_str());
    }
    if !sentence.ends_with(['.', '!', '?', '…']) && !sentence.is_empty() {
        sentence.push('.');
    }
    sentence
}

/// Rows of name, before, after and ratio; the first is the head.
pub fn table(
    proof: &Proof,
    before: &Measurement,
    after: &Measurement,
    documents: bool,
) -> Vec<[String; 4]> {
    let mut rows = vec![["".into(), "before".into(), "after".into(), "".into()]];
    if let (Some(from), Some(to)) = (shown_time(before), shown_time(after)) {
        let ratio = proof.speedup.filter(|ratio| *ratio > 0.0).map(times).unwrap_or_default();
        rows.push(["time".into(), from, to, ratio]);
    }
    if let (Some(from), Some(to)) = (before.cost, after.cost) {
        rows.push([
            "cost".into(),
            grouped(from.max(0.0) as u64),
            grouped(to.max(0.0) as u64),
            if to > 0.0 { times(from / to) } else { String::new() },
        ]);
    }
    if let (Some(from), Some(to)) = (before.reads, after.reads) {
        let name = if documents { "documents read" } else { "buffers read" };
        let ratio = if to > 0 { times(from as f64 / to as f64) } else { String::new() };
        rows.push([name.into(), grouped(from), grouped(to), ratio]);
    }
    if let (Some(from), Some(to)) = (&before.plan, &after.plan) {
        let (from, to) = (&from.summary, &to.summary);
        let mut differing = |name: &str, a: &[String], b: &[String]| {
            if a != b {
                rows.push([name.into(), list(a), list(b), String::new()]);
            }
        };
        differing("reads whole", &from.scans, &to.scans);
        differing("indexes", &from.indexes, &to.indexes);
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_string();
        if from.sort_in_memory != to.sort_in_memory {
            rows.push([
                "sorts".into(),
                yes(from.sort_in_memory),
                yes(to.sort_in_memory),
                String::new(),
            ]);
        }
        if from.spilled || to.spilled {
            rows.push(["spills to disk".into(), yes(from.spilled), yes(to.spilled), String::new()]);
        }
    }
    rows
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Four columns: numbers to the right; names, which may be long, take the rest of the line.
fn columns(row: &[String; 4], rows: &[[String; 4]], width: usize) -> String {
    let [name, before, after, ratio] = row;
    let numeric = |row: &[String; 4]| row[0].is_empty() || is_number(&row[1]);
    let widest = |at: usize| {
        rows.iter().filter(|row| numeric(row)).map(|row| text::width(&row[at])).max().unwrap_or(0)
    };
    let head = rows.iter().map(|row| text::width(&row[0])).max().unwrap_or(0);
    let start = format!("  {}  ", text::left(name, head));
    if numeric(row) {
        let cells = [(before, 1), (after, 2), (ratio, 3)]
            .map(|(cell, at)| text::right(cell, widest(at).max(if at < 3 { 6 } else { 0 })));
        format!("{start}{}", cells.join("  "))
    } else {
        let room = width.saturating_sub(text::width(&start));
        format!("{start}{}", text::cut(&format!("{before} → {after}"), room))
    }
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit()) || cell.starts_with("more than")
}
