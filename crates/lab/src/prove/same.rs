//! Whether two plans of a statement do the same things in the same way.

use marula_core::{Plan, PlanNode};

/// What sets two nodes of the same operation apart, beside their relation and index.
const DECIDED: [&str; 6] = [
    "Join Type",
    "Strategy",
    "Partial Mode",
    "Scan Direction",
    "Workers Planned",
    "Parallel Aware",
];
/// The same, of a plan that was run.
const HAPPENED: [&str; 3] = ["Sort Method", "Hash Batches", "HashAgg Batches"];

/// Whether the same plan ran twice; `None` when one of the two was not run.
///
/// Expected numbers do not count: new statistics change them even where they change nothing else.
pub(super) fn same_plan(a: &Plan, b: &Plan) -> Option<bool> {
    (a.executed && b.executed).then(|| {
        let (a, b) = (a.tree.walk(), b.tree.walk());
        a.len() == b.len()
            && a.iter()
                .zip(&b)
                .all(|((at, one), (other_at, other))| at == other_at && same_node(one, other))
    })
}

fn same_node(a: &PlanNode, b: &PlanNode) -> bool {
    a.op == b.op
        && a.relation == b.relation
        && a.index == b.index
        && spills(a) == spills(b)
        && DECIDED.iter().chain(&HAPPENED).all(|key| a.native.get(*key) == b.native.get(*key))
}

/// Whether it wrote temporary files.
fn spills(node: &PlanNode) -> bool {
    let written = node.native.get("Temp Written Blocks").and_then(marula_core::Json::as_f64);
    written.is_some_and(|blocks| blocks > 0.0)
}
