//! The lines below a node, as the keys and values that EXPLAIN's JSON form has.

use marula_core::Json;
use serde_json::{Map, json};

use super::node_line::number;

type Native = Map<String, Json>;

/// Keys whose values are lists.
const LISTS: &[&str] = &["Output", "Sort Key", "Group Key", "Hash Key", "Presorted Key"];

/// Puts one line of a node in place.
pub(super) fn put(native: &mut Native, key: &str, value: &str) {
    match key {
        "Buffers" => blocks(native, value),
        "I/O Timings" => timings(native, value),
        "WAL" => pairs(
            native,
            value,
            &[("records=", "WAL Records"), ("fpi=", "WAL FPI"), ("bytes=", "WAL Bytes")],
        ),
        "Heap Blocks" => pairs(
            native,
            value,
            &[("exact=", "Exact Heap Blocks"), ("lossy=", "Lossy Heap Blocks")],
        ),
        "Sort Method" => sort(native, value),
        "Full-sort Groups" | "Pre-sorted Groups" => groups(native, key, value),
        "Buckets" => hash(native, value),
        "Batches" | "Planned Partitions" => hash_aggregate(native, key, value),
        "Hits" => {
            let text = format!("Hits: {value}");
            labelled(
                native,
                &text,
                &[
                    ("Hits: ", "Cache Hits"),
                    ("Misses: ", "Cache Misses"),
                    ("Evictions: ", "Cache Evictions"),
                    ("Overflows: ", "Cache Overflows"),
                    ("Memory Usage: ", "Peak Memory Usage"),
                ],
            );
        }
        "Storage" => {
            let storage = value.split_whitespace().next().unwrap_or_default();
            native.insert("Storage".into(), json!(storage));
            labelled(native, value, &[("Maximum Storage: ", "Maximum Storage")]);
        }
        "Worker" => {}
        "Hash Key" | "Group Key" | "Sort Key" if grouping(native, key) => {
            grouping_set(native, key, split_list(value));
        }
        _ if LISTS.contains(&key) => {
            let list = native.entry(key).or_insert_with(|| json!([]));
            if let Json::Array(list) = list {
                list.extend(split_list(value).into_iter().map(Json::from));
            }
        }
        _ => {
            let value = if is_text(key) { json!(value) } else { plain(value) };
            native.insert(key.into(), value);
        }
    }
}

/// Whether a key belongs to GROUPING SETS, which have several.
fn grouping(native: &Native, key: &str) -> bool {
    let aggregate = native.get("Node Type").and_then(Json::as_str) == Some("Aggregate");
    aggregate
        && (key != "Group Key"
            || native.contains_key("Grouping Sets")
            || native.contains_key("Group Key"))
}

fn grouping_set(native: &mut Native, key: &str, keys: Vec<String>) {
    // What looked like the only key was the first of several.
    let first = native.remove("Group Key");
    let sets = native.entry("Grouping Sets").or_insert_with(|| json!([]));
    let Json::Array(sets) = sets else { return };
    sets.extend(first.map(|keys| json!({ "Group Keys": [keys] })));
    let keys: Vec<String> = keys.into_iter().filter(|key| key != "()").collect();
    match key {
        "Sort Key" => sets.push(json!({ "Sort Key": keys })),
        "Hash Key" => sets.push(json!({ "Hash Keys": [keys] })),
        _ => match sets.last_mut().and_then(Json::as_object_mut) {
            Some(set) if !set.contains_key("Hash Keys") => {
                let list = set.entry("Group Keys").or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(json!(keys)));
            }
            _ => sets.push(json!({ "Group Keys": [keys] })),
        },
    }
}

/// Conditions stay text though they may look like a number.
fn is_text(key: &str) -> bool {
    !key.starts_with("Rows Removed")
        && (key.ends_with("Cond") || key.ends_with("Filter") || key.ends_with("Key"))
}

fn plain(value: &str) -> Json {
    match value {
        "true" => json!(true),
        "false" => json!(false),
        _ => number(value).unwrap_or_else(|| json!(value)),
    }
}

/// Lines that belong to the plan as a whole; `false` when it is a node's.
pub(super) fn document(document: &mut Map<String, Json>, key: &str, value: &str) -> bool {
    let time = |value: &str| value.strip_suffix(" ms").and_then(number);
    match key {
        "Planning Time" | "Execution Time" => {
            if let Some(time) = time(value) {
                document.insert(key.into(), time);
            }
        }
        // Before 9.6.
        "Total runtime" => {
            if let Some(time) = time(value) {
                document.insert("Execution Time".into(), time);
            }
        }
        "Settings" => {
            let settings: Map<String, Json> = split_list(value)
                .iter()
                .filter_map(|pair| {
                    let (name, value) = pair.split_once(" = ")?;
                    Some((name.to_string(), json!(value.trim_matches('\''))))
                })
                .collect();
            document.insert(key.into(), Json::Object(settings));
        }
        "Query Identifier" => {
            document.insert(key.into(), plain(value));
        }
        "Planning" | "JIT" | "Serialization" => {}
        _ => return key.starts_with("Trigger "),
    }
    true
}

/// `Worker 0:  actual time=0.1..0.2 rows=3 loops=1` or `Worker 0:  Sort Method: …`.
pub(super) fn worker(native: &mut Native, which: usize, rest: &str) {
    with_worker(native, which, |entry| worker_line(entry, rest));
}

fn worker_line(entry: &mut Native, rest: &str) {
    if let Some((key, value)) = rest.split_once(": ").filter(|_| !rest.starts_with("actual")) {
        put(entry, key, value);
        return;
    }
    if let Some((from, to)) = part(rest, "time=").and_then(|time| time.split_once("..")) {
        entry.extend(number(from).map(|n| ("Actual Startup Time".to_string(), n)));
        entry.extend(number(to).map(|n| ("Actual Total Time".to_string(), n)));
    }
    for (name, key) in [("rows=", "Actual Rows"), ("loops=", "Actual Loops")] {
        entry.extend(part(rest, name).and_then(number).map(|n| (key.to_string(), n)));
    }
}

/// A line below a worker's.
pub(super) fn of_worker(native: &mut Native, number: usize, key: &str, value: &str) {
    with_worker(native, number, |entry| put(entry, key, value));
}

/// Does `work` on the entry of one worker, which is made when it is missing.
fn with_worker(native: &mut Native, number: usize, work: impl FnOnce(&mut Native)) {
    let workers = native.entry("Workers").or_insert_with(|| json!([]));
    let Json::Array(list) = workers else { return };
    let own = json!(number);
    let place = list.iter().position(|worker| worker.get("Worker Number") == Some(&own));
    let place = place.unwrap_or_else(|| {
        list.push(json!({ "Worker Number": number }));
        list.len() - 1
    });
    if let Some(Json::Object(entry)) = list.get_mut(place) {
        work(entry);
    }
}

fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.find(name)? + name.len();
    text.get(start..)?.split([' ', ',', ')']).next()
}

fn pairs(native: &mut Native, value: &str, keys: &[(&str, &str)]) {
    for (name, key) in keys {
        if let Some(value) = part(value, name).and_then(number) {
            native.insert((*key).into(), value);
        }
    }
}

/// `Memory Usage: 9kB`: the number behind each name.
fn labelled(native: &mut Native, value: &str, keys: &[(&str, &str)]) {
    for (name, key) in keys {
        let Some(rest) = value.find(name).and_then(|at| value.get(at + name.len()..)) else {
            continue;
        };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if let Some(value) = number(&digits) {
            native.insert((*key).into(), value);
        }
    }
}

/// `shared hit=1 read=2, temp read=3 written=4`; what is not printed is zero.
fn blocks(native: &mut Native, value: &str) {
    for group in ["Shared", "Local", "Temp"] {
        let printed = value
            .split(", ")
            .find_map(|part| part.strip_prefix(group.to_lowercase().as_str()))
            .unwrap_or("");
        for (name, kind) in
            [("hit=", "Hit"), ("read=", "Read"), ("dirtied=", "Dirtied"), ("written=", "Written")]
        {
            if group == "Temp" && matches!(kind, "Hit" | "Dirtied") {
                continue;
            }
            let count = part(printed, name).and_then(number).unwrap_or_else(|| json!(0));
            native.insert(format!("{group} {kind} Blocks"), count);
        }
    }
}

/// `shared read=1.5 write=0.2, temp read=3` since 15; `read=1.5 write=0.2` before.
fn timings(native: &mut Native, value: &str) {
    for part_ in value.split(", ") {
        let (group, rest) = match part_.split_once(' ') {
            Some(("shared" | "shared/local", rest)) => ("Shared ", rest),
            Some(("local", rest)) => ("Local ", rest),
            Some(("temp", rest)) => ("Temp ", rest),
            _ => ("", part_),
        };
        for (name, kind) in [("read=", "Read"), ("write=", "Write")] {
            if let Some(time) = part(rest, name).and_then(number) {
                native.insert(format!("{group}I/O {kind} Time"), time);
            }
        }
    }
}

/// `external merge  Disk: 5648kB`.
fn sort(native: &mut Native, value: &str) {
    let (method, space) = value.split_once("  ").unwrap_or((value, ""));
    native.insert("Sort Method".into(), json!(method));
    if let Some((kind, used)) = space.trim().split_once(": ") {
        native.insert("Sort Space Type".into(), json!(kind));
        native.extend(
            number(used.trim_end_matches("kB")).map(|n| ("Sort Space Used".to_string(), n)),
        );
    }
}

/// `3  Sort Methods: quicksort, top-N heapsort  Average Memory: 27kB  Peak Memory: 28kB`.
fn groups(native: &mut Native, key: &str, value: &str) {
    let mut group = Native::new();
    for (at, text) in value.split("  ").enumerate() {
        let text = text.trim();
        if at == 0 {
            group.extend(number(text).map(|n| ("Group Count".to_string(), n)));
        } else if let Some((_, methods)) =
            text.split_once("Sort Methods: ").or_else(|| text.split_once("Sort Method: "))
        {
            let methods: Vec<&str> = methods.split(", ").collect();
            group.insert("Sort Methods Used".into(), json!(methods));
        } else if let Some((what, size)) = text.split_once(": ") {
            let (which, place) = what.split_once(' ').unwrap_or((what, "Memory"));
            let space = group.entry(format!("Sort Space {place}")).or_insert_with(|| json!({}));
            if let (Json::Object(space), Some(size)) = (space, number(size.trim_end_matches("kB")))
            {
                space.insert(format!("{which} Sort Space Used"), size);
            }
        }
    }
    native.insert(key.into(), Json::Object(group));
}

/// `1024 (originally 1024)  Batches: 8 (originally 1)  Memory Usage: 9kB`.
fn hash(native: &mut Native, value: &str) {
    let text = format!("Buckets: {value}");
    labelled(
        native,
        &text,
        &[
            ("Buckets: ", "Hash Buckets"),
            ("Batches: ", "Hash Batches"),
            ("Memory Usage: ", "Peak Memory Usage"),
        ],
    );
    for (field, original) in [("Hash Buckets", "Buckets: "), ("Hash Batches", "Batches: ")] {
        let was = text
            .find(original)
            .and_then(|at| text.get(at + original.len()..))
            .map(|rest| rest.split("  ").next().unwrap_or(rest))
            .and_then(|rest| rest.split_once("(originally ")?.1.strip_suffix(')').and_then(number))
            .or_else(|| native.get(field).cloned());
        native.extend(was.map(|was| (format!("Original {field}"), was)));
    }
}

/// `Batches: 5  Memory Usage: 8241kB  Disk Usage: 1112kB`, with `Planned Partitions: 4` before.
fn hash_aggregate(native: &mut Native, key: &str, value: &str) {
    let text = format!("{key}: {value}");
    labelled(
        native,
        &text,
        &[
            ("Planned Partitions: ", "Planned Partitions"),
            ("Batches: ", "HashAgg Batches"),
            ("Memory Usage: ", "Peak Memory Usage"),
            ("Disk Usage: ", "Disk Usage"),
        ],
    );
}

/// Cuts at commas outside parentheses, brackets and quotes.
fn split_list(value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut depth, mut quote, mut start) = (0i32, None, 0);
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth <= 0 => {
                parts.push(value[start..at].trim().to_string());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(value[start..].trim().to_string());
    parts
}
