//! The classic engine's plan nodes.

use marula_core::{Json, PlanNode};
use serde_json::Map;

/// The fields that hold a node's inputs.
const INPUTS: &[&str] =
    &["inputStage", "inputStages", "shards", "thenStage", "elseStage", "outerStage", "innerStage"];

/// The tree of a winning plan, with the counts of its execution where it ran.
pub(super) fn tree(winning: &Json, execution: Option<&Json>, collection: Option<&str>) -> PlanNode {
    let mut native = fields(winning);
    // The two trees have the same shape; should they not, the one that ran is the truth.
    let same = execution.is_none_or(|run| run.get("stage") == winning.get("stage"));
    if let Some(run) = execution {
        if !same {
            return tree(run, Some(run), collection);
        }
        native.extend(fields(run));
    }
    let children = match execution {
        Some(run) if std::ptr::eq(run, winning) => {
            inputs(run).map(|input| tree(input, Some(input), collection)).collect()
        }
        Some(run) => {
            let planned: Vec<_> = inputs(winning).collect();
            let ran: Vec<_> = inputs(run).collect();
            if planned.len() == ran.len() {
                planned
                    .into_iter()
                    .zip(ran)
                    .map(|(planned, ran)| shard_or_stage(planned, Some(ran), collection))
                    .collect()
            } else {
                ran.into_iter().map(|ran| shard_or_stage(ran, Some(ran), collection)).collect()
            }
        }
        None => inputs(winning).map(|input| shard_or_stage(input, None, collection)).collect(),
    };
    build(native, children, collection)
}

/// A shard's entry wraps its plan: `{shardName, winningPlan}` and `{shardName, executionStages}`.
fn shard_or_stage(planned: &Json, ran: Option<&Json>, collection: Option<&str>) -> PlanNode {
    let Some(name) = planned.get("shardName").and_then(Json::as_str) else {
        return tree(planned, ran, collection);
    };
    let winning = planned
        .get("winningPlan")
        .or_else(|| planned.get("executionStages"))
        .unwrap_or(&Json::Null);
    let execution = ran.and_then(|ran| ran.get("executionStages"));
    let collection =
        planned.get("namespace").and_then(Json::as_str).map(collection_of).or(collection);
    let mut child = match winning.get("queryPlan") {
        Some(query_plan) => super::slots::tree(query_plan, execution, collection),
        None => tree(winning, execution, collection),
    };
    child.role = Some(name.to_string());
    child
}

/// A node's inputs, in the server's order.
pub(super) fn inputs(node: &Json) -> impl Iterator<Item = &Json> {
    INPUTS.iter().filter_map(|key| node.get(*key)).flat_map(|input| match input {
        Json::Array(items) => items.iter().collect::<Vec<_>>(),
        Json::Object(_) => vec![input],
        _ => Vec::new(),
    })
}

/// A node's fields without its inputs.
pub(super) fn fields(node: &Json) -> Map<String, Json> {
    match node {
        Json::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !INPUTS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        _ => Map::new(),
    }
}

/// The neutral node for a stage whose fields are known.
pub(super) fn build(
    mut native: Map<String, Json>,
    children: Vec<PlanNode>,
    collection: Option<&str>,
) -> PlanNode {
    // A plan that was never run has no stage name: the whole is empty.
    let op = text(&native, "stage").unwrap_or("UNKNOWN").to_string();
    let own_reads = whole(&native, "docsExamined");
    let below: Option<u64> = sum_whole(children.iter().map(|child| child.reads));
    let index = match (text(&native, "indexName"), op.as_str()) {
        (Some(name), _) => Some(name.to_string()),
        // Looking up one _id does not name the index it always goes through.
        (None, "IDHACK") => Some("_id_".to_string()),
        (None, _) => None,
    };
    let reads_collection = children.is_empty() && op != "EOF" && op != "UNKNOWN"
        || op.starts_with("FETCH")
        || own_reads.is_some();
    let total_ms = milliseconds(&native);
    let below_ms: f64 = children.iter().filter_map(|child| child.total_ms).sum();
    let returned = number(&native, "nReturned").or_else(|| number(&native, "advanced"));
    let details = details(&native);
    let removed = removed(&native, &op, returned);
    // A count's answer is not a row of its own in the server's books.
    if let Some(counted) = native.get("nCounted").cloned() {
        native.entry("counted").or_insert(counted);
    }
    PlanNode {
        relation: collection.filter(|_| reads_collection).map(str::to_string),
        index,
        details,
        estimated_rows: number(&native, "cardinalityEstimate"),
        actual_rows: returned,
        loops: returned.and(Some(whole(&native, "opens").unwrap_or(1))),
        self_ms: total_ms.map(|total| (total - below_ms).max(0.0)),
        total_ms,
        reads: sum_whole([own_reads, below]),
        keys: whole(&native, "keysExamined"),
        removed,
        role: None,
        alias: None,
        children,
        native: Json::Object(native),
        op,
    }
}

/// Rows a filter threw away: what was examined and did not come out.
fn removed(native: &Map<String, Json>, op: &str, returned: Option<f64>) -> Option<u64> {
    let filters = native.contains_key("filter") || op == "COLLSCAN";
    let examined = match op {
        "IXSCAN" => whole(native, "keysExamined"),
        _ => whole(native, "docsExamined"),
    }?;
    if filters { Some(examined.saturating_sub(returned? as u64)) } else { None }
}

/// Conditions, bounds and sort keys, as a person reads them.
fn details(native: &Map<String, Json>) -> Vec<String> {
    let mut found = Vec::new();
    let mut put = |label: &str, value: &Json| {
        let text = short(value);
        found.push(format!("{label}: {text}"));
    };
    for (key, label) in [
        ("keyPattern", "Keys"),
        ("indexBounds", "Bounds"),
        ("filter", "Filter"),
        ("sortPattern", "Sort"),
        ("limitAmount", "Limit"),
        ("skipAmount", "Skip"),
        ("transformBy", "Fields"),
        ("collation", "Collation"),
        ("strategy", "Strategy"),
        ("foreignCollection", "From"),
        ("localField", "Local field"),
        ("foreignField", "Foreign field"),
    ] {
        // Servers up to 5.0 count skipAmount down to 0 while they run.
        let counted = |value: &Json| key == "skipAmount" && value.as_i64() == Some(0);
        if let Some(value) = native.get(key).filter(|value| !counted(value)) {
            put(label, value);
        }
    }
    if native.get("isMultiKey") == Some(&Json::Bool(true)) {
        found.push("Multikey".into());
    }
    if native.get("usedDisk") == Some(&Json::Bool(true)) {
        found.push("Used disk".into());
    }
    found
}

/// The value in shell syntax on one line, cut where it is very long.
pub fn short(value: &Json) -> String {
    const LONGEST: usize = 400;
    let mut text = match value {
        Json::String(text) => text.clone(),
        other => match bson::Bson::try_from(other.clone()) {
            Ok(value) => {
                let printed = crate::command::print_value(&value);
                let mut flat = String::with_capacity(printed.len());
                for line in printed.lines() {
                    if !flat.is_empty() {
                        flat.push(' ');
                    }
                    flat.push_str(line.trim_start());
                }
                flat
            }
            Err(_) => other.to_string(),
        },
    };
    if text.len() > LONGEST {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The stage's time with its inputs', in milliseconds; newer servers count finer.
pub(super) fn milliseconds(native: &Map<String, Json>) -> Option<f64> {
    number(native, "executionTimeNanos")
        .map(|nanos| nanos / 1e6)
        .or_else(|| number(native, "executionTimeMicros").map(|micros| micros / 1e3))
        .or_else(|| number(native, "executionTimeMillisEstimate"))
        .or_else(|| number(native, "executionTimeMillis"))
}

/// `shop.orders` without its database.
pub(super) fn collection_of(namespace: &str) -> &str {
    namespace.split_once('.').map_or(namespace, |(_, collection)| collection)
}

pub(super) fn text<'n>(native: &'n Map<String, Json>, key: &str) -> Option<&'n str> {
    native.get(key).and_then(Json::as_str)
}

pub(super) fn number(native: &Map<String, Json>, key: &str) -> Option<f64> {
    native.get(key).and_then(Json::as_f64)
}

pub(super) fn whole(native: &Map<String, Json>, key: &str) -> Option<u64> {
    native.get(key).and_then(as_whole)
}

/// A count, also where the server or a shell made a double of it.
pub(super) fn as_whole(value: &Json) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

/// The sum of what is known; `None` when nothing is.
pub(super) fn sum_whole(numbers: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    numbers.into_iter().flatten().reduce(u64::saturating_add)
}

/// The sum of what is known; `None` when nothing is.
pub(super) fn sum(numbers: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    numbers.into_iter().flatten().reduce(|a, b| a + b)
}
