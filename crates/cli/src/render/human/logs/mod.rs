//! What logs say, for people at a terminal: how much, when, how long, which statements, and what
//! else happened.

mod compared;
mod follow;
mod happened;
mod objects;
mod over_time;
mod statements;

use marula_core::{Digest, EventKind, Load, Report, Timestamp};

pub use compared::{
    TRENDS, cells as change_cells, sentence as compared_sentence, title as compared_title,
};
pub use follow::{line, screen};
pub use happened::amount;
pub use objects::{keys_examined, title as objects_title};
pub use statements::label;

use super::super::Look;
use super::numbers::{duration, grouped, short};
use super::paint::Ink;
use super::{findings, heading, notes, paragraph, text};

/// The report on a digest.
pub fn logs(report: &Report, digest: &Digest, look: &Look) -> String {
    let mut out = String::new();
    let sentence = text::wrap(&sentence(digest), paragraph(look), "", "");
    out.push_str(&look.paint.ink(Ink::Strong, sentence.trim_end()));
    out.push('\n');
    if digest.totals.calls > 0 {
        let line = text::wrap(&latencies(&digest.totals), paragraph(look), "", "");
        out.push_str(&line);
    }
    if let Some(comparison) = &report.comparison {
        compared::compared(comparison, look, &mut out);
    }
    objects::table(digest, look, &mut out);
    findings::findings(report, look, &mut out);
    super::changes::to_do(report, look, &mut out);
    super::changes::others(report, look, &mut out);
    over_time::over_time(digest, look, &mut out);
    over_time::durations(digest, look, &mut out);
    statements::table(digest, look, &mut out);
    // Who compares asks for the changes; the texts are there with -v.
    if report.comparison.is_none() || look.verbose {
        statements::in_full(digest, look, &mut out);
    }
    happened::errors(digest, look, &mut out);
    happened::events(digest, look, &mut out);
    happened::origins(digest, look, &mut out);
    happened::sources(digest, look, &mut out);
    notes(report, look, &mut out);
    out
}

/// How much it was, in one line of plain text.
pub fn sentence(digest: &Digest) -> String {
    let entries: u64 = digest.sources.iter().map(|source| source.entries).sum();
    let when = match digest.span {
        Some(span) => format!(
            ", {} ({})",
            spanned(span.from, span.to),
            duration((span.to.0 - span.from.0).max(0) as f64)
        ),
        None => String::new(),
    };
    if digest.totals.calls == 0 {
        return format!(
            "No statement with a duration in {}{when}",
            text::counted(entries, "log entry", "log entries")
        );
    }
    let shapes = digest.statements.len() as u64 + digest.statements_left_out;
    format!(
        "{} in {} of {}{when}",
        duration(digest.totals.total_ms),
        text::counted(digest.totals.calls, "call", "calls"),
        text::counted(shapes, "statement", "statements")
    )
}

/// `SELECT orders, customers`; the beginning of the text where nothing is named.
pub fn named(operation: &str, objects: &[String], shape: &str) -> String {
    if objects.is_empty() {
        return text::cut(shape, 60);
    }
    let objects = objects.iter().map(|name| text::flat(name)).collect::<Vec<_>>().join(", ");
    text::cut(&format!("{operation} {objects}"), 60)
}

/// The percentiles in one line.
pub fn latencies(load: &Load) -> String {
    let told = [
        ("half took at most ", load.p50_ms),
        ("95 % ", load.p95_ms),
        ("99 % ", load.p99_ms),
        ("the longest ", load.max_ms),
        ("the shortest ", load.min_ms),
    ];
    let told: Vec<String> = told
        .into_iter()
        .filter_map(|(name, ms)| Some(format!("{name}{}", duration(ms?))))
        .collect();
    let mean = format!("mean {}", duration(load.mean_ms));
    if told.is_empty() { mean } else { format!("{}; {mean}", told.join(", ")) }
}

/// A duration that a source may not keep.
pub fn known(ms: Option<f64>, shown: fn(f64) -> String) -> String {
    ms.map_or_else(|| "–".into(), shown)
}

/// `2026-03-01 12:30:05`, in UTC.
pub fn moment(at: Timestamp) -> String {
    Timestamp(at.0 - at.0.rem_euclid(1000)).to_string().replace('T', " ").replace('Z', "")
}

/// Two moments, the day said once when it is the same.
pub fn spanned(from: Timestamp, to: Timestamp) -> String {
    let (from, to) = (moment(from), moment(to));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => format!("{from} – {time} UTC"),
        _ => format!("{from} – {to} UTC"),
    }
}

/// An event's kind in words.
pub fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::LockWait => "lock waits",
        EventKind::Deadlock => "deadlocks",
        EventKind::Cancelled => "cancelled statements",
        EventKind::TempFile => "temporary files",
        EventKind::Checkpoint => "checkpoints",
        EventKind::Autovacuum => "autovacuum",
        EventKind::Autoanalyze => "autoanalyze",
        EventKind::Connected => "connections",
        EventKind::Disconnected => "disconnections",
        EventKind::SlowConnection => "slow connections",
        EventKind::IndexBuild => "index builds",
        EventKind::Election => "elections",
        EventKind::Eviction => "eviction warnings",
        EventKind::Started => "server starts",
        EventKind::Stopped => "server stops",
    }
}

/// How much was examined for each row or document returned.
pub fn examined(load: &Load) -> Option<f64> {
    Some(load.reads? as f64 / load.returned?.max(1) as f64)
}

/// A number that may be below ten, or below one.
pub fn few(value: f64) -> String {
    let places = if value < 0.995 { 100.0 } else { 10.0 };
    if value < 9.95 {
        super::numbers::number((value * places).round() / places)
    } else {
        short(value as u64)
    }
}

/// A duration in one unit, for columns: `2.86 h`, `11.7 min`, `24.2 s`, `412 ms`.
pub fn compact(ms: f64) -> String {
    match ms {
        ms if ms < 59_950.0 || !ms.is_finite() => duration(ms),
        ms if ms < 3_597_000.0 => format!("{} min", three(ms / 6e4)),
        ms => format!("{} h", three(ms / 3.6e6)),
    }
}

fn three(value: f64) -> String {
    match value {
        value if value < 9.995 => format!("{value:.2}"),
        value if value < 99.95 => format!("{value:.1}"),
        value => grouped(value.round() as u64),
    }
}

/// `82 %`, `0.4 %`, `<0.1 %`.
pub fn share(share: f64) -> String {
    if share > 0.0 && share < 0.00095 { "<0.1 %".into() } else { super::numbers::percent(share) }
}

/// `12/s`.
pub fn rate(calls: u64, ms: f64) -> String {
    if ms <= 0.0 { grouped(calls) } else { format!("{}/s", few(calls as f64 * 1000.0 / ms)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_durations_and_shares_stay_narrow() {
        let shown: Vec<String> =
            [412.0, 24_200.0, 702_000.0, 10_300_000.0, 3.6e9].map(compact).into();
        assert_eq!(shown, ["412 ms", "24.2 s", "11.7 min", "2.86 h", "1,000 h"]);
        assert_eq!([0.82, 0.004, 0.0001, 0.0].map(share), ["82 %", "0.4 %", "<0.1 %", "0 %"]);
    }
}
