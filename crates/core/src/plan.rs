use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Json, Version};

/// How a server runs a statement: a neutral tree with the engine's own nodes attached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The engine that made it.
    pub engine: Engine,
    /// The server's version, when the plan or the session tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Whether the statement ran: then the nodes carry actual numbers.
    pub executed: bool,
    /// Planning time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planning_ms: Option<f64>,
    /// Execution time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_ms: Option<f64>,
    /// The plan in a few numbers.
    pub summary: PlanSummary,
    /// The root of the tree.
    pub tree: PlanNode,
}

/// The plan in a few numbers, the same for both engines.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// Indexes used, each once, in plan order.
    pub indexes: Vec<String>,
    /// Relations or collections read from end to end, each once, in plan order.
    pub scans: Vec<String>,
    /// Index entries examined; PostgreSQL does not count them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// What was read: buffers (8 kB) hit or read in PostgreSQL, documents in MongoDB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Rows or documents returned; the estimate when the statement did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<u64>,
    /// Whether anything is sorted rather than read in order.
    pub sort_in_memory: bool,
    /// Whether anything went to temporary files.
    pub spilled: bool,
}

/// One operation of a plan. Numbers are totals over all loops, unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNode {
    /// The engine's name for it: `Seq Scan`, `IXSCAN`, `$lookup`.
    pub op: String,
    /// The relation or collection it reads, schema-qualified when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The alias the statement gives the relation, when it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The index it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Conditions, sort keys and bounds as the engine prints them: `Filter: (a > 1)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Rows the planner expected, over all loops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_rows: Option<f64>,
    /// Rows it really gave, over all loops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_rows: Option<f64>,
    /// How often it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loops: Option<u64>,
    /// Its time with its children's, over all loops, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<f64>,
    /// Its time without its children's, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_ms: Option<f64>,
    /// Buffers or documents it read with its children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Index entries examined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Rows read and thrown away by a filter, over all loops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// How it hangs below its parent, when the engine says so: `Inner`, `SubPlan 1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Inputs, in the engine's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<PlanNode>,
    /// The engine's own node without its children. Rules read it; it is not part of reports.
    #[serde(skip)]
    pub native: Json,
}

/// Where a node stands: the child numbers from the root, which is the empty path.
pub type NodePath = Vec<usize>;

impl PlanNode {
    /// Every node with its path, parents before children, left to right.
    pub fn walk(&self) -> Vec<(NodePath, &PlanNode)> {
        let mut found = Vec::new();
        let mut open = vec![(Vec::new(), self)];
        while let Some((path, node)) = open.pop() {
            for (number, child) in node.children.iter().enumerate().rev() {
                let mut below: NodePath = path.clone();
                below.push(number);
                open.push((below, child));
            }
            found.push((path, node));
        }
        found
    }

    /// The node at `path`, if there is one.
    pub fn at(&self, path: &[usize]) -> Option<&PlanNode> {
        path.iter().try_fold(self, |node, number| node.children.get(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_visits_parents_before_children_and_its_paths_lead_back() {
        let leaf = |op: &str| PlanNode { op: op.into(), ..PlanNode::default() };
        let tree = PlanNode {
            op: "Join".into(),
            children: vec![
                PlanNode { children: vec![leaf("Scan a")], ..leaf("Sort") },
                leaf("Scan b"),
            ],
            ..PlanNode::default()
        };
        let walked = tree.walk();
        let ops: Vec<_> = walked.iter().map(|(_, node)| node.op.as_str()).collect();
        assert_eq!(ops, ["Join", "Sort", "Scan a", "Scan b"]);
        for (path, node) in &walked {
            assert_eq!(tree.at(path), Some(*node));
        }
    }
}
