//! What a run costs, by what the server counts and not by the clock, which wobbles.
//!
//! The weights are those of a cached collection on 6.0: 100,000 documents read from end to end
//! take 27 ms; 20,000 found by an index and fetched one by one 37 ms, of which their keys take 5;
//! sorting 20,000 takes 14 ms. So fetching costs five to six times what reading in passing does.
//! Where documents lie in the order of the index, or are large, it is less: it counts as three.

use marula_core::{Plan, PlanNode};

use crate::mongodb::context::native_number;

/// What fetching a document by its place costs, where reading one in passing costs 1.
pub(super) const FETCHED: f64 = 3.0;
/// What a key costs.
pub(super) const KEY: f64 = 0.5;
/// What sorting a document costs.
const SORTED: f64 = 1.0;

/// What a wording of a statement costs in some state.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    /// What is compared, in documents read in passing. Infinite when it did not finish.
    pub value: f64,
    /// Keys and documents examined, as the server counts them.
    pub examined: u64,
    /// The plan it ran by.
    pub plan: Plan,
}

impl Cost {
    /// Of a run by this plan; `counted` is what the storage engine counted where the server's own
    /// counters leave out a part.
    pub fn of(plan: Plan, counted: Option<f64>) -> Cost {
        let reads = plan.summary.reads.unwrap_or(0);
        let keys = plan.summary.keys.unwrap_or(0);
        let (mut passing, mut sorted) = (0.0, 0.0);
        for (_, node) in plan.tree.walk() {
            passing += in_passing(node);
            if matches!(node.op.as_str(), "SORT" | "sort" | "$sort" | "SORT_KEY_GENERATOR") {
                sorted += node.children.iter().filter_map(|child| child.actual_rows).sum::<f64>();
            }
        }
        let fetched = (reads as f64 - passing).max(0.0);
        let read = passing + FETCHED * fetched + KEY * keys as f64;
        let value = match plan.executed {
            false => f64::INFINITY,
            true => counted.unwrap_or(read) + SORTED * sorted + 1.0,
        };
        Cost { value, examined: reads.saturating_add(keys), plan }
    }
}

/// The documents a node reads from end to end of a collection, without its inputs.
fn in_passing(node: &PlanNode) -> f64 {
    let count = |key: &str| native_number(node, key).unwrap_or(0.0);
    match node.op.as_str() {
        "COLLSCAN" => node.reads.map_or(0.0, |reads| reads as f64),
        _ if count("collectionScans") > 0.0 => count("totalDocsExamined"),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use marula_core::{Engine, Json, PlanSummary};

    use super::*;

    fn plan(reads: u64, keys: u64, tree: PlanNode) -> Plan {
        Plan {
            engine: Engine::Mongodb,
            version: None,
            executed: true,
            planning_ms: None,
            execution_ms: None,
            summary: PlanSummary { reads: Some(reads), keys: Some(keys), ..PlanSummary::default() },
            tree,
        }
    }

    fn node(op: &str, reads: u64) -> PlanNode {
        PlanNode { op: op.into(), reads: Some(reads), ..PlanNode::default() }
    }

    #[test]
    fn a_quarter_of_a_collection_is_as_dear_by_an_index_as_reading_all_of_it() {
        let scan = Cost::of(plan(10_000, 0, node("COLLSCAN", 10_000)), None);
        let by_index = |part| Cost::of(plan(part, part, node("FETCH", part)), None).value;
        assert!(by_index(2000) < scan.value && scan.value < by_index(4000), "{}", scan.value);
        assert_eq!(Cost::of(plan(5, 5, node("FETCH", 5)), None).examined, 10);
    }

    #[test]
    fn what_a_lookup_reads_in_passing_is_told_from_what_it_fetches() {
        let lookup = |scans: u64| PlanNode {
            native: Json::from_iter([
                ("collectionScans".to_string(), Json::from(scans)),
                ("totalDocsExamined".to_string(), Json::from(900)),
            ]),
            ..node("$lookup", 900)
        };
        let value = |scans| Cost::of(plan(900, 0, lookup(scans)), None).value;
        assert!(value(0) > value(9) * 2.5, "{} {}", value(0), value(9));
    }
}
