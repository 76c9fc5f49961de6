//! What changed since other logs.

use marula_core::{Comparison, Load, StatementChange, Trend};

use super::super::grid::{grid, numbers, words};
use super::super::numbers::{duration, times};
use super::super::paint::Ink;
use super::{Look, compact, few, heading, known, named, spanned, text};

/// So many changes of each trend are told unless the reader wants everything.
const EACH: usize = 8;

/// The trends in the order they matter to a reader, with their headings.
pub const TRENDS: [(Trend, &str); 6] = [
    (Trend::Slower, "Slower"),
    (Trend::New, "New"),
    (Trend::MoreOften, "More often"),
    (Trend::Faster, "Faster"),
    (Trend::LessOften, "Less often"),
    (Trend::Gone, "Gone"),
];

/// The statements that changed, by what became of them.
pub fn compared(comparison: &Comparison, look: &Look, out: &mut String) {
    heading(&title(comparison), look, out);
    out.push_str(&text::wrap(&sentence(comparison), super::paragraph(look), "  ", "  "));
    for (trend, name) in TRENDS {
        let own: Vec<&StatementChange> =
            comparison.statements.iter().filter(|one| one.trend == trend).collect();
        if own.is_empty() {
            continue;
        }
        let ink = match trend {
            Trend::Slower | Trend::New | Trend::MoreOften => Ink::Warn,
            _ => Ink::Good,
        };
        out.push('\n');
        let head = format!("  {name} ({})", own.len());
        text::push_line(out, &look.paint.ink(ink, &head));
        let most = if look.verbose { usize::MAX } else { EACH };
        let rows: Vec<Vec<String>> = own.iter().take(most).map(|one| cells(one)).collect();
        let columns = [
            words("statement"),
            numbers("time/h"),
            numbers("mean"),
            numbers(""),
            numbers("p95"),
            numbers("calls"),
            numbers(""),
        ];
        grid(&columns, &rows, look, out);
        if own.len() > most {
            let line = format!("  and {} more; -v lists them", own.len() - most);
            text::push_line(out, &look.paint.ink(Ink::Faint, &line));
        }
    }
}

/// What it is compared with.
pub fn title(comparison: &Comparison) -> String {
    let sources = &comparison.before.sources;
    let name = match sources.as_slice() {
        [] => "nothing".into(),
        [one] => text::cut(one, 60),
        [one, rest @ ..] => format!("{} and {} more", text::cut(one, 60), rest.len()),
    };
    format!("Compared with {name}")
}

/// The sums of both sides in one sentence.
pub fn sentence(comparison: &Comparison) -> String {
    let (before, after) = (&comparison.before, &comparison.after);
    let when = before.span.map(|span| format!(" ({})", spanned(span.from, span.to)));
    let pair = |what: &str, value: fn(&Load) -> Option<f64>| {
        let (then, now) = (value(&before.totals)?, value(&after.totals)?);
        Some(format!("{what} {}", change(then, now)))
    };
    let pairs = [
        pair("mean", |load| Some(load.mean_ms)),
        pair("p95", |load| load.p95_ms),
        pair("p99", |load| load.p99_ms),
    ];
    format!(
        "{} in {} then{}; {}",
        duration(before.totals.total_ms),
        text::counted(before.totals.calls, "call", "calls"),
        when.unwrap_or_default(),
        pairs.into_iter().flatten().collect::<Vec<_>>().join(", "),
    )
}

/// `12 ms → 48 ms`.
fn change(before: f64, after: f64) -> String {
    format!("{} → {}", compact(before), compact(after))
}

/// One statement's change, for a table.
pub fn cells(one: &StatementChange) -> Vec<String> {
    let sign = if one.growth_ms < 0.0 { "−" } else { "+" };
    let pair = |value: fn(&Load) -> Option<f64>| match (&one.before, &one.after) {
        (Some(before), Some(after)) => match (value(before), value(after)) {
            (None, None) => "–".into(),
            (before, after) => format!("{} → {}", known(before, compact), known(after, compact)),
        },
        (before, after) => before
            .as_ref()
            .or(after.as_ref())
            .map(|load| known(value(load), compact))
            .unwrap_or_default(),
    };
    let calls = match (&one.before, &one.after) {
        (Some(before), Some(after)) => {
            format!("{} → {}", few(before.calls as f64), few(after.calls as f64))
        }
        (before, after) => before
            .as_ref()
            .or(after.as_ref())
            .map(|load| few(load.calls as f64))
            .unwrap_or_default(),
    };
    vec![
        named(&one.operation, &one.objects, &one.shape),
        format!("{sign}{}", compact(one.growth_ms.abs())),
        pair(|load| Some(load.mean_ms)),
        one.mean_ratio.map(times).unwrap_or_default(),
        pair(|load| load.p95_ms),
        calls,
        one.calls_ratio.map(times).unwrap_or_default(),
    ]
}
