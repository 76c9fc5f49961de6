//! A tuned workload: what it costs those who write, and what was left aside.

use marula_core::{Engine, Tuning};

use super::super::Look;
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, number, percent};
use super::paint::Ink;
use super::{heading, paragraph, text};

/// The most turned-down changes unless all are asked for.
const TURNED_DOWN: usize = 8;

/// Writes, what was turned down, and what took no part.
pub fn rest(tuning: &Tuning, look: &Look, out: &mut String) {
    writes(tuning, look, out);
    turned_down(tuning, look, out);
    left_out(tuning, look, out);
}

fn writes(tuning: &Tuning, look: &Look, out: &mut String) {
    if tuning.writes.is_empty() {
        return;
    }
    heading("What it costs those who write (statements a second, one connection)", look, out);
    let hot = |share: Option<f64>| share.map_or(String::new(), percent);
    let rows: Vec<Vec<String>> = tuning
        .writes
        .iter()
        .map(|cost| {
            let change = cost.after_per_second / cost.before_per_second.max(1e-9) - 1.0;
            vec![
                cost.relation.clone(),
                cost.operation.clone(),
                super::numbers::grouped(cost.calls),
                number(cost.before_per_second.round()),
                number(cost.after_per_second.round()),
                format!("{}{}", if change > 0.0 { "+" } else { "" }, percent(change)),
                hot(cost.hot_before),
                hot(cost.hot_after),
            ]
        })
        .collect();
    let documents = tuning.statements.iter().any(|one| one.statement.engine == Engine::Mongodb);
    let columns = [
        words(if documents { "collection" } else { "table" }),
        words("write"),
        numbers("calls"),
        numbers("before"),
        numbers("after"),
        numbers("change"),
        numbers("HOT before"),
        numbers("HOT after"),
    ];
    grid(&columns, &rows, look, out);
}

fn turned_down(tuning: &Tuning, look: &Look, out: &mut String) {
    if tuning.turned_down.is_empty() {
        return;
    }
    heading("Turned down", look, out);
    let shown = if look.verbose { usize::MAX } else { TURNED_DOWN };
    for turned in tuning.turned_down.iter().take(shown) {
        let size = turned.bytes.map_or(String::new(), |size| format!(" ({})", bytes(size)));
        let line = format!("{}{size}: {}", text::flat(&turned.title), text::flat(&turned.reason));
        out.push_str(&text::wrap(&line, paragraph(look), "  · ", "    "));
    }
    let more = tuning.turned_down.len().saturating_sub(shown);
    if more > 0 {
        let line = format!("  {more} more: --verbose shows them");
        out.push_str(&look.paint.ink(Ink::Faint, &line));
        out.push('\n');
    }
}

fn left_out(tuning: &Tuning, look: &Look, out: &mut String) {
    if tuning.left_out.is_empty() {
        return;
    }
    heading("Statements that took no part", look, out);
    let shown = if look.verbose { usize::MAX } else { TURNED_DOWN };
    for left in tuning.left_out.iter().take(shown) {
        let statement = text::cut(&text::flat(&left.statement), 60);
        let line = format!("{statement}: {}", text::flat(&left.reason));
        out.push_str(&text::wrap(&line, paragraph(look), "  · ", "    "));
    }
    let more = tuning.left_out.len().saturating_sub(shown);
    if more > 0 {
        out.push_str(&look.paint.ink(Ink::Faint, &format!("  {more} more: --verbose shows them")));
        out.push('\n');
    }
}
