//! What to do, in the order in which to do it, and what was thought of besides.

use std::collections::HashSet;

use marula_core::{Change, ChangeKind, Engine, Proof, Report, Verdict};

use super::super::{Look, statement};
use super::numbers::{bytes, duration};
use super::paint::Ink;
use super::{heading, paragraph, text};

/// The best set of changes; without one, nothing.
pub fn to_do(report: &Report, look: &Look, out: &mut String) {
    let Some(best) = &report.best else { return };
    let changes: Vec<&Change> =
        best.changes.iter().filter_map(|id| report.changes.iter().find(|c| c.id == *id)).collect();
    if changes.is_empty() {
        return;
    }
    heading("What to do", look, out);
    let together = best.proof.verdict == Verdict::Proven && changes.len() > 1;
    // A rewrite that goes with other rewrites is only right as the one statement at the end.
    let mut said = HashSet::new();
    let rewrites = changes.iter().filter(|change| change.kind == ChangeKind::Rewrite).count();
    for (at, change) in changes.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let folded = rewrites > 1 && change.kind == ChangeKind::Rewrite;
        let place = (format!("{}.", at + 1), together);
        one(place, change, !folded, &mut said, look, out);
    }
    let engine = changes[0].engine;
    if let Some(text) = best.statement.as_ref().filter(|_| rewrites > 1) {
        out.push_str("\n  The statement with all of this:\n\n");
        code(text, engine, look, out);
    }
}

/// Everything that is not in the best set, with the reason.
pub fn others(report: &Report, look: &Look, out: &mut String) {
    let best: &[_] = report.best.as_ref().map_or(&[], |best| &best.changes);
    let others: Vec<&Change> = report.changes.iter().filter(|c| !best.contains(&c.id)).collect();
    if others.is_empty() {
        return;
    }
    heading(if best.is_empty() { "What could be done" } else { "Also thought of" }, look, out);
    let mut said = HashSet::new();
    for (at, change) in others.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        // What does not help is told, but not handed out to be pasted.
        // A rewrite beside a better way is long, and the reader has something to do already.
        let aside = change.kind == ChangeKind::Rewrite && !best.is_empty();
        let shown = look.verbose || change.proof.verdict != Verdict::Refuted && !aside;
        one(("·".into(), false), change, shown, &mut said, look, out);
    }
}

const INDENT: &str = "     ";

/// `place`: its mark, and whether it is a member of a set that is proven.
fn one<'a>(
    place: (String, bool),
    change: &'a Change,
    with_code: bool,
    said: &mut HashSet<&'a str>,
    look: &Look,
    out: &mut String,
) {
    let width = paragraph(look);
    let title = format!("{} [{}]", text::flat(&change.title), change.id.0);
    out.push_str(&text::wrap(&title, width, &format!("  {} ", text::left(&place.0, 2)), INDENT));
    let (ink, line) = verdict(&change.proof, place.1);
    let line = text::wrap(&line, width, INDENT, INDENT);
    out.push_str(&look.paint.ink(ink, line.trim_end_matches('\n')));
    out.push('\n');
    if with_code {
        out.push('\n');
        for up in &change.up {
            code(up, change.engine, look, out);
        }
    }
    let asides = change.hazards.iter().map(|text| ("Mind", text));
    let asides: Vec<_> =
        asides.chain(change.conditions.iter().map(|text| ("Checked", text))).collect();
    // What holds for several changes is said once.
    let asides: Vec<_> =
        asides.into_iter().filter(|(_, text)| with_code && said.insert(text.as_str())).collect();
    if !asides.is_empty() || with_code && look.verbose && !change.down.is_empty() {
        out.push('\n');
    }
    for (word, aside) in asides {
        let line = format!("{word}: {}", text::flat(aside));
        out.push_str(&text::wrap(&line, width, INDENT, &format!("{INDENT}  ")));
    }
    if look.verbose && change.kind != ChangeKind::Rewrite && !change.down.is_empty() {
        out.push_str(&format!("{INDENT}The way back:\n\n"));
        for down in &change.down {
            code(down, change.engine, look, out);
        }
    }
}

/// A statement to copy.
fn code(text: &str, engine: Engine, look: &Look, out: &mut String) {
    for line in statement::laid_out(text, engine, look.width.saturating_sub(INDENT.len())) {
        text::push_line(out, &format!("{INDENT}{}", look.paint.ink(Ink::Code, &line)));
    }
}

/// `proven: alone 9.84 s → 1.2 s (8.2× faster); 21 MB, built in 0.9 s. Reason.`
///
/// `member`: of a set that is proven. What gains nothing alone can be what the others need, and
/// a bare "refuted" on something to do would only puzzle.
pub fn verdict(proof: &Proof, member: bool) -> (Ink, String) {
    let (ink, word) = match proof.verdict {
        Verdict::Refuted | Verdict::Inconclusive if member => (Ink::Warn, "proven with the others"),
        Verdict::Proven => (Ink::Good, "proven"),
        Verdict::Refuted => (Ink::Bad, "refuted"),
        Verdict::Inconclusive => (Ink::Warn, "inconclusive"),
        Verdict::NotTried => (Ink::Warn, "not tried"),
    };
    let mut facts = Vec::new();
    if let (Some(before), Some(after)) = (&proof.before, &proof.after)
        && let (Some(from), Some(to)) =
            (super::headline::shown_time(before), super::headline::shown_time(after))
    {
        facts.push(format!("alone {from} → {to}{}", super::headline::faster(proof)));
    }
    if let Some(build) = &proof.build {
        let size = (build.bytes > 0).then(|| format!("{}, ", bytes(build.bytes)));
        facts.push(format!("{}built in {}", size.unwrap_or_default(), duration(build.ms)));
    }
    if proof.results_equal == Some(false) {
        facts.push("results differ".into());
    }
    // The gain stands there in numbers already.
    let reason = text::flat(&proof.reason);
    let numbered = !facts.is_empty();
    let told = |part: &'_ str| match part.split_once("times faster") {
        // What speaks against the gain is told all the same.
        Some((_, rest)) if numbered => {
            rest.split_once(", but ").map(|(_, but)| format!("but {but}"))
        }
        _ => (!part.is_empty()).then(|| part.to_string()),
    };
    let reason: Vec<String> = reason.split("; ").filter_map(told).collect();
    if !reason.is_empty() {
        facts.push(reason.join("; "));
    }
    (ink, if facts.is_empty() { word.into() } else { format!("{word}: {}", facts.join("; ")) })
}
