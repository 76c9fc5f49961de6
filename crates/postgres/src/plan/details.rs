use std::collections::HashSet;

use marula_core::{Json, PlanNode, PlanSummary};

use super::tree::{number, text, whole};

/// What a node says of itself, in the order in which EXPLAIN's text form has it.
const KEYS: &[&str] = &[
    "Index Cond",
    "Recheck Cond",
    "TID Cond",
    "Order By",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "One-Time Filter",
    "Filter",
    "Sort Key",
    "Presorted Key",
    "Group Key",
    "Cache Key",
    "Cache Mode",
    "Run Condition",
    "Function Call",
    "Table Function Call",
    "Remote SQL",
    "Workers Planned",
    "Workers Launched",
    "Heap Fetches",
    "Exact Heap Blocks",
    "Lossy Heap Blocks",
    "Subplans Removed",
];

/// The node's conditions, keys and memory, one line each.
pub(super) fn lines(native: &Json) -> Vec<String> {
    let mut lines: Vec<String> = KEYS
        .iter()
        .filter_map(|key| Some(format!("{key}: {}", shown(native.get(key)?)?)))
        .collect();
    for set in native.get("Grouping Sets").and_then(Json::as_array).into_iter().flatten() {
        lines.extend(set.get("Sort Key").and_then(shown).map(|keys| format!("Sort Key: {keys}")));
        for (key, name) in [("Hash Keys", "Hash Key"), ("Group Keys", "Group Key")] {
            for keys in set.get(key).and_then(Json::as_array).into_iter().flatten() {
                let keys = shown(keys).filter(|keys| !keys.is_empty());
                lines.push(format!("{name}: {}", keys.unwrap_or_else(|| "()".into())));
            }
        }
    }
    if let Some(method) = text(native, "Sort Method") {
        let used = number(native, "Sort Space Used").map(whole);
        let place = text(native, "Sort Space Type");
        lines.push(match (place, used) {
            (Some(place), Some(used)) => format!("Sort Method: {method}  {place}: {used}kB"),
            _ => format!("Sort Method: {method}"),
        });
    }
    if let Some(batches) = number(native, "Hash Batches") {
        lines.push(format!("Batches: {batches}"));
    }
    if let Some(batches) = number(native, "HashAgg Batches").filter(|batches| *batches > 1.0) {
        lines.push(format!("Batches: {batches}"));
    }
    if let Some(disk) = number(native, "Disk Usage").filter(|disk| *disk > 0.0) {
        lines.push(format!("Disk Usage: {disk}kB"));
    }
    if native.get("Disabled").and_then(Json::as_bool) == Some(true) {
        lines.push("Disabled: true".into());
    }
    lines
}

fn shown(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => {
            number.as_f64().filter(|number| *number != 0.0).map(|_| number.to_string())
        }
        Json::Bool(value) => Some(value.to_string()),
        Json::Array(parts) => {
            Some(parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

/// The plan in a few numbers.
pub(super) fn summary(root: &PlanNode) -> PlanSummary {
    let mut summary = PlanSummary {
        returned: root.actual_rows.or(root.estimated_rows).map(whole),
        reads: root.reads,
        ..PlanSummary::default()
    };
    let (mut indexes, mut scans) = (HashSet::new(), HashSet::new());
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if let Some(index) = node.index.as_ref().filter(|index| indexes.insert(*index)) {
            summary.indexes.push(index.clone());
        }
        if node.op == "Seq Scan"
            && let Some(relation) = node.relation.as_ref().filter(|name| scans.insert(*name))
        {
            summary.scans.push(relation.clone());
        }
        summary.sort_in_memory |= matches!(node.op.as_str(), "Sort" | "Incremental Sort");
        summary.spilled |= spilled(&node.native);
        open.extend(node.children.iter().rev());
    }
    summary
}

fn spilled(native: &Json) -> bool {
    let above = |key: &str, limit: f64| number(native, key).is_some_and(|value| value > limit);
    text(native, "Sort Space Type") == Some("Disk")
        || native.pointer("/Full-sort Groups/Sort Space Disk").is_some()
        || native.pointer("/Pre-sorted Groups/Sort Space Disk").is_some()
        || text(native, "Storage") == Some("Disk")
        || above("Hash Batches", 1.0)
        || above("HashAgg Batches", 1.0)
        || above("Disk Usage", 0.0)
        || above("Temp Written Blocks", 0.0)
        || native.get("Workers").and_then(Json::as_array).is_some_and(|workers| {
            workers.iter().any(|worker| text(worker, "Sort Space Type") == Some("Disk"))
        })
}
