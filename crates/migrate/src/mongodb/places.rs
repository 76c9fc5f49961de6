//! Where the commands of a file stand.

/// From and to, in bytes.
type Places = Vec<(usize, usize)>;

/// Where the commands of the up and the down part stand; empty when that cannot be told.
pub(super) fn of(text: &str, yaml: bool, up: usize, down: usize) -> (Places, Places) {
    let items = |from: Option<usize>, count: usize| {
        let found = match (from, yaml) {
            (None, _) => Vec::new(),
            (Some(from), true) => yaml_items(text, from, count),
            (Some(from), false) => json_items(text, from),
        };
        if found.len() >= count { found } else { Vec::new() }
    };
    let named = |name: &str| {
        let quoted = text.find(&format!("\"{name}\""));
        let plain = if text.starts_with(&format!("{name}:")) {
            Some(0)
        } else {
            text.find(&format!("\n{name}:")).map(|at| at + 1)
        };
        if yaml { plain.or(quoted) } else { quoted }
    };
    let list = text.trim_start().starts_with(if yaml { "-" } else { "[" });
    let object = text.len() - text.trim_start().len();
    let (from_up, from_down) = if list { (Some(0), None) } else { (named("up"), named("down")) };
    let up = match items(from_up, up) {
        found if found.is_empty() && !list => vec![(object, text.trim_end().len()); up],
        found => found,
    };
    (up, items(from_down, down))
}

/// The elements of the first array behind `from`.
fn json_items(text: &str, from: usize) -> Places {
    let mut items = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut start = None;
    for (at, byte) in text.bytes().enumerate().skip(from) {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        if depth == 1
            && start.is_none()
            && !byte.is_ascii_whitespace()
            && !matches!(byte, b',' | b']')
        {
            start = Some(at);
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth += usize::from(depth > 0 || byte == b'['),
            b']' | b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    items.extend(start.map(|start| (start, at)));
                    return items;
                }
            }
            b',' if depth == 1 => items.extend(start.take().map(|start| (start, at))),
            _ => {}
        }
    }
    items
}

/// The items of the first block sequence behind `from`.
fn yaml_items(text: &str, from: usize, count: usize) -> Places {
    let mut starts: Vec<usize> = Vec::new();
    let mut indent = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let here = at;
        at += line.len();
        if here < from {
            continue;
        }
        let spaces = line.len() - line.trim_start().len();
        let said = !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if indent.is_some_and(|indent| spaces <= indent)
            && said
            && !line.trim_start().starts_with("- ")
        {
            at = here;
            break;
        }
        if line.trim_start().starts_with("- ") && indent.is_none_or(|indent| indent == spaces) {
            indent = Some(spaces);
            starts.push(here + spaces);
        }
    }
    let beyond = starts.get(count).copied();
    starts.truncate(count);
    let ends = starts.iter().skip(1).copied().chain([beyond.unwrap_or(at)]);
    starts.iter().copied().zip(ends).collect()
}
