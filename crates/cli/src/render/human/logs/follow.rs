//! A growing log: a screen that is drawn anew each second, or a line where there is no screen.

use marula_core::Digest;

use super::super::numbers::{duration, grouped};
use super::super::paint::Ink;
use super::{Look, few, kind, known, share, statements, text};

/// The last stretch of time, for a terminal of so many lines.
pub fn screen(digest: &Digest, seconds: f64, height: usize, look: &Look) -> String {
    let load = &digest.totals;
    let names: Vec<&str> = digest.sources.iter().map(|source| source.name.as_str()).collect();
    let head =
        format!("marula logs {}, the last {}", names.join(" "), duration(seconds.round() * 1e3));
    let mut out = look.paint.ink(Ink::Strong, &text::cut(&head, look.width));
    let errors: u64 = digest.errors.iter().map(|error| error.count).sum();
    let line = format!(
        "{}/s, {} running · p50 {} · p95 {} · p99 {} · longest {} · {}",
        few(load.calls as f64 / seconds),
        few(load.total_ms / 1e3 / seconds),
        known(load.p50_ms, duration),
        known(load.p95_ms, duration),
        known(load.p99_ms, duration),
        known(load.max_ms, duration),
        text::counted(errors, "error", "errors"),
    );
    out.push_str(&format!("\n{}\n", text::cut(&line, look.width)));
    for source in &digest.sources {
        if let Some(why) = &source.ended {
            let line = text::cut(&format!("{}: {why}", source.name), look.width);
            text::push_line(&mut out, &look.paint.ink(Ink::Warn, &line));
        }
    }
    statements::table(digest, look, &mut out);
    let tail = happened(digest);
    let room = height.saturating_sub(1 + tail.len().min(6));
    let mut lines: Vec<String> = out.lines().take(room).map(str::to_string).collect();
    for (ink, line) in tail.into_iter().take(6) {
        lines.push(look.paint.ink(ink, &text::cut(&line, look.width)));
    }
    lines.join("\n") + "\n"
}

/// Errors and events, most frequent first.
fn happened(digest: &Digest) -> Vec<(Ink, String)> {
    let errors = digest.errors.iter().map(|error| {
        let code = error.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        (Ink::Bad, format!("{} × {}{code} {}", error.count, error.severity, error.message))
    });
    let events: Vec<String> = digest
        .events
        .iter()
        .map(|event| format!("{} {}", grouped(event.count), kind(event.kind)))
        .collect();
    let events = (!events.is_empty()).then(|| (Ink::Faint, events.join(" · ")));
    events.into_iter().chain(errors).collect()
}

/// What was logged since the last line; nothing when that is nothing.
pub fn line(digest: &Digest, seconds: f64) -> Option<String> {
    let load = &digest.totals;
    let errors: u64 = digest.errors.iter().map(|error| error.count).sum();
    if load.calls == 0 && errors == 0 {
        return None;
    }
    let mut parts = vec![format!("{}/s", few(load.calls as f64 / seconds))];
    if load.calls > 0 {
        parts.push(format!("p95 {}", known(load.p95_ms, duration)));
        parts.push(format!("longest {}", known(load.max_ms, duration)));
    }
    if errors > 0 {
        parts.push(text::counted(errors, "error", "errors"));
    }
    if let Some(one) = digest.statements.first() {
        parts.push(format!("{} {}", share(one.share), statements::label(one)));
    }
    let at = digest.span.map(|span| super::moment(span.to)).unwrap_or_default();
    Some(format!("{at}  {}", parts.join("  ")))
}
