use marula_core::Json;
use serde_json::{Map, json};

/// Reads `Parallel Index Scan using i on s.t a  (cost=…) (actual …)` into EXPLAIN's JSON keys.
/// `None` when it is no such line.
pub(super) fn read(text: &str) -> Option<Map<String, Json>> {
    let (head, cost, actual, never) = split(text);
    // A parenthesis that opens and does not close: the line was cut off.
    if text.contains("(cost=") && cost.is_none() || text.contains("(actual ") && actual.is_none() {
        return None;
    }
    let head = head.trim();
    if head.is_empty() || !head.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    // Without costs there is little to tell a plan by; a name of an operation must do.
    if cost.is_none() && actual.is_none() && !never && !looks_like_operation(head) {
        return None;
    }
    let mut native = Map::new();
    operation(head, &mut native);
    if let Some(cost) = cost {
        let (startup, total) = range(field(cost, "cost=")?)?;
        native.insert("Startup Cost".into(), startup);
        native.insert("Total Cost".into(), total);
        native.insert("Plan Rows".into(), number(field(cost, "rows=")?)?);
        native.insert("Plan Width".into(), number(field(cost, "width=")?)?);
    }
    if let Some(actual) = actual {
        if let Some(time) = field(actual, "time=") {
            let (startup, total) = range(time)?;
            native.insert("Actual Startup Time".into(), startup);
            native.insert("Actual Total Time".into(), total);
        }
        native.insert("Actual Rows".into(), number(field(actual, "rows=")?)?);
        native.insert("Actual Loops".into(), number(field(actual, "loops=")?)?);
    } else if never {
        native.insert("Actual Startup Time".into(), json!(0.0));
        native.insert("Actual Total Time".into(), json!(0.0));
        native.insert("Actual Rows".into(), json!(0));
        native.insert("Actual Loops".into(), json!(0));
    }
    Some(native)
}

/// The operation, the planner's numbers, what happened, and whether nothing did.
fn split(text: &str) -> (&str, Option<&str>, Option<&str>, bool) {
    let cut = |from: &str| text.find(from);
    let inside = |from: &str| {
        let start = text.find(from)? + 1;
        let end = text.get(start..)?.find(')')?;
        text.get(start..start + end)
    };
    let cost = inside("(cost=");
    let actual = inside("(actual ");
    let never = text.contains("(never executed)");
    let end = [cut("(cost="), cut("(actual "), cut("(never executed)")].into_iter().flatten().min();
    (&text[..end.unwrap_or(text.len())], cost, actual, never)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.find(name)? + name.len();
    let rest = text.get(start..)?;
    rest.split([' ', ')']).next()
}

fn range(text: &str) -> Option<(Json, Json)> {
    let (from, to) = text.split_once("..")?;
    Some((number(from)?, number(to)?))
}

pub(super) fn number(text: &str) -> Option<Json> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(json!(whole));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number))
}

fn looks_like_operation(head: &str) -> bool {
    const WORDS: &[&str] = &[
        "Scan",
        "Join",
        "Loop",
        "Sort",
        "Hash",
        "Limit",
        "Aggregate",
        "Append",
        "Result",
        "Gather",
        "Unique",
        "Materialize",
        "Memoize",
        "WindowAgg",
        "SetOp",
        "LockRows",
        "BitmapAnd",
        "BitmapOr",
        "ProjectSet",
        "Insert",
        "Update",
        "Delete",
        "Merge",
        "Group",
        "Union",
    ];
    let Some(first) = head.split(" on ").next() else { return false };
    let first = first.split(" using ").next().unwrap_or(first);
    !first.contains([',', ';', ':', '='])
        && first.split(' ').count() <= 6
        && first.split(' ').any(|word| WORDS.iter().any(|known| word.ends_with(known)))
}

fn operation(head: &str, native: &mut Map<String, Json>) {
    let mut put = |key: &str, value: &str| {
        native.insert(key.to_string(), json!(value));
    };
    let (mut name, mut rest) = match head.split_once(" using ") {
        Some((name, rest)) if name.starts_with("Index") || name.starts_with("Parallel Index") => {
            let (index, rest) = word(rest);
            put("Index Name", &index);
            (name, rest.trim_start().strip_prefix("on ").unwrap_or(""))
        }
        _ => head.split_once(" on ").unwrap_or((head, "")),
    };
    let parallel = name.strip_prefix("Parallel ");
    let asynchronous = name.strip_prefix("Async ");
    name = parallel.or(asynchronous).unwrap_or(name);
    if parallel.is_some() {
        native.insert("Parallel Aware".into(), json!(true));
    }
    let mut put = |key: &str, value: &str| {
        native.insert(key.to_string(), json!(value));
    };
    let (mode, plain) = match name.split_once(' ') {
        Some((mode @ ("Partial" | "Finalize"), plain)) => (Some(mode), plain),
        _ => (None, name),
    };
    if let Some(strategy) = match plain {
        "Aggregate" => Some("Plain"),
        "HashAggregate" => Some("Hashed"),
        "GroupAggregate" => Some("Sorted"),
        "MixedAggregate" => Some("Mixed"),
        _ => None,
    } {
        put("Node Type", "Aggregate");
        put("Strategy", strategy);
        put("Partial Mode", mode.unwrap_or("Simple"));
        return;
    }
    for (prefix, strategy) in [("HashSetOp ", "Hashed"), ("SetOp ", "Sorted")] {
        if let Some(command) = plain.strip_prefix(prefix) {
            put("Node Type", "SetOp");
            put("Strategy", strategy);
            put("Command", command);
            return;
        }
    }
    if let Some((kind, join)) = join(name) {
        put("Node Type", kind);
        put("Join Type", join);
        return;
    }
    if let Some(forward) = name.strip_suffix(" Backward") {
        put("Scan Direction", "Backward");
        name = forward;
    } else if name == "Index Scan" || name == "Index Only Scan" {
        put("Scan Direction", "Forward");
    }
    if let Some(provider) = name.strip_prefix("Custom Scan (") {
        put("Node Type", "Custom Scan");
        put("Custom Plan Provider", provider.trim_end_matches(')'));
    } else if matches!(name, "Insert" | "Update" | "Delete" | "Merge") {
        put("Node Type", "ModifyTable");
        put("Operation", name);
    } else {
        put("Node Type", name);
    }
    if name == "Bitmap Index Scan" {
        put("Index Name", &word(rest).0);
        return;
    }
    if rest.is_empty() {
        return;
    }
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, after) = word(rest);
        if let Some(behind) = after.strip_prefix('.') {
            put("Schema", &part);
            rest = behind;
            continue;
        }
        parts.push(part);
        rest = after.trim_start();
    }
    let first = parts.first().cloned().unwrap_or_default();
    let alias = parts.last().cloned().unwrap_or_default();
    match name {
        "CTE Scan" | "WorkTable Scan" => put("CTE Name", &first),
        "Function Scan" => put("Function Name", &first),
        "Table Function Scan" => put("Table Function Name", &first),
        "Named Tuplestore Scan" => put("Tuplestore Name", &first),
        "Subquery Scan" | "Values Scan" | "Result" => {}
        _ => put("Relation Name", &first),
    }
    put("Alias", &alias);
}

/// `Hash Left Join` is a Hash Join of type Left.
fn join(name: &str) -> Option<(&'static str, &str)> {
    if name == "Nested Loop" {
        return Some(("Nested Loop", "Inner"));
    }
    let middle = name.strip_suffix(" Join")?;
    for (prefix, kind) in
        [("Nested Loop ", "Nested Loop"), ("Hash ", "Hash Join"), ("Merge ", "Merge Join")]
    {
        if let Some(join) = middle.strip_prefix(prefix) {
            return Some((kind, join));
        }
    }
    match middle {
        "Hash" => Some(("Hash Join", "Inner")),
        "Merge" => Some(("Merge Join", "Inner")),
        _ => None,
    }
}

/// The next name, unquoted, and what stands behind it.
fn word(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '.']).unwrap_or(text.len());
        return (text[..end].to_string(), &text[end..]);
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            return (name, &quoted[at + 1..]);
        }
    }
    (name, "")
}
