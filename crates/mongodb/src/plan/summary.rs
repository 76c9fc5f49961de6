//! The plan in a few numbers.

use marula_core::{Json, PlanNode, PlanSummary};

use super::{node, stages};

/// Sums up the tree; `object` is the envelope, for the totals only it has.
pub(super) fn of(object: &Json, tree: &PlanNode) -> PlanSummary {
    let mut summary = PlanSummary::default();
    for (_, found) in tree.walk() {
        let native = &found.native;
        if let Some(index) = &found.index {
            add(&mut summary.indexes, index);
        }
        if let Some(used) = native.get("indexesUsed").and_then(Json::as_array) {
            for index in used.iter().filter_map(Json::as_str) {
                add(&mut summary.indexes, index);
            }
        }
        match found.op.as_str() {
            "COLLSCAN" => {
                if let Some(collection) = &found.relation {
                    add(&mut summary.scans, collection);
                }
            }
            "SORT" | "SORT_KEY_GENERATOR" | "$sort" | "SORT_MERGE_IN_MEMORY" => {
                summary.sort_in_memory = true;
            }
            "EQ_LOOKUP" | "EQ_LOOKUP_UNWIND" => {
                let strategy = native.get("strategy").and_then(Json::as_str);
                if matches!(strategy, Some("NestedLoopJoin" | "HashJoin"))
                    && let Some(collection) = &found.relation
                {
                    add(&mut summary.scans, collection);
                }
            }
            _ => {}
        }
        let scans = native.get("collectionScans").and_then(node::as_whole).unwrap_or(0);
        if scans > 0
            && let Some(body) = native.get(&found.op)
            && let Some(collection) = stages::foreign(&found.op, body)
        {
            add(&mut summary.scans, collection);
        }
        summary.spilled |= native.get("usedDisk") == Some(&Json::Bool(true))
            || native.get("spills").and_then(node::as_whole).is_some_and(|spills| spills > 0);
    }
    let totals = Totals::of(object);
    summary.keys = totals.keys;
    summary.reads = totals.documents;
    summary.returned = returned(object, tree);
    summary
}

fn returned(object: &Json, tree: &PlanNode) -> Option<u64> {
    let stats = object.get("executionStats").and_then(|stats| stats.get("nReturned"));
    stats.and_then(node::as_whole).or_else(|| tree.actual_rows.map(|rows| rows as u64))
}

/// What the envelope counts, summed over cursors, lookups, unions and shards.
#[derive(Default)]
struct Totals {
    keys: Option<u64>,
    documents: Option<u64>,
}

impl Totals {
    fn of(object: &Json) -> Totals {
        let mut totals = Totals::default();
        totals.stats(object);
        for stage in object.get("stages").and_then(Json::as_array).into_iter().flatten() {
            totals.stage(stage);
        }
        for shard in object.get("shards").and_then(Json::as_object).into_iter().flatten() {
            let part = Totals::of(shard.1);
            totals.add(part.keys, part.documents);
        }
        totals
    }

    fn stage(&mut self, stage: &Json) {
        if let Some(cursor) = stages::cursor(stage) {
            self.stats(cursor);
        }
        self.add(
            stage.get("totalKeysExamined").and_then(node::as_whole),
            stage.get("totalDocsExamined").and_then(node::as_whole),
        );
        let union = stage.get("$unionWith").and_then(|union| union.get("pipeline"));
        for inner in union.and_then(Json::as_array).into_iter().flatten() {
            self.stage(inner);
        }
    }

    fn stats(&mut self, object: &Json) {
        if let Some(stats) = object.get("executionStats") {
            self.add(
                stats.get("totalKeysExamined").and_then(node::as_whole),
                stats.get("totalDocsExamined").and_then(node::as_whole),
            );
        }
    }

    fn add(&mut self, keys: Option<u64>, documents: Option<u64>) {
        self.keys = node::sum_whole([self.keys, keys]);
        self.documents = node::sum_whole([self.documents, documents]);
    }
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_string());
    }
}
