//! A tuned workload: what it gains, what to do, each statement before and after, what it costs,
//! and what was turned down.

use marula_core::{Change, Measurement, Report, TunedStatement, Tuning};

use super::super::{Look, statement};
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, duration, percent, times};
use super::paint::Ink;
use super::{heading, paragraph, text, tune_rest};

/// The most statements in the table unless all are asked for.
const STATEMENTS: usize = 25;
const INDENT: &str = "     ";
/// How wide the lines of a rewritten statement get.
const STATEMENT: usize = 72;

/// The report as text.
pub fn tune(report: &Report, tuning: &Tuning, look: &Look) -> String {
    let mut out = String::new();
    let line = text::wrap(&sentence(tuning), paragraph(look), "", "");
    out.push_str(&look.paint.ink(Ink::Strong, line.trim_end()));
    out.push('\n');
    if let Some(target) = &report.target {
        let version = target.version.map(|version| format!(" {version}")).unwrap_or_default();
        let line = format!("{}: {}{version}{}", target.name, target.engine.title(), proved(report));
        out.push_str(&look.paint.ink(Ink::Faint, text::wrap(&line, look.width, "", "").trim_end()));
        out.push('\n');
    }
    to_do(report, tuning, look, &mut out);
    statements(tuning, look, &mut out);
    tune_rest::rest(tuning, look, &mut out);
    super::notes(report, look, &mut out);
    out
}

/// The gain in one sentence.
pub fn sentence(tuning: &Tuning) -> String {
    let cut = if tuning.interrupted { "Interrupted; the best set proved until then: " } else { "" };
    if tuning.picked.is_empty() {
        return format!(
            "{cut}nothing is proposed: of {} that were thought of none makes the workload ({}) \
             clearly faster",
            text::counted(u64::from(tuning.effort.candidates), "change", "changes"),
            duration(tuning.before_ms)
        );
    }
    let mut said = format!(
        "{cut}{}: {} → {} for the whole workload, {} of its time, with {}",
        text::counted(tuning.picked.len() as u64, "change", "changes"),
        duration(tuning.before_ms),
        duration(tuning.after_ms),
        percent(tuning.after_ms / tuning.before_ms.max(1e-9)),
        match tuning.storage.added {
            0 => "no new index".into(),
            added => format!("{} of new indexes", bytes(added)),
        }
    );
    if let Some(budget) = tuning.storage.budget {
        said.push_str(&format!(" (budget {})", bytes(budget)));
    }
    if tuning.storage.freed > 0 {
        said.push_str(&format!("; {} are given back", bytes(tuning.storage.freed)));
    }
    let slower = tuning.statements.iter().filter(|one| slowdown(one) > 1.0).count();
    said.push_str(match slower {
        0 => "; no statement gets slower",
        _ => "; no statement gets more than 10 % slower",
    });
    said
}

fn slowdown(one: &TunedStatement) -> f64 {
    match (one.before.ms, one.after.ms) {
        (Some(before), Some(after)) if !one.uses.is_empty() => after / before.max(0.001),
        _ => 0.0,
    }
}

fn proved(report: &Report) -> String {
    let proof = report.changes.iter().map(|change| &change.proof).find(|p| p.server.is_some());
    let Some(proof) = proof else { return String::new() };
    let server = proof.server.map(|server| format!(" of {}", server.version)).unwrap_or_default();
    let data = proof.dataset.as_ref().map_or(String::new(), |data| match data.share {
        share if share >= 1.0 => format!(", all {} rows", super::numbers::short(data.rows)),
        share => format!(", {} of the rows", percent(share)),
    });
    format!("; proved in a lab{server} on a copy{data}")
}

fn to_do(report: &Report, tuning: &Tuning, look: &Look, out: &mut String) {
    if report.changes.is_empty() {
        return;
    }
    heading("What to do, what gains most first", look, out);
    let mut said = std::collections::HashSet::new();
    for (at, change) in report.changes.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        one(at, change, tuning, &mut said, look, out);
    }
}

fn one<'a>(
    at: usize,
    change: &'a Change,
    tuning: &Tuning,
    said: &mut std::collections::HashSet<&'a str>,
    look: &Look,
    out: &mut String,
) {
    let width = paragraph(look);
    let title = format!("{} [{}]", text::flat(&change.title), change.id.0);
    let number = text::left(&format!("{}.", at + 1), 2);
    out.push_str(&text::wrap(&title, width, &format!("  {number} "), INDENT));
    let line = text::wrap(&worth(change, tuning), width, INDENT, INDENT);
    out.push_str(&look.paint.ink(Ink::Good, line.trim_end_matches('\n')));
    out.push_str("\n\n");
    let code = |text: &str, out: &mut String| {
        let room = look.width.saturating_sub(INDENT.len());
        // A whole statement on one wide line is not read by anybody.
        let rewrite = change.kind == marula_core::ChangeKind::Rewrite;
        let room = if rewrite { room.min(STATEMENT) } else { room };
        for line in statement::laid_out(text, change.engine, room) {
            text::push_line(out, &format!("{INDENT}{}", look.paint.ink(Ink::Code, &line)));
        }
    };
    for up in &change.up {
        code(up, out);
    }
    let asides = change.hazards.iter().map(|text| ("Mind", text));
    let asides = asides.chain(change.conditions.iter().map(|text| ("Checked", text)));
    let asides: Vec<_> = asides.filter(|(_, text)| said.insert(text.as_str())).collect();
    if !asides.is_empty() {
        out.push('\n');
    }
    for (word, aside) in asides {
        let line = format!("{word}: {}", text::flat(aside));
        out.push_str(&text::wrap(&line, width, INDENT, &format!("{INDENT}  ")));
    }
    if look.verbose && !change.down.is_empty() {
        out.push_str(&format!("{INDENT}The way back:\n\n"));
        for down in &change.down {
            code(down, out);
        }
    }
}

/// `gains 8.2 s (24 %) in 5 statements; 41 MB, built in 2.1 s`.
pub fn worth(change: &Change, tuning: &Tuning) -> String {
    let mut facts = Vec::new();
    if let Some(picked) = tuning.picked.iter().find(|picked| picked.change == change.id) {
        let share = percent(picked.gain_ms / tuning.before_ms.max(1e-9));
        let used = text::counted(u64::from(picked.statements), "statement", "statements");
        facts.push(match picked.gain_ms > 0.0 {
            true => format!("gains {} ({share}) in {used}", duration(picked.gain_ms)),
            false if picked.statements == 0 => "no statement of the workload needs it".into(),
            false => format!("used by {used}"),
        });
    }
    if let Some(build) = &change.proof.build {
        facts.push(format!("{}, built in {}", bytes(build.bytes), duration(build.ms)));
    }
    match change.proof.results_equal {
        Some(true) => facts.push("results equal".into()),
        Some(false) => facts.push("results differ".into()),
        None => {}
    }
    if facts.is_empty() {
        facts.push(text::flat(&change.proof.reason));
    }
    facts.join("; ")
}

fn statements(tuning: &Tuning, look: &Look, out: &mut String) {
    if tuning.statements.is_empty() {
        return;
    }
    heading("Statements", look, out);
    let shown = if look.verbose { usize::MAX } else { STATEMENTS };
    let mut rows: Vec<Vec<String>> =
        tuning.statements.iter().take(shown).map(|one| row(one, look)).collect();
    // One call each is what a file of statements says, and tells nothing.
    if tuning.statements.iter().all(|one| one.calls <= 1) {
        for row in &mut rows {
            row[2].clear();
        }
    }
    let columns = [
        words("statement"),
        numbers("share"),
        numbers("calls"),
        numbers("before"),
        numbers("after"),
        numbers("gain"),
        words("by"),
        words("goal"),
    ];
    grid(&columns, &rows, look, out);
    let more = tuning.statements.len().saturating_sub(shown);
    if more > 0 {
        let more = text::counted(more as u64, "more statement", "more statements");
        out.push_str(&look.paint.ink(Ink::Faint, &format!("  {more}: --verbose shows them")));
        out.push('\n');
    }
}

fn row(one: &TunedStatement, look: &Look) -> Vec<String> {
    let uses: Vec<&str> = one.uses.iter().map(|id| id.0.as_str()).collect();
    let room = look.width.saturating_sub(50).max(30);
    let (before, after) = (one.before.ms.unwrap_or(0.0), one.after.ms.unwrap_or(0.0));
    let changed = !uses.is_empty();
    let gain = match changed {
        true if refused(one) => String::new(),
        true if before >= after => times(before / after.max(0.001)),
        true => format!("{} slower", percent(after / before.max(0.001) - 1.0)),
        false => String::new(),
    };
    vec![
        text::cut(&text::flat(&one.statement.text), room),
        percent(one.share),
        super::numbers::grouped(one.calls),
        if refused(one) { "refused".into() } else { time(&one.before) },
        if changed { time(&one.after) } else { "same".into() },
        gain,
        uses.join(" "),
        one.goal
            .and_then(|goal| goal.met)
            .map_or("", |met| if met { "met" } else { "missed" })
            .into(),
    ]
}

/// Whether the server refuses the statement as things stand.
pub fn refused(one: &TunedStatement) -> bool {
    one.before.ms.is_none() && one.after.ms.is_some()
}

fn time(measurement: &Measurement) -> String {
    let ms = measurement.ms.map_or("?".into(), duration);
    if measurement.timed_out { format!("> {ms}") } else { ms }
}
