//! Who the time belongs to.

use std::collections::HashMap;

use marula_core::{Json, PlanNode};

use super::tree::{number, text};

/// Fills `total_ms` and `self_ms`, in wall-clock time.
///
/// A node below Gather runs in several processes at once: its loops are shared among them, so
/// its time is divided by how many there were. The time of an InitPlan or of a WITH query lies
/// within the node that first asks for it, wherever the plan prints it; there it is taken off.
pub(super) fn charge(root: &mut PlanNode) {
    let mut users = HashMap::new();
    find_users(root, &mut users);
    let mut once = HashMap::new();
    totals(root, 1.0, &users, &mut once);
    selves(root, &once);
}

/// What identifies a node while its tree is not changed in shape.
type Id = usize;

fn id(node: &PlanNode) -> Id {
    std::ptr::from_ref(node) as usize
}

/// The first node, in plan order, that reads each WITH query, parameter or InitPlan.
fn find_users(root: &PlanNode, users: &mut HashMap<String, Id>) {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.op == "CTE Scan"
            && let Some(name) = text(&node.native, "CTE Name")
        {
            users.entry(format!("CTE {name}")).or_insert(id(node));
        }
        for line in &node.details {
            for name in mentions(line) {
                users.entry(name).or_insert(id(node));
            }
        }
        open.extend(node.children.iter().rev());
    }
}

/// `$0` and `InitPlan 1` as they stand in a condition.
fn mentions(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('$') {
        let digits: String = line[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            found.push(format!("${digits}"));
        }
    }
    for (at, start) in line.match_indices("InitPlan ") {
        let digits: String =
            line[at + start.len()..].chars().take_while(char::is_ascii_digit).collect();
        found.push(format!("InitPlan {digits}"));
    }
    found
}

/// The names under which a child that runs once on demand is asked for; empty for others.
fn names(child: &PlanNode) -> Vec<String> {
    let Some(role) = child.role.as_deref() else { return Vec::new() };
    if role.starts_with("CTE ") {
        return vec![role.to_string()];
    }
    if !role.starts_with("InitPlan") {
        return Vec::new();
    }
    match role.split_once(" (returns ") {
        Some((_, returns)) => {
            returns.trim_end_matches(')').split(',').map(|name| name.trim().to_string()).collect()
        }
        None => vec![role.to_string()],
    }
}

fn totals(
    node: &mut PlanNode,
    processes: f64,
    users: &HashMap<String, Id>,
    once: &mut HashMap<Id, f64>,
) {
    let time = number(&node.native, "Actual Total Time");
    let loops = number(&node.native, "Actual Loops").unwrap_or(1.0);
    node.total_ms = time.map(|time| time * loops / processes);
    let gather = matches!(node.op.as_str(), "Gather" | "Gather Merge");
    let own = id(node);
    for child in &mut node.children {
        let below = if gather && !is_initplan(child) {
            let shared = number(&child.native, "Actual Loops").unwrap_or(1.0);
            (shared / loops.max(1.0)).max(1.0)
        } else if is_initplan(child) {
            1.0
        } else {
            processes
        };
        totals(child, below, users, once);
        let asked = names(child);
        if !asked.is_empty() {
            let user = asked.iter().find_map(|name| users.get(name)).copied().unwrap_or(own);
            *once.entry(user).or_insert(0.0) += child.total_ms.unwrap_or(0.0);
        }
    }
}

fn is_initplan(child: &PlanNode) -> bool {
    child.native.get("Parent Relationship").and_then(Json::as_str) == Some("InitPlan")
}

fn selves(node: &mut PlanNode, once: &HashMap<Id, f64>) {
    let own = id(node);
    let below: f64 = node
        .children
        .iter()
        .filter(|child| names(child).is_empty())
        .filter_map(|child| child.total_ms)
        .sum();
    let asked = once.get(&own).copied().unwrap_or(0.0);
    node.self_ms = node.total_ms.map(|total| (total - below - asked).max(0.0));
    for child in &mut node.children {
        selves(child, once);
    }
}
