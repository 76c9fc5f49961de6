//! A plan as a few lines of text: a model reads those better than a tree of JSON.

use marula_core::{Plan, PlanNode};

use crate::text;

/// The most lines.
const LINES: usize = 60;

/// The plan, one line a node, children below their parents.
pub fn text(plan: &Plan) -> String {
    let nodes = plan.tree.walk();
    let mut out = String::new();
    for (path, node) in nodes.iter().take(LINES) {
        out.push_str(&"  ".repeat(path.len().min(30)));
        out.push_str(&line(node));
        out.push('\n');
    }
    if nodes.len() > LINES {
        out.push_str(&format!("({} nodes more)\n", nodes.len() - LINES));
    }
    out
}

fn line(node: &PlanNode) -> String {
    let mut out = node.op.clone();
    if let Some(relation) = &node.relation {
        out.push_str(&format!(" on {relation}"));
    }
    if let Some(index) = &node.index {
        out.push_str(&format!(" using {index}"));
    }
    let mut numbers = Vec::new();
    match (node.actual_rows, node.estimated_rows) {
        (Some(actual), Some(estimated)) => {
            numbers.push(format!("rows {actual:.0}, expected {estimated:.0}"));
        }
        (Some(actual), None) => numbers.push(format!("rows {actual:.0}")),
        (None, Some(estimated)) => numbers.push(format!("expected rows {estimated:.0}")),
        (None, None) => {}
    }
    if let Some(removed) = node.removed.filter(|removed| *removed > 0) {
        numbers.push(format!("thrown away {removed}"));
    }
    if let Some(ms) = node.total_ms {
        numbers.push(format!("{ms:.1} ms"));
    }
    if let Some(reads) = node.reads {
        numbers.push(format!("reads {reads}"));
    }
    if !numbers.is_empty() {
        out.push_str(&format!(" ({})", numbers.join("; ")));
    }
    if let Some(detail) = node.details.first() {
        out.push_str(&format!("  {}", text::cut(detail, 160)));
    }
    out
}
