/// One line of a plan in text form.
pub(super) enum Line<'a> {
    /// `->  Seq Scan on t  (cost=…)`; the first line has no arrow.
    Node { column: usize, text: &'a str },
    /// `SubPlan 1`, `InitPlan 1 (returns $0)`, `CTE recent`.
    Label { column: usize, text: &'a str },
    /// `Worker 0:  actual time=… rows=… loops=…`.
    Worker { number: usize, rest: &'a str },
    /// `Filter: (a > 1)`.
    Property { key: &'a str, value: &'a str },
    /// The rest of a value with a line break in it.
    Other(&'a str),
}

/// Tabs, which copying brings in, count as the eight columns they look like.
fn column(raw: &str) -> usize {
    raw.chars()
        .take_while(|c| c.is_whitespace())
        .fold(0, |column, c| if c == '\t' { (column / 8 + 1) * 8 } else { column + 1 })
}

pub(super) fn read_line(raw: &str, first: bool) -> Line<'_> {
    let start = column(raw);
    let text = raw.trim();
    if let Some(rest) = text.strip_prefix("->") {
        // One column to the right of where it stands: the root is left of every arrow.
        return Line::Node { column: start + 1, text: rest.trim_start() };
    }
    if first {
        return Line::Node { column: 0, text };
    }
    if is_label(text) {
        return Line::Label { column: start, text };
    }
    if let Some(rest) = text.strip_prefix("Worker ")
        && let Some((number, rest)) = rest.split_once(':')
        && let Ok(number) = number.parse()
    {
        return Line::Worker { number, rest: rest.trim() };
    }
    match text.split_once(':') {
        Some((key, value)) if is_key(key) => Line::Property { key, value: value.trim() },
        _ => Line::Other(raw),
    }
}

fn is_label(text: &str) -> bool {
    let number = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    text.strip_prefix("SubPlan ").is_some_and(number)
        || text.strip_prefix("InitPlan ").is_some_and(number)
        || text.strip_prefix("InitPlan expr_").is_some()
        || text.strip_prefix("CTE ").is_some_and(|name| !name.contains(": "))
}

/// EXPLAIN's own names begin with a capital and hold letters, digits, blanks, `-`, `/`, `()`.
fn is_key(key: &str) -> bool {
    key.len() <= 60
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || " -/()_\"$.".contains(c))
}
