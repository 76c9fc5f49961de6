//! What else the logs tell: errors, events, where the load comes from, and what was read.

use marula_core::{Digest, EventDigest, EventKind, OriginKind, SourceRead};

use super::super::grid::{grid, numbers, words};
use super::super::numbers::{bytes, duration, grouped};
use super::super::paint::Ink;
use super::{Look, heading, kind, text};

/// So many errors are listed unless the reader wants all.
const ERRORS: usize = 10;

/// Errors, most frequent first.
pub fn errors(digest: &Digest, look: &Look, out: &mut String) {
    if digest.errors.is_empty() {
        return;
    }
    let all: u64 = digest.errors.iter().map(|error| error.count).sum();
    heading(&format!("Errors ({})", grouped(all)), look, out);
    let columns = [numbers("count"), words("severity"), words("code"), words("message")];
    let most = if look.verbose { usize::MAX } else { ERRORS };
    let rows: Vec<Vec<String>> = digest
        .errors
        .iter()
        .take(most)
        .map(|error| {
            vec![
                grouped(error.count),
                error.severity.clone(),
                error.code.clone().unwrap_or_default(),
                error.message.clone(),
            ]
        })
        .collect();
    grid(&columns, &rows, look, out);
    if digest.errors.len() > most {
        let line = format!("  and {} more kinds; -v lists them", digest.errors.len() - most);
        text::push_line(out, &look.paint.ink(Ink::Faint, &line));
    }
}

/// Everything else, by kind.
pub fn events(digest: &Digest, look: &Look, out: &mut String) {
    if digest.events.is_empty() {
        return;
    }
    heading("Events", look, out);
    let columns =
        [numbers("count"), words("what"), numbers("in all"), numbers("at most"), words("about")];
    let rows: Vec<Vec<String>> = digest
        .events
        .iter()
        .map(|event| {
            let about: Vec<String> = event
                .about
                .iter()
                .take(4)
                .map(|one| format!("{} {}", text::cut(&one.name, 50), grouped(one.count)))
                .collect();
            vec![
                grouped(event.count),
                kind(event.kind).to_string(),
                amount(event, event.total),
                amount(event, event.max),
                about.join(", "),
            ]
        })
        .collect();
    grid(&columns, &rows, look, out);
}

/// An event's amount in its unit.
pub fn amount(event: &EventDigest, value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if event.kind == EventKind::TempFile => bytes(value.max(0.0) as u64),
        Some(value) => duration(value),
    }
}

/// Whence the time comes: a line a kind of place.
pub fn origins(digest: &Digest, look: &Look, out: &mut String) {
    let kinds = [
        (OriginKind::Database, "databases"),
        (OriginKind::User, "users"),
        (OriginKind::Application, "applications"),
        (OriginKind::Host, "hosts"),
    ];
    let most = if look.verbose { 20 } else { 5 };
    let mut lines = Vec::new();
    for (kind, name) in kinds {
        let mut own: Vec<_> = digest.origins.iter().filter(|origin| origin.kind == kind).collect();
        if own.iter().all(|origin| origin.name.is_empty()) {
            continue;
        }
        own.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms));
        let mut shown: Vec<String> = own
            .iter()
            .take(most)
            .map(|origin| {
                let share = origin.total_ms / digest.totals.total_ms.max(f64::MIN_POSITIVE);
                let name = match text::cut(&origin.name, 50) {
                    name if name.is_empty() => "not told".into(),
                    name => name,
                };
                format!("{name} {}", super::share(share))
            })
            .collect();
        if own.len() > most {
            shown.push(format!("{} more", own.len() - most));
        }
        lines.push((name, shown.join(", ")));
    }
    if lines.is_empty() {
        return;
    }
    heading("Where the time comes from", look, out);
    for (name, line) in lines {
        let first = format!("  {} ", text::left(name, 13));
        let rest = " ".repeat(first.len());
        out.push_str(&text::wrap(&line, super::paragraph(look), &first, &rest));
    }
}

/// What was read, and what could not be.
pub fn sources(digest: &Digest, look: &Look, out: &mut String) {
    heading("Sources", look, out);
    let columns = [
        words("source"),
        words("format"),
        numbers("size"),
        numbers("entries"),
        numbers("lines"),
        numbers("unread"),
        numbers("cut short"),
    ];
    let wide = look.width >= 100;
    let some = |number: u64| if number > 0 { grouped(number) } else { String::new() };
    let rows: Vec<Vec<String>> = digest
        .sources
        .iter()
        .map(|source| {
            vec![
                source.name.clone(),
                format(source),
                bytes(source.bytes),
                grouped(source.entries),
                if wide { grouped(source.lines) } else { String::new() },
                grouped(source.unread),
                some(source.truncated),
            ]
        })
        .collect();
    grid(&columns, &rows, look, out);
    for source in &digest.sources {
        asides(source, look, out);
    }
}

fn format(source: &SourceRead) -> String {
    let format = source.format.as_deref().unwrap_or("not recognised");
    match &source.compression {
        Some(packed) => format!("{format}, {packed}"),
        None => format.to_string(),
    }
}

/// What is worth knowing of a source besides its numbers.
fn asides(source: &SourceRead, look: &Look, out: &mut String) {
    let mut lines = Vec::new();
    if let Some(prefix) = &source.prefix {
        lines.push(format!("log_line_prefix '{prefix}'"));
    }
    if let Some(language) = &source.language {
        lines.push(format!(
            "messages in {language}: durations and events are not understood; log with lc_messages = 'C'"
        ));
    }
    if source.clock_jumps > 0 {
        lines.push(format!(
            "the clock went back {}",
            text::counted(source.clock_jumps, "time", "times")
        ));
    }
    if let Some(why) = &source.ended {
        lines.push(format!("reading ended early: {why}"));
    }
    let most = if look.verbose { usize::MAX } else { 2 };
    for unread in source.unread_samples.iter().take(most) {
        lines.push(format!("line {} was not read: {}", unread.line, unread.text));
    }
    for line in lines {
        let line = text::cut(&format!("{}: {line}", source.name), look.width.saturating_sub(4));
        text::push_line(out, &look.paint.ink(Ink::Faint, &format!("    {line}")));
    }
}
