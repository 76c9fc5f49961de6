//! Takes a plan out of what it was copied with.

use std::borrow::Cow;

/// The plan without byte order mark, log prefix, psql's frame or CSV quotes.
pub(super) fn unwrap(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = without_log_prefix(text);
    let start = text.trim_start();
    if start.starts_with('"') {
        return Cow::Owned(from_csv(start));
    }
    // psql --csv: the header stands bare, and no rule follows it.
    if let Some(rest) = start.strip_prefix("QUERY PLAN\n").or(start.strip_prefix("QUERY PLAN\r\n"))
        && !rest.lines().next().is_some_and(is_rule)
    {
        return Cow::Owned(from_csv(rest));
    }
    if text.lines().take(8).any(is_header) {
        return Cow::Owned(without_frame(text));
    }
    Cow::Borrowed(text)
}

/// `LOG:  duration: 12.3 ms  plan:` and everything before it.
fn without_log_prefix(text: &str) -> &str {
    match text.find(" ms  plan:") {
        Some(at) if text[..at].lines().count() <= 3 => &text[at + " ms  plan:".len()..],
        _ => text,
    }
}

fn is_header(line: &str) -> bool {
    line.trim_matches(|c: char| c.is_whitespace() || c == '|' || c == '│') == "QUERY PLAN"
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| "-+|─┌┐└┘├┤┼═╔╗╚╝╞╡".contains(c))
}

fn is_count(line: &str) -> bool {
    let line = line.trim();
    line.strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(" rows)").or_else(|| rest.strip_suffix(" row)")))
        .is_some_and(|count| count.chars().all(|c| c.is_ascii_digit()))
}

/// Takes psql's frame off: the header, the rules, the borders, the `+` that ends a line which
/// goes on, and the row count.
fn without_frame(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut started = false;
    for line in text.lines() {
        if !started {
            started = is_header(line);
            continue;
        }
        if is_rule(line) || is_count(line) || line.starts_with("Time: ") {
            continue;
        }
        let mut line = line.trim_end();
        let bordered = line.trim_start().starts_with(['|', '│']);
        if bordered {
            line = line.trim_start().trim_start_matches(['|', '│']);
            line = line.trim_end_matches(['|', '│']).trim_end();
        }
        // With a border or without, psql puts one space before each value.
        line = line.strip_prefix(' ').unwrap_or(line);
        if let Some(rest) = line.strip_suffix(['+', '↵']) {
            line = rest.trim_end();
        }
        plain.push_str(line);
        plain.push('\n');
    }
    plain
}

/// One column of CSV as pgAdmin and `COPY … CSV` write it: each row quoted, quotes doubled.
fn from_csv(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                plain.push('"');
            }
            '"' => quoted = !quoted,
            '\r' if !quoted => {}
            other => plain.push(other),
        }
    }
    match plain.trim_start().strip_prefix("QUERY PLAN") {
        Some(rest) => rest.trim_start_matches(['\n', '\r']).to_string(),
        None => plain,
    }
}
