//! What a plan's node costs of the whole: in time when the statement ran, in the planner's units
//! when it did not.

use marula_core::{Plan, PlanNode};

/// A number of the node as PostgreSQL prints it.
pub(super) fn number(node: &PlanNode, key: &str) -> Option<f64> {
    node.native.get(key)?.as_f64()
}

/// A word of the node as PostgreSQL prints it.
pub(super) fn text<'a>(node: &'a PlanNode, key: &str) -> Option<&'a str> {
    node.native.get(key)?.as_str()
}

/// What a node does, whatever its form: a parallel scan is a scan, a hash semi-join a hash join.
pub(super) fn operation(node: &PlanNode) -> &str {
    let op = node.op.strip_prefix("Parallel ").unwrap_or(&node.op);
    let op = op.strip_suffix(" Backward").unwrap_or(op);
    match op {
        op if op.starts_with("Nested Loop") => "Nested Loop",
        op if op.ends_with(" Join") && op.starts_with("Hash ") => "Hash Join",
        op if op.ends_with(" Join") && op.starts_with("Merge ") => "Merge Join",
        op if op.ends_with("Aggregate") => "Aggregate",
        op => op,
    }
}

/// The whole statement's time in milliseconds, when it ran with timing.
pub(super) fn total_ms(plan: &Plan) -> Option<f64> {
    plan.executed.then_some(())?;
    plan.tree.total_ms.or(plan.execution_ms)
}

/// The node's own share of the statement, without its inputs: 0 to 1.
pub(super) fn share(plan: &Plan, node: &PlanNode) -> f64 {
    match (total_ms(plan), node.self_ms) {
        (Some(total), Some(own)) if total > 0.0 => (own / total).clamp(0.0, 1.0),
        _ => cost_share(plan, node, true),
    }
}

/// The node's share with everything below it: 0 to 1.
pub(super) fn share_below(plan: &Plan, node: &PlanNode) -> f64 {
    match (total_ms(plan), node.total_ms) {
        (Some(total), Some(below)) if total > 0.0 => (below / total).clamp(0.0, 1.0),
        _ => cost_share(plan, node, false),
    }
}

fn cost_share(plan: &Plan, node: &PlanNode, own: bool) -> f64 {
    let cost = |node: &PlanNode| number(node, "Total Cost").unwrap_or(0.0);
    let whole = cost(&plan.tree);
    let below: f64 = if own { node.children.iter().map(cost).sum() } else { 0.0 };
    if whole <= 0.0 { 0.0 } else { ((cost(node) - below) / whole).clamp(0.0, 1.0) }
}

/// Rows it gave over all loops; the estimate when it did not run.
pub(super) fn rows(node: &PlanNode) -> f64 {
    node.actual_rows.or(node.estimated_rows).unwrap_or(0.0)
}

/// Rows a filter threw away, over all loops.
pub(super) fn removed(node: &PlanNode) -> f64 {
    node.removed.unwrap_or(0) as f64
}
