//! The slot-based engine (SBE): its plan is told in classic nodes (`queryPlan`), its counts in
//! execution stages of its own, joined to the plan by `planNodeId`.

use std::collections::HashMap;

use marula_core::{Json, PlanNode};
use serde_json::Map;

use super::node;

/// The execution stages of one plan node, outermost first.
type Executed<'j> = HashMap<u64, Vec<&'j Json>>;

/// The tree of a `queryPlan`, with the counts of its execution stages.
pub(super) fn tree(
    query_plan: &Json,
    execution: Option<&Json>,
    collection: Option<&str>,
) -> PlanNode {
    let mut executed = Executed::new();
    if let Some(root) = execution {
        let mut open = vec![root];
        while let Some(stage) = open.pop() {
            let id = stage.get("planNodeId").and_then(node::as_whole).unwrap_or(0);
            executed.entry(id).or_default().push(stage);
            let below: Vec<_> = node::inputs(stage).collect();
            open.extend(below.into_iter().rev());
        }
    }
    let mut root = build(query_plan, &executed, collection);
    // What the server sums up at the top (a `$lookup`'s inner reads) belongs to the lookup.
    if let (Some(run), Json::Object(native)) = (execution, &mut root.native) {
        for key in ["collectionScans", "indexesUsed", "totalDocsExamined", "totalKeysExamined"] {
            if let Some(value) = run.get(key) {
                native.entry(key).or_insert_with(|| value.clone());
            }
        }
    }
    root
}

fn build(plan: &Json, executed: &Executed<'_>, collection: Option<&str>) -> PlanNode {
    let mut native = node::fields(plan);
    let id = node::whole(&native, "planNodeId");
    let stages = id.and_then(|id| executed.get(&id)).map(Vec::as_slice).unwrap_or_default();
    if let Some(outermost) = stages.first() {
        counts(&mut native, outermost, stages);
    }
    let children: Vec<_> =
        node::inputs(plan).map(|input| build(input, executed, collection)).collect();
    let mut built = node::build(native, children, collection);
    if built.op.starts_with("EQ_LOOKUP") {
        // It reads the foreign collection, named with its database.
        built.relation = built
            .native
            .get("foreignCollection")
            .and_then(Json::as_str)
            .map(|name| node::collection_of(name).to_string());
    }
    built
}

fn counts(native: &mut Map<String, Json>, outermost: &Json, stages: &[&Json]) {
    let mut put = |key: &str, value: Json| {
        native.entry(key).or_insert(value);
    };
    for key in ["nReturned", "executionTimeMillisEstimate", "executionTimeMicros", "opens"] {
        if let Some(value) = outermost.get(key) {
            put(key, value.clone());
        }
    }
    let of = |names: &[&str], field: &str| {
        node::sum_whole(
            stages
                .iter()
                .filter(|stage| {
                    stage.get("stage").and_then(Json::as_str).is_some_and(|n| names.contains(&n))
                })
                .map(|stage| stage.get(field).and_then(node::as_whole)),
        )
    };
    const DOCUMENTS: &[&str] = &["scan", "seek", "columnscan", "scan_generic"];
    const KEYS: &[&str] = &["ixscan", "ixseek", "ixscan_generic"];
    if let Some(read) = of(DOCUMENTS, "numReads") {
        put("docsExamined", read.into());
    }
    if let Some(read) = of(KEYS, "keysExamined").or_else(|| of(KEYS, "numReads")) {
        put("keysExamined", read.into());
    }
    let strategy = native.get("strategy").and_then(Json::as_str).unwrap_or("").to_string();
    if matches!(strategy.as_str(), "NestedLoopJoin" | "HashJoin")
        && let Some(scans) = of(DOCUMENTS, "opens")
    {
        native.entry("collectionScans").or_insert(scans.into());
    }
    for key in
        ["usedDisk", "spills", "memLimit", "totalDataSizeSorted", "spilledRecords", "spilledBytes"]
    {
        let found = stages.iter().filter_map(|stage| stage.get(key));
        if let Some(value) = found.max_by_key(|value| match value {
            Json::Bool(yes) => u64::from(*yes),
            other => node::as_whole(other).unwrap_or(0),
        }) {
            native.entry(key).or_insert_with(|| value.clone());
        }
    }
}
