//! The envelopes explain comes in: a query planner's object, a list of stages, shards.

use bson::Bson;
use marula_core::{Engine, Error, ErrorKind, Json, Plan, PlanNode, Result, Version};

use super::{SavedPlan, node, slots, stages, summary, text};
use crate::{Command, shell};

/// Reads any envelope.
pub(super) fn read(value: Json) -> Result<SavedPlan> {
    if let Some(tool) = text::foreign_object(&value) {
        return Err(text::foreign(tool));
    }
    let object = unwrap(value)?;
    let tree = tree(&object)?;
    let command = object.get("command").and_then(command);
    let version = find_server_info(&object)
        .and_then(|info| info.get("version"))
        .and_then(Json::as_str)
        .and_then(|version| version.parse::<Version>().ok());
    let executed = has_execution(&object);
    let summary = summary::of(&object, &tree);
    let plan = Plan {
        engine: Engine::Mongodb,
        version,
        executed,
        planning_ms: find_planner(&object)
            .and_then(|planner| planner.get("optimizationTimeMillis"))
            .and_then(Json::as_f64),
        execution_ms: executed.then(|| execution_ms(&object, &tree)).flatten(),
        summary,
        tree,
    };
    Ok(SavedPlan { plan, command })
}

/// Drivers and shells wrap the reply: in a list of one, in a cursor's batch, under a key.
fn unwrap(value: Json) -> Result<Json> {
    let mut value = value;
    for _ in 0..4 {
        match value {
            Json::Array(mut items) if items.len() == 1 => {
                value = items.pop().unwrap_or(Json::Null);
            }
            Json::Object(ref fields) if is_explain(fields) => return Ok(value),
            Json::Object(mut fields) => {
                if fields.get("ok").and_then(Json::as_f64) == Some(0.0) {
                    let said = fields.get("errmsg").and_then(Json::as_str).unwrap_or("");
                    return Err(Error::new(
                        ErrorKind::Syntax,
                        format!("this is the server's refusal to explain, not an explain: {said}"),
                    )
                    .hint("mend the command and explain it again"));
                }
                let inner = ["explain", "explainOutput", "result", "firstBatch", "0"]
                    .iter()
                    .find_map(|key| fields.remove(*key))
                    .or_else(|| fields.get_mut("cursor").map(Json::take));
                match inner {
                    Some(inner) => value = inner,
                    None => return Err(not_an_explain(&fields.into())),
                }
            }
            other => return Err(not_an_explain(&other)),
        }
    }
    Err(not_an_explain(&value))
}

fn is_explain(fields: &serde_json::Map<String, Json>) -> bool {
    fields.contains_key("queryPlanner")
        || fields.get("stages").is_some_and(Json::is_array)
        || fields.get("shards").is_some_and(Json::is_object)
}

fn not_an_explain(value: &Json) -> Error {
    let error = Error::new(ErrorKind::Syntax, "this is no explain of MongoDB");
    match value {
        Json::Object(fields) if fields.contains_key("planSummary") => error
            .hint("a log line or profile entry has only a summary: explain its command instead"),
        Json::Object(fields)
            if ["find", "aggregate", "update", "delete"]
                .iter()
                .any(|name| fields.contains_key(*name)) =>
        {
            error.hint("this is a command: give it as the query, not as --plan")
        }
        Json::Object(fields) if !fields.is_empty() => {
            let keys: Vec<_> = fields.keys().take(5).map(String::as_str).collect();
            error.hint(format!(
                "an explain has queryPlanner, stages or shards; this has {}",
                keys.join(", ")
            ))
        }
        Json::Array(items) if items.len() > 1 => {
            error.hint("this is a list: give one explain at a time")
        }
        _ => error.hint("give the whole output of explain(), from its first { to its last }"),
    }
}

/// The tree of an envelope, or of one shard's part of it.
pub(super) fn tree(object: &Json) -> Result<PlanNode> {
    if let Some(list) = object.get("stages").and_then(Json::as_array) {
        return stages::stack(list);
    }
    if let Some(shards) = object.get("shards").and_then(Json::as_object) {
        return sharded_pipeline(object, shards);
    }
    planner_tree(object)
}

/// `{queryPlanner, executionStats}`: a command's own, or a `$cursor` stage's.
pub(super) fn planner_tree(object: &Json) -> Result<PlanNode> {
    let planner = object.get("queryPlanner").ok_or_else(|| not_an_explain(object))?;
    let collection = planner.get("namespace").and_then(Json::as_str).map(node::collection_of);
    let execution = object.get("executionStats").and_then(|stats| stats.get("executionStages"));
    let Some(winning) = planner.get("winningPlan") else {
        // 4.2's explain of a missing collection, and failed executions, have no plan.
        return Err(Error::new(ErrorKind::Syntax, "the explain has no winning plan")
            .hint("explain it again: the collection may have been missing"));
    };
    let mut root = if let Some(query_plan) = winning.get("queryPlan") {
        slots::tree(query_plan, execution, collection)
    } else {
        node::tree(winning, execution, collection)
    };
    if let (Json::Object(fields), Json::Object(planner)) = (&mut root.native, planner) {
        let mut kept: serde_json::Map<String, Json> = planner
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "winningPlan" | "rejectedPlans"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        // Of the plans that were not taken: which indexes they read, and how all of them scored.
        let rejected = planner.get("rejectedPlans").map(index_names).unwrap_or_default();
        kept.insert("rejectedIndexes".into(), rejected.into());
        let scores = object.get("executionStats").and_then(|stats| stats.get("allPlansExecution"));
        let scores = scores.and_then(Json::as_array).into_iter().flatten();
        let scores: Vec<Json> = scores.filter_map(|plan| plan.get("score")).cloned().collect();
        if !scores.is_empty() {
            kept.insert("scores".into(), scores.into());
        }
        fields.insert("queryPlanner".into(), Json::Object(kept));
    }
    Ok(root)
}

/// The indexes plans read, each once.
fn index_names(plans: &Json) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = vec![plans];
    while let Some(part) = open.pop() {
        match part {
            Json::Object(fields) => {
                if let Some(Json::String(name)) = fields.get("indexName")
                    && !found.contains(name)
                {
                    found.push(name.clone());
                }
                open.extend(fields.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// A sharded aggregate: each shard's tree below one merging node, and what the merging node
/// does on top.
fn sharded_pipeline(object: &Json, shards: &serde_json::Map<String, Json>) -> Result<PlanNode> {
    let mut children = Vec::with_capacity(shards.len());
    for (name, part) in shards {
        let mut child = tree(part)?;
        child.role = Some(name.clone());
        children.push(child);
    }
    let mut native = serde_json::Map::new();
    for key in ["mergeType", "mergeShard", "needsPrimaryShardMerge"] {
        if let Some(value) = object.get(key) {
            native.insert(key.into(), value.clone());
        }
    }
    let single = children.len() == 1;
    let base = PlanNode {
        op: if single { "SINGLE_SHARD" } else { "SHARD_MERGE" }.into(),
        actual_rows: node::sum(children.iter().map(|child| child.actual_rows)),
        reads: node::sum_whole(children.iter().map(|child| child.reads)),
        total_ms: children.iter().filter_map(|child| child.total_ms).reduce(f64::max),
        native: Json::Object(native),
        children,
        ..PlanNode::default()
    };
    let merger = object
        .get("splitPipeline")
        .and_then(|split| split.get("mergerPart"))
        .and_then(Json::as_array);
    Ok(stages::stack_on(base, merger.map(Vec::as_slice).unwrap_or_default()))
}

/// The command an envelope writes down.
fn command(value: &Json) -> Option<Command> {
    match Bson::try_from(value.clone()) {
        Ok(Bson::Document(document)) => shell::from_document(document).ok(),
        _ => None,
    }
}

fn first_cursor(object: &Json) -> Option<&Json> {
    let first = object.get("stages")?.as_array()?.first()?;
    stages::cursor(first)
}

fn first_shard(object: &Json) -> Option<&Json> {
    object.get("shards")?.as_object()?.values().next()
}

pub(super) fn find_planner(object: &Json) -> Option<&Json> {
    object
        .get("queryPlanner")
        .or_else(|| first_cursor(object)?.get("queryPlanner"))
        .or_else(|| find_planner(first_shard(object)?))
}

fn find_server_info(object: &Json) -> Option<&Json> {
    object.get("serverInfo").or_else(|| {
        object
            .get("queryPlanner")
            .and_then(|planner| {
                planner.get("winningPlan")?.get("shards")?.get(0)?.get("serverInfo")
            })
            .or_else(|| first_shard(object)?.get("serverInfo"))
    })
}

fn has_execution(object: &Json) -> bool {
    object.get("executionStats").is_some()
        || first_cursor(object).is_some_and(|cursor| cursor.get("executionStats").is_some())
        || object
            .get("stages")
            .and_then(Json::as_array)
            .is_some_and(|list| list.iter().any(|stage| stage.get("nReturned").is_some()))
        || first_shard(object).is_some_and(has_execution)
}

fn execution_ms(object: &Json, tree: &PlanNode) -> Option<f64> {
    let stats = object.get("executionStats");
    let total = stats.and_then(|stats| stats.get("executionTimeMillis")).and_then(Json::as_f64);
    let cursor = first_cursor(object)
        .and_then(|cursor| cursor.get("executionStats")?.get("executionTimeMillis")?.as_f64());
    let shards = object.get("shards").and_then(Json::as_object).and_then(|shards| {
        shards.values().filter_map(|part| execution_ms(part, &PlanNode::default())).reduce(f64::max)
    });
    // A pipeline's own time is its last stage's, estimated; its cursor's is exact. Neither is
    // more than the whole.
    [total, cursor, shards, tree.total_ms].into_iter().flatten().reduce(f64::max)
}
