//! One file per rule. A new rule is its file, and one line in [`ALL`].

mod asked;
mod collation;
mod collection_scan;
mod count_miss;
mod distinct_miss;
mod facet;
mod fetch_filter;
mod in_explode;
mod javascript;
mod key_waste;
mod late_match;
mod limits;
mod lookup_scan;
mod memory_sort;
mod multikey_half_bounds;
mod negation;
mod open_prefix;
mod or_scan;
mod partial_miss;
mod plan_race;
mod regex;
mod scatter;
mod skip;
mod slow_pipeline;
mod spill;
mod type_mismatch;
mod uncovered;
mod unused_lookup;
mod window_match;
mod write_scan;

use marula_core::{Json, PlanNode};

use super::Context;
use super::context::native;
use crate::Rule;

/// Every rule.
pub(super) static ALL: &[&Rule<Context>] = &[
    &collection_scan::RULE,
    &lookup_scan::RULE,
    &memory_sort::RULE,
    &spill::RULE,
    &fetch_filter::RULE,
    &key_waste::RULE,
    &open_prefix::RULE,
    &regex::RULE,
    &negation::RULE,
    &in_explode::RULE,
    &or_scan::RULE,
    &skip::RULE,
    &uncovered::RULE,
    &facet::RULE,
    &write_scan::RULE,
    &late_match::RULE,
    &unused_lookup::RULE,
    &window_match::RULE,
    &distinct_miss::RULE,
    &multikey_half_bounds::RULE,
    &collation::RULE,
    &partial_miss::RULE,
    &count_miss::RULE,
    &plan_race::RULE,
    &limits::RULE,
    &scatter::RULE,
    &javascript::RULE,
    &slow_pipeline::RULE,
    &type_mismatch::RULE,
];

/// Below so many documents or keys for nothing, a plan is good enough.
const ENOUGH: f64 = 500.0;

/// Whether a node reads an index: classic, SBE, clustered or express.
fn reads_index(node: &PlanNode) -> bool {
    node.op.contains("IXSCAN") || matches!(node.op.as_str(), "COUNT_SCAN" | "DISTINCT_SCAN")
}

/// Whether a node reads a collection from end to end.
fn reads_all(node: &PlanNode) -> bool {
    node.op == "COLLSCAN"
}

/// Documents a node read by itself, its children's left out.
fn own_reads(node: &PlanNode) -> Option<f64> {
    let below: u64 = node.children.iter().filter_map(|child| child.reads).sum();
    Some(node.reads?.saturating_sub(below) as f64)
}

/// Index bounds by path, in the order of the index.
fn bounds(node: &PlanNode) -> Vec<(String, Vec<String>)> {
    let Some(Json::Object(bounds)) = native(node, "indexBounds") else { return Vec::new() };
    bounds
        .iter()
        .map(|(path, intervals)| {
            let intervals = intervals.as_array().into_iter().flatten();
            (path.clone(), intervals.filter_map(Json::as_str).map(Into::into).collect())
        })
        .collect()
}

/// Whether intervals let everything through.
fn is_open(intervals: &[String]) -> bool {
    matches!(intervals, [one] if one == "[MinKey, MaxKey]" || one == "[MaxKey, MinKey]")
}

/// A node's filter, as one line of shell syntax, cut where it is very long.
fn filter(node: &PlanNode) -> Option<String> {
    let filter = native(node, "filter")?;
    let empty = filter.as_object().is_some_and(|filter| filter.is_empty());
    (!empty && !filter.is_null()).then(|| marula_mongodb::plan::short(filter))
}

/// Whether a node of one of these operations stands above `path`.
fn below(context: &Context, path: &[usize], wanted: impl Fn(&PlanNode) -> bool) -> bool {
    (0..path.len()).any(|end| context.plan.tree.at(&path[..end]).is_some_and(&wanted))
}
