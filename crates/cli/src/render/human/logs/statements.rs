//! The statements: a table of all, and the first ones in full.

use marula_core::{Count, Digest, Engine, Parameter, Partial, Sample, StatementDigest};

use super::super::super::statement::laid_out;
use super::super::grid::{grid, numbers, words};
use super::super::numbers::{bytes, duration, grouped, short};
use super::super::paint::Ink;
use super::over_time::sparkline;
use super::{Look, compact, examined, few, heading, known, moment, share, text};

/// So many are told in full unless the reader wants everything.
const IN_FULL: usize = 5;
/// Lines of a statement that are shown unless the reader wants everything.
const LINES: usize = 12;
/// Terminals below have room for what matters most only.
const NARROW: usize = 100;
/// Terminals from here on have room for the columns that matter less.
const WIDE: usize = 130;

/// One line a statement.
pub fn table(digest: &Digest, look: &Look, out: &mut String) {
    if digest.statements.is_empty() {
        return;
    }
    heading("Statements", look, out);
    let wide = look.width >= WIDE;
    // Where there is little room the mean gives way to what says more.
    let reads = digest.statements.iter().any(|one| examined(&one.load).is_some());
    let with_mean = look.width >= NARROW || !reads;
    let mut columns = vec![
        numbers("#"),
        words("statement"),
        numbers("share"),
        numbers("total"),
        numbers("calls"),
    ];
    columns.extend(with_mean.then(|| numbers("mean")));
    columns.extend([numbers("p95"), numbers("longest"), numbers("read/row")]);
    if wide {
        columns.extend([numbers("p99"), numbers("rows/call"), numbers("temp"), words("over time")]);
    }
    let rows: Vec<Vec<String>> = digest
        .statements
        .iter()
        .enumerate()
        .map(|(at, one)| row(at, one, digest, with_mean, wide))
        .collect();
    grid(&columns, &rows, look, out);
    if digest.statements_left_out > 0 {
        let left = text::counted(digest.statements_left_out, "more", "more");
        let line = format!("  and {left}, in the sums above; --top lists more");
        text::push_line(out, &look.paint.ink(Ink::Faint, &line));
    }
}

fn row(
    at: usize,
    one: &StatementDigest,
    digest: &Digest,
    with_mean: bool,
    wide: bool,
) -> Vec<String> {
    let load = &one.load;
    let mut cells = vec![
        (at + 1).to_string(),
        label(one),
        share(one.share),
        compact(load.total_ms),
        short(load.calls),
    ];
    cells.extend(with_mean.then(|| compact(load.mean_ms)));
    cells.extend([
        known(load.p95_ms, compact),
        known(load.max_ms, compact),
        examined(load).map(few).unwrap_or_default(),
    ]);
    if wide {
        let rows = load.returned.map(|rows| few(rows as f64 / load.calls.max(1) as f64));
        cells.extend([
            known(load.p99_ms, compact),
            rows.unwrap_or_default(),
            load.temp_bytes.filter(|size| *size > 0).map(bytes).unwrap_or_default(),
            over_time(one, digest),
        ]);
    }
    cells
}

/// The statement's time in 16 columns; blanks would be lost at the ends, so nothing is a dot.
fn over_time(one: &StatementDigest, digest: &Digest) -> String {
    const COLUMNS: i64 = 16;
    let buckets = &digest.timeline.buckets;
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return String::new() };
    let all = last.at.0 - first.at.0 + digest.timeline.width_ms.max(1) as i64;
    let mut columns = [0.0; COLUMNS as usize];
    for slice in &one.timeline {
        let at = ((slice.at.0 - first.at.0) * COLUMNS / all).clamp(0, COLUMNS - 1);
        columns[at as usize] += slice.total_ms;
    }
    sparkline(&columns).replace(' ', "·")
}

/// What a statement is called in a table.
pub fn label(one: &StatementDigest) -> String {
    super::named(&one.operation, &one.objects, &one.shape)
}

/// The first statements with their text, their slowest run and where they come from.
pub fn in_full(digest: &Digest, look: &Look, out: &mut String) {
    let wanted = if look.verbose { digest.statements.len() } else { IN_FULL };
    for (at, one) in digest.statements.iter().take(wanted).enumerate() {
        out.push('\n');
        let title = format!(
            "{}. {} of the time, {} of {} on average",
            at + 1,
            share(one.share),
            text::counted(one.load.calls, "call", "calls"),
            duration(one.load.mean_ms),
        );
        text::push_line(out, &look.paint.ink(Ink::Strong, &text::cut(&title, look.width)));
        code(&one.shape, one.engine, look, out);
        if one.incomplete {
            aside("the server had cut every run of it short when it logged it", look, out);
        }
        match one.partial {
            Some(Partial::Details) => {
                aside(
                    "its runs are counted exactly; where from and when leaves some out",
                    look,
                    out,
                );
            }
            Some(Partial::Load) => {
                aside(
                    "at least so many runs: there were too many shapes to count it all the time",
                    look,
                    out,
                );
            }
            None => {}
        }
        whence(one, look, out);
        for sample in one.samples.iter().take(if look.verbose { 3 } else { 1 }) {
            self::sample(sample, one, look, out);
        }
        if look.verbose {
            aside(&format!("fingerprint {}", one.fingerprint.0), look, out);
        }
    }
}

fn code(text: &str, engine: Engine, look: &Look, out: &mut String) {
    let lines = laid_out(text, engine, look.width.saturating_sub(4).min(120));
    let most = if look.verbose { usize::MAX } else { LINES };
    for line in lines.iter().take(most) {
        let shown: String = line.chars().filter(|letter| !letter.is_control()).collect();
        let shown = if look.verbose { shown } else { cut_line(&shown, look.width * 3) };
        text::push_line(out, &format!("    {}", look.paint.ink(Ink::Code, &shown)));
    }
    if lines.len() > most {
        aside(&format!("… {} more lines; -v shows them", lines.len() - most), look, out);
    }
}

/// A line at most about so wide, with its indent kept.
fn cut_line(line: &str, width: usize) -> String {
    if text::width(line) <= width {
        return line.to_string();
    }
    let indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
    format!("{indent}{}", text::cut(line, width))
}

fn aside(line: &str, look: &Look, out: &mut String) {
    let wrapped = text::wrap(line, super::paragraph(look), "    ", "      ");
    out.push_str(&look.paint.ink(Ink::Faint, wrapped.trim_end_matches('\n')));
    out.push('\n');
}

/// Plans, and who sent it.
fn whence(one: &StatementDigest, look: &Look, out: &mut String) {
    let parts = [
        ("plans", &one.plans),
        ("databases", &one.databases),
        ("users", &one.users),
        ("applications", &one.applications),
        ("hosts", &one.hosts),
    ];
    // Hosts are many and say little.
    let parts = &parts[..if look.verbose { 5 } else { 4 }];
    let mut told: Vec<String> =
        parts.iter().filter_map(|(name, counts)| counted(name, counts)).collect();
    if let Some(ms) = one.load.lock_ms.filter(|ms| *ms > 0.0) {
        told.insert(0, format!("waiting for locks: {}", duration(ms)));
    }
    if !told.is_empty() {
        aside(&told.join(" · "), look, out);
    }
}

/// `users: ann 300, bob 12`.
fn counted(name: &str, counts: &[Count]) -> Option<String> {
    let shown: Vec<String> = counts
        .iter()
        .filter(|count| !count.name.is_empty())
        .take(4)
        .map(|count| format!("{} {}", text::cut(&count.name, 60), grouped(count.count)))
        .collect();
    let more = counts.iter().filter(|count| !count.name.is_empty()).count() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| format!("{name}: {}{more}", shown.join(", ")))
}

fn sample(sample: &Sample, one: &StatementDigest, look: &Look, out: &mut String) {
    let at = sample.at.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
    let cut = if sample.truncated { ", cut short" } else { "" };
    let parameters = values(&sample.parameters);
    let Some(ms) = sample.ms else { return };
    let head = format!("{}{at}{cut}", duration(ms));
    if !parameters.is_empty() && !look.verbose {
        return aside(&format!("slowest run {head}, with {parameters}"), look, out);
    }
    // A statement without values to tell runs apart by says nothing new.
    let same = text::flat(&sample.text) == text::flat(&one.shape);
    aside(&format!("slowest run {head}{}", if same { "" } else { ":" }), look, out);
    if !same {
        if look.verbose {
            code(&sample.text, one.engine, look, out);
        } else {
            let line = text::cut(&sample.text, look.width.saturating_sub(4).min(120) * 2);
            out.push_str(&text::wrap(&line, look.width.min(120), "    ", "      "));
        }
    }
    if !parameters.is_empty() {
        aside(&parameters, look, out);
    }
    if let (true, Some(plan)) = (look.verbose, &sample.plan) {
        for line in plan.lines() {
            let shown: String = line.chars().filter(|letter| !letter.is_control()).collect();
            text::push_line(out, &format!("      {shown}"));
        }
    }
}

/// `$1 = 'x', $2 = NULL`.
fn values(parameters: &[Parameter]) -> String {
    let shown = parameters.iter().enumerate().map(|(at, parameter)| match &parameter.value {
        Some(value) => format!("${} = '{}'", at + 1, text::cut(value, 60).replace('\'', "''")),
        None => format!("${} = NULL", at + 1),
    });
    shown.collect::<Vec<_>>().join(", ")
}
