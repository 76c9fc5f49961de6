//! How rules put what they found into words and numbers.

use marula_core::{Evidence, NodePath, Place, PlanNode, Severity};

use crate::{Draft, Proposal};

/// Where a node is.
pub fn place(path: &NodePath, node: &PlanNode) -> Place {
    Place {
        relation: node.relation.clone(),
        index: node.index.clone(),
        node: Some(path.clone()),
        op: Some(node.op.clone()),
        ..Place::default()
    }
}

/// How much a share of the time matters.
pub fn severity(share: f64) -> Severity {
    match share {
        share if share >= 0.3 => Severity::High,
        share if share >= 0.1 => Severity::Medium,
        _ => Severity::Low,
    }
}

/// A finding at a node.
pub fn draft(
    (path, node): (&NodePath, &PlanNode),
    share: f64,
    title: String,
    evidence: Vec<Evidence>,
    explanation: impl Into<String>,
    proposals: Vec<Proposal>,
) -> Draft {
    Draft {
        rule: "",
        severity: severity(share),
        title,
        place: place(path, node),
        evidence,
        explanation: explanation.into(),
        share,
        proposals,
    }
}

/// `12,345`.
pub fn count(value: f64) -> String {
    marula_core::grouped(value.max(0.0).round() as u64)
}
