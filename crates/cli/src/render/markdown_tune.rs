//! A tuned workload for pull requests and tickets.

use marula_core::{Report, Tuning};

use super::human::tune::{refused, worth};
use super::markdown::{cell, fence, line};
use super::numbers::{bytes, duration, percent, times};
use super::text;

/// What to do, the statements, the writes, and what was turned down.
pub fn tuning(report: &Report, tuning: &Tuning, out: &mut String) {
    for (at, change) in report.changes.iter().enumerate() {
        if at == 0 {
            out.push_str("\n### What to do\n");
        }
        let worth = line(&worth(change, tuning));
        out.push_str(&format!("\n**{}** (`{}`)  \n{worth}\n", line(&change.title), change.id.0));
        for up in &change.up {
            fence(up, change.engine, out);
        }
        for (word, asides) in [("Mind", &change.hazards), ("Checked", &change.conditions)] {
            for aside in asides {
                out.push_str(&format!("\n{word}: {}\n", line(aside)));
            }
        }
    }
    statements(tuning, out);
    writes(tuning, out);
    for (at, turned) in tuning.turned_down.iter().enumerate() {
        if at == 0 {
            out.push_str("\n### Turned down\n\n");
        }
        let size = turned.bytes.map_or(String::new(), |size| format!(" ({})", bytes(size)));
        out.push_str(&format!("- {}{size}: {}\n", line(&turned.title), line(&turned.reason)));
    }
    for (at, left) in tuning.left_out.iter().enumerate() {
        if at == 0 {
            out.push_str("\n### Statements that took no part\n\n");
        }
        let statement = text::cut(&text::flat(&left.statement), 80).replace('`', "'");
        out.push_str(&format!("- `{statement}`: {}\n", line(&left.reason)));
    }
}

fn statements(tuning: &Tuning, out: &mut String) {
    if tuning.statements.is_empty() {
        return;
    }
    out.push_str(
        "\n### Statements\n\n| statement | share | calls | before | after | gain | by |\n",
    );
    out.push_str("|---|---:|---:|---:|---:|---:|---|\n");
    for one in &tuning.statements {
        let uses: Vec<&str> = one.uses.iter().map(|id| id.0.as_str()).collect();
        let (before, after) = (one.before.ms.unwrap_or(0.0), one.after.ms.unwrap_or(0.0));
        let same = uses.is_empty() || refused(one);
        let gain = if same { String::new() } else { times(before / after.max(0.001)) };
        out.push_str(&format!(
            "| `{}` | {} | {} | {}{} | {} | {gain} | {} |\n",
            cell(&text::cut(&text::flat(&one.statement.text), 70)).replace('`', "'"),
            percent(one.share),
            one.calls,
            if one.before.timed_out { "> " } else { "" },
            if refused(one) { "refused".into() } else { duration(before) },
            duration(after),
            uses.join(" ")
        ));
    }
}

fn writes(tuning: &Tuning, out: &mut String) {
    for (at, cost) in tuning.writes.iter().enumerate() {
        if at == 0 {
            out.push_str("\n### What it costs those who write\n\n");
            out.push_str("| table | write | a second before | after | HOT before | after |\n");
            out.push_str("|---|---|---:|---:|---:|---:|\n");
        }
        let hot = |share: Option<f64>| share.map_or(String::new(), percent);
        out.push_str(&format!(
            "| {} | {} | {:.0} | {:.0} | {} | {} |\n",
            cell(&cost.relation),
            cell(&cost.operation),
            cost.before_per_second,
            cost.after_per_second,
            hot(cost.hot_before),
            hot(cost.hot_after)
        ));
    }
}
