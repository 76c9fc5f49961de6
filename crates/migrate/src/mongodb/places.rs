//! Where the commands and the keys of a file stand.

use std::collections::HashSet;

/// From and to, in bytes.
type Places = Vec<(usize, usize)>;

/// Where the commands of the up and the down part stand; empty when that cannot be told.
pub(super) fn of(text: &str, yaml: bool, up: usize, down: usize) -> (Places, Places) {
    let (of_up, of_down) = if yaml { of_yaml(text, up, down) } else { of_json(text) };
    let all = || {
        let start = text.len() - text.trim_start().len();
        (start, text.trim_end().len().max(start))
    };
    let of_up = if of_up.len() == up { of_up } else { vec![all(); up] };
    let of_down = if of_down.len() == down { of_down } else { Vec::new() };
    (of_up, of_down)
}

fn of_yaml(text: &str, up: usize, down: usize) -> (Places, Places) {
    let items = |from: Option<usize>, count: usize| {
        from.map_or_else(Vec::new, |from| yaml_items(text, from, count))
    };
    let named = |name: &str| {
        let quoted = text.find(&format!("\"{name}\""));
        let plain = if text.starts_with(&format!("{name}:")) {
            Some(0)
        } else {
            text.find(&format!("\n{name}:")).map(|at| at + 1)
        };
        plain.or(quoted)
    };
    match text.trim_start().starts_with('-') {
        true => (items(Some(0), up), Vec::new()),
        false => (items(named("up"), up), items(named("down"), down)),
    }
}

/// Commands one behind the other, a list of them, or the lists under `up` and `down`.
fn of_json(text: &str) -> (Places, Places) {
    let top = values(text, 0, text.len());
    let [(start, end)] = top.as_slice() else { return (top, Vec::new()) };
    let (start, end) = (*start, *end);
    let list = |(start, end): (usize, usize)| match text.as_bytes().get(start) {
        Some(b'[') => values(text, start + 1, end.saturating_sub(1)),
        _ => vec![(start, end)],
    };
    if text.as_bytes().get(start) != Some(&b'{') {
        return (list((start, end)), Vec::new());
    }
    // Keys and values take turns.
    let inner = values(text, start + 1, end.saturating_sub(1));
    let of = |name: &str| {
        let quoted = format!("\"{name}\"");
        let mut pairs = inner.chunks_exact(2);
        pairs.find(|pair| text.get(pair[0].0..pair[0].1) == Some(&quoted)).map(|pair| pair[1])
    };
    match of("up") {
        Some(up) => (list(up), of("down").map(list).unwrap_or_default()),
        None => (top, Vec::new()),
    }
}

/// A key that is in one document a second time: only one of the two could be read.
pub(super) fn repeated(text: &str) -> Option<(usize, usize)> {
    let mut open = values(text, 0, text.len());
    let mut first: Option<(usize, usize)> = None;
    while let Some((start, end)) = open.pop() {
        let inner = match text.as_bytes().get(start) {
            Some(b'[' | b'{') => values(text, start + 1, end.saturating_sub(1)),
            _ => continue,
        };
        if text.as_bytes().get(start) == Some(&b'{') {
            let mut known = HashSet::new();
            let twice = inner.chunks_exact(2).find(|pair| !known.insert(name(text, pair[0])));
            if let Some(pair) = twice
                && first.is_none_or(|first| pair[0].0 < first.0)
            {
                first = Some(pair[0]);
            }
        }
        open.extend(inner);
    }
    first
}

/// Where a key stands that others lead to from the top.
pub(super) fn key(text: &str, yaml: bool, path: &[String]) -> (usize, usize) {
    let mut found = (0, 0);
    if yaml {
        for key in path {
            let rest = text.get(found.1..).unwrap_or_default();
            let mut lines = rest.split_inclusive('\n').scan(found.1, |at, line| {
                let here = *at;
                *at += line.len();
                Some((here + line.len() - line.trim_start().len(), line.trim_start()))
            });
            let own = lines.find(|(_, line)| {
                let line = line.trim_start_matches(['"', '\'']);
                line.strip_prefix(key.as_str())
                    .is_some_and(|rest| rest.starts_with(['"', '\'', ':', ' ']))
            });
            let flow = || rest.find(key.as_str()).map(|at| found.1 + at);
            match own.map(|(at, _)| at).or_else(flow) {
                Some(at) => found = (at, at + key.len()),
                None => break,
            }
        }
        return found;
    }
    let mut inside = values(text, 0, text.len()).first().copied();
    for key in path {
        let Some((start, end)) = inside else { break };
        let inner = values(text, start + 1, end.saturating_sub(1));
        let Some(pair) = inner.chunks_exact(2).find(|pair| name(text, pair[0]) == *key) else {
            break;
        };
        found = pair[0];
        inside = Some(pair[1]);
    }
    found
}

/// A key of JSON as it is meant.
fn name(text: &str, (start, end): (usize, usize)) -> String {
    let written = text.get(start..end).unwrap_or_default();
    serde_json::from_str(written).unwrap_or_else(|_| written.to_string())
}

/// The values that stand one behind the other between two places, whatever is between them.
fn values(text: &str, from: usize, to: usize) -> Places {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        if bytes[at].is_ascii_whitespace() || matches!(bytes[at], b',' | b':') {
            at += 1;
            continue;
        }
        let end = end_of(bytes, at, to);
        found.push((at, end));
        at = end;
    }
    found
}

/// Where the value that begins at `from` ends.
fn end_of(bytes: &[u8], from: usize, to: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate().take(to).skip(from) {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    quoted = false;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            // A number or a word ends where something else begins.
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at.max(from + 1),
            _ => {}
        }
    }
    to.max(from + 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The line each command of the up and the down part begins in.
    fn lines(text: &str, yaml: bool, up: usize, down: usize) -> (Vec<usize>, Vec<usize>) {
        let (of_up, of_down) = of(text, yaml, up, down);
        let line = |(start, _): &(usize, usize)| crate::migration::line_of(text, *start);
        (of_up.iter().map(line).collect(), of_down.iter().map(line).collect())
    }

    #[test]
    fn each_command_has_the_line_it_begins_in() {
        for (text, up, down) in [
            ("[{\"create\": \"a\"},\n {\"drop\": \"b\"}]", vec![1, 2], vec![]),
            ("{\"create\": \"a\"}\n\n{\"drop\": \"b\"}\n", vec![1, 3], vec![]),
            ("\n{\"create\": \"up\"}", vec![2], vec![]),
            (
                "{\"down\": [\n{\"drop\": \"up\"}],\n\"options\": {\"transaction\": false},\n\"up\": [\n\n{\"create\":\n\"a\"}, \"db.a.drop()\",\n\"x: [}\\\"\"]}",
                vec![6, 7, 8],
                vec![2],
            ),
            ("{\"up\":\n{\"create\": \"a\", \"x\": [\n1, 2]},\n\"down\": []}", vec![2], vec![]),
        ] {
            assert_eq!(lines(text, false, up.len(), down.len()), (up, down), "{text}");
        }
        let both =
            "{\"up\": [{\"a\": {\"x\": 1, \"y\": [{\"\\u0078\": 1, \"x\": 2}]}}], \"up\": []}";
        let at = repeated(both).map(|(start, end)| (both.get(start..end), start));
        assert_eq!(at, Some((Some("\"x\""), both.find("\"x\": 2").unwrap_or(0))));
        assert_eq!(repeated("[{\"a\": \"a\", \"b\": {\"a\": {}}}, {\"a\": 1}]"), None);
        let path = ["options".to_string(), "hodl".to_string()];
        let yaml = "up: []\noptions:\n  hodl: true\n";
        assert_eq!(key(yaml, true, &path).0, yaml.find("hodl").unwrap_or(0));
        let json = "{\"up\": {\"hodl\": 1}, \"options\": {\"hodl\": true}}";
        assert_eq!(key(json, false, &path).0, json.rfind("\"hodl").unwrap_or(0));
        let yaml = "down:\n  - drop: a\nup:\n\n  - create: a\n    x: 1\n  - drop: b\n";
        assert_eq!(lines(yaml, true, 2, 1), (vec![5, 7], vec![2]));
    }
}
