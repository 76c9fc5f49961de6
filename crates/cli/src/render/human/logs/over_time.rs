//! Time and durations as strips and bars of block characters.

use marula_core::{Bucket, Digest};

use super::super::numbers::{duration, grouped};
use super::super::paint::Ink;
use super::{Look, compact, few, heading, rate, share, text};

const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns for the name before a strip, and for its largest value behind it.
const NAME: usize = 9;
const BEHIND: usize = 24;

/// Load, calls, percentiles and errors, a column each stretch of time.
pub fn over_time(digest: &Digest, look: &Look, out: &mut String) {
    let timeline = &digest.timeline;
    let (Some(first), Some(last)) = (timeline.buckets.first(), timeline.buckets.last()) else {
        return;
    };
    let width = timeline.width_ms.max(1) as i64;
    let number = (last.at.0 - first.at.0) / width + 1;
    let room = look.width.saturating_sub(NAME + BEHIND + 4).clamp(16, 120) as i64;
    // Whole buckets a column, so that columns can be compared.
    let each = (number + room - 1) / room;
    let columns = ((number + each - 1) / each).max(1) as usize;
    if columns < 2 {
        return;
    }
    let mut stretches: Vec<Vec<&Bucket>> = vec![Vec::new(); columns];
    for bucket in &timeline.buckets {
        let at = ((bucket.at.0 - first.at.0) / width / each).max(0) as usize;
        stretches[at.min(columns - 1)].push(bucket);
    }
    let ms = (width * each) as f64;
    heading(&format!("Over time ({} a column)", duration(ms)), look, out);
    let mut strip =
        |name: &str, ink: Ink, value: &dyn Fn(&[&Bucket]) -> f64, most: &dyn Fn(f64) -> String| {
            let values: Vec<f64> = stretches.iter().map(|stretch| value(stretch)).collect();
            let top = values.iter().copied().fold(0.0, f64::max);
            if top > 0.0 {
                let drawn = look.paint.ink(ink, &sparkline(&values));
                out.push_str(&format!("  {}{drawn}  {}\n", text::left(name, NAME), most(top)));
            }
        };
    let sum = |stretch: &[&Bucket], part: &dyn Fn(&Bucket) -> f64| {
        stretch.iter().map(|b| part(b)).sum::<f64>()
    };
    let most = |stretch: &[&Bucket], part: &dyn Fn(&Bucket) -> f64| {
        stretch.iter().map(|b| part(b)).fold(0.0, f64::max)
    };
    strip("running", Ink::Code, &|s| sum(s, &|b| b.total_ms), &|top| {
        format!("up to {} at once", few(top / ms))
    });
    strip("calls", Ink::Code, &|s| sum(s, &|b| b.calls as f64), &|top| {
        format!("up to {}", rate(top as u64, ms))
    });
    // Percentiles of neighbours cannot be added up: the mean, weighted by calls, stands for them.
    let mean = |stretch: &[&Bucket], part: &dyn Fn(&Bucket) -> f64| {
        sum(stretch, &|b| part(b) * b.calls as f64) / sum(stretch, &|b| b.calls as f64).max(1.0)
    };
    let up_to = |top: f64| format!("up to {}", duration(top));
    strip("p50", Ink::Code, &|s| mean(s, &|b| b.p50_ms), &up_to);
    strip("p95", Ink::Code, &|s| mean(s, &|b| b.p95_ms), &up_to);
    strip("longest", Ink::Code, &|s| most(s, &|b| b.max_ms), &up_to);
    strip("errors", Ink::Bad, &|s| sum(s, &|b| b.errors as f64), &|top| {
        format!("up to {}", grouped(top as u64))
    });
    let from = super::moment(first.at);
    let to = super::moment(marula_core::Timestamp(first.at.0 + width * each * columns as i64));
    let (from, to) = match (from.split_once(' '), to.split_once(' ')) {
        (Some((a, from)), Some((b, to))) if a == b => (from.to_string(), to.to_string()),
        _ => (from.clone(), to.clone()),
    };
    let gap = columns.saturating_sub(from.len() + to.len()).max(3);
    let line = format!("  {}{from}{}{to}", " ".repeat(NAME), " ".repeat(gap));
    text::push_line(out, &look.paint.ink(Ink::Faint, &line));
}

/// One character a value, as high as its share of the largest; nothing is a blank, and what is
/// more than nothing is seen.
pub fn sparkline(values: &[f64]) -> String {
    let top = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    values
        .iter()
        .map(|value| match value {
            value if *value > 0.0 && top > 0.0 => {
                let step = (value / top * STEPS.len() as f64).ceil() as usize;
                STEPS[step.clamp(1, STEPS.len()) - 1]
            }
            _ => ' ',
        })
        .collect()
}

/// A bar of at most `width` columns, in eighths.
fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    match eighths % 8 {
        0 if eighths == 0 && share > 0.0 => out.push('▏'),
        0 => {}
        rest => out.push(EIGHTHS[rest]),
    }
    out
}

/// How many calls took how long, and their share of the time.
pub fn durations(digest: &Digest, look: &Look, out: &mut String) {
    let most = digest.histogram.iter().map(|bar| bar.calls).max().unwrap_or(0);
    if digest.histogram.len() < 2 || most == 0 {
        return;
    }
    heading("Durations", look, out);
    let names: Vec<String> = digest
        .histogram
        .iter()
        .map(|bar| {
            let from = if bar.from_ms <= 0.0 { "0".into() } else { compact(bar.from_ms) };
            format!("{from} – {}", compact(bar.to_ms))
        })
        .collect();
    let counts: Vec<String> = digest.histogram.iter().map(|bar| grouped(bar.calls)).collect();
    let widest = |cells: &[String]| cells.iter().map(|cell| text::width(cell)).max().unwrap_or(0);
    let (name, count) = (widest(&names), widest(&counts).max(5));
    let room = look.width.saturating_sub(name + count + 22).clamp(10, 60);
    let head = format!(
        "  {}  {}  {}  of the time",
        " ".repeat(name),
        text::left("", room),
        text::right("calls", count)
    );
    text::push_line(out, &look.paint.ink(Ink::Faint, &head));
    for (at, one) in digest.histogram.iter().enumerate() {
        let drawn = text::left(&bar(one.calls as f64 / most as f64, room), room);
        let share = share(one.total_ms / digest.totals.total_ms.max(f64::MIN_POSITIVE));
        out.push_str(&format!(
            "  {}  {}  {}  {}\n",
            text::right(&names[at], name),
            look.paint.ink(Ink::Code, &drawn),
            text::right(&counts[at], count),
            text::right(&share, 11)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_and_bars_show_little_and_nothing_differently() {
        assert_eq!(sparkline(&[0.0, 0.001, 4.0, 8.0]), " ▁▄█");
        assert_eq!(sparkline(&[0.0, f64::NAN]), "  ");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.0001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(7.0, 3), "███");
    }
}
