//! The plan as a tree, with the nodes marked where the time goes.

use std::collections::HashSet;

use marula_core::{Engine, Finding, NodePath, Plan, PlanNode};

use super::super::Look;
use super::numbers::{duration, percent, short};
use super::paint::Ink;
use super::{heading, text};

/// Above this many nodes, what is cold is left out unless asked for.
const MANY: usize = 60;
/// A node is hot with this share of the whole time.
const HOT: f64 = 0.1;
/// Deeper trees are not indented further.
const DEEPEST: usize = 16;

/// The plan under its heading.
pub fn plan(plan: &Plan, findings: &[Finding], look: &Look, out: &mut String) {
    let how = match (plan.executed, plan.execution_ms) {
        (true, Some(ms)) => format!("ran in {}", duration(ms)),
        (true, None) => "ran".into(),
        (false, _) => "estimated, not run".into(),
    };
    let version = plan.version.map(|version| format!(" {version}")).unwrap_or_default();
    heading(&format!("Plan ({}{version}, {how})", plan.engine.title()), look, out);
    out.push_str(&look.paint.ink(Ink::Faint, head(plan, look).trim_end()));
    out.push('\n');

    let nodes = plan.tree.walk();
    let whole = plan.tree.total_ms.or(plan.execution_ms).unwrap_or(0.0);
    let found: HashSet<&NodePath> = findings.iter().filter_map(|f| f.place.node.as_ref()).collect();
    let all = look.verbose || nodes.len() <= MANY;
    let kept = if all { HashSet::new() } else { worth_showing(&nodes, whole, &found) };
    let last: HashSet<NodePath> = last_children(&nodes);
    let mut hidden = 0;
    for (path, node) in &nodes {
        if !all && !kept.contains(path) {
            hidden += 1;
            continue;
        }
        one(path, node, &last, whole, found.contains(path), plan, look, out);
    }
    if hidden > 0 {
        let line = format!(
            "  … {} where little time goes; -v shows them",
            text::counted(hidden, "more node", "more nodes")
        );
        out.push_str(&look.paint.ink(Ink::Faint, &line));
        out.push('\n');
    }
}

/// Hot nodes and nodes with findings, the way to them, and their inputs.
fn worth_showing(
    nodes: &[(NodePath, &PlanNode)],
    whole: f64,
    found: &HashSet<&NodePath>,
) -> HashSet<NodePath> {
    let mut kept = HashSet::new();
    let mut hottest: Vec<_> = nodes.iter().collect();
    hottest.sort_by(|a, b| share(b.1, whole).total_cmp(&share(a.1, whole)));
    for (at, (path, node)) in hottest.into_iter().enumerate() {
        let hot = at < MANY / 3 && share(node, whole) >= 0.01;
        if hot
            || (path.len() <= 2 && kept.len() < MANY)
            || (found.contains(path) && kept.len() < MANY * 2)
        {
            // The way is walked up only as far as it is new, so the whole stays linear.
            let mut up = path.clone();
            while kept.insert(up.clone()) && up.pop().is_some() {}
        }
        if kept.len() > MANY * 4 {
            break;
        }
    }
    kept
}

fn share(node: &PlanNode, whole: f64) -> f64 {
    if whole > 0.0 { node.self_ms.unwrap_or(0.0) / whole } else { 0.0 }
}

fn last_children(nodes: &[(NodePath, &PlanNode)]) -> HashSet<NodePath> {
    let parents =
        nodes.iter().filter(|(path, node)| path.len() < DEEPEST && !node.children.is_empty());
    parents
        .map(|(path, node)| path.iter().copied().chain([node.children.len() - 1]).collect())
        .collect()
}

/// The columns right of the tree: time, share, rows, expected rows.
fn head(plan: &Plan, look: &Look) -> String {
    let mut line = text::left("", tree_width(plan, look));
    if plan.executed {
        line.push_str(&format!("{:>9}{:>6}", "time", ""));
        line.push_str(&format!("{:>9}", "rows"));
    }
    if plan.engine == Engine::Postgres || !plan.executed {
        line.push_str(&format!("{:>10}", "expected"));
    }
    if plan.executed {
        line.push_str(&format!(
            "{:>9}",
            if plan.engine == Engine::Postgres { "buffers" } else { "read" }
        ));
    }
    line
}

fn tree_width(plan: &Plan, look: &Look) -> usize {
    let columns = match (plan.executed, plan.engine) {
        (true, Engine::Postgres) => 43,
        (true, Engine::Mongodb) => 33,
        (false, _) => 10,
    };
    look.width.min(140).saturating_sub(columns).max(24)
}

#[allow(clippy::too_many_arguments)] // one line of the tree needs all of them
fn one(
    path: &NodePath,
    node: &PlanNode,
    last: &HashSet<NodePath>,
    whole: f64,
    found: bool,
    plan: &Plan,
    look: &Look,
    out: &mut String,
) {
    let share = share(node, whole);
    let hot = share >= HOT;
    let room = tree_width(plan, look);
    let branch = branch(path, last);
    let mark = if hot || found { "● " } else { "" };
    let role = node
        .role
        .as_deref()
        .filter(|role| !matches!(*role, "Outer" | "Inner" | "Subquery" | "Member"));
    let role = role.map(|role| format!("{role}: ")).unwrap_or_default();
    let label = text::cut(
        &format!("{mark}{role}{}", name(node)),
        room.saturating_sub(text::width(&branch)).max(8),
    );
    let ink = if share >= 0.3 { Ink::Bad } else { Ink::Warn };
    let padding = " ".repeat(room.saturating_sub(text::width(&branch) + text::width(&label)));
    let label = if hot { look.paint.ink(ink, &label) } else { label };
    let mut line = format!("{branch}{label}{padding}");

    if plan.executed {
        let time = node.self_ms.map(duration).unwrap_or_default();
        let part = if node.self_ms.is_some() && whole > 0.0 {
            percent(share.min(1.0))
        } else {
            String::new()
        };
        line.push_str(&format!(
            "{time:>9}{:>6}",
            if share >= 0.005 { part } else { String::new() }
        ));
        line.push_str(&format!("{:>9}", node.actual_rows.map(rows).unwrap_or_default()));
    }
    if plan.engine == Engine::Postgres || !plan.executed {
        line.push_str(&format!("{:>10}", node.estimated_rows.map(rows).unwrap_or_default()));
    }
    if plan.executed {
        line.push_str(&format!("{:>9}", node.reads.map(short).unwrap_or_default()));
    }
    text::push_line(out, &line);

    let below = below(path, last, !node.children.is_empty());
    let mut details: Vec<String> = node.details.iter().map(|line| text::flat(line)).collect();
    if let Some(loops) = node.loops.filter(|loops| *loops > 1) {
        details.push(format!("run {} times", super::numbers::grouped(loops)));
    }
    if let Some(removed) = node.removed.filter(|removed| *removed > 0) {
        details.push(format!("rows thrown away: {}", super::numbers::grouped(removed)));
    }
    if let Some(keys) = node.keys.filter(|keys| *keys > 0) {
        details.push(format!("index entries examined: {}", super::numbers::grouped(keys)));
    }
    let shown = if look.verbose { details.len() } else { 6 };
    for detail in details.iter().take(shown) {
        let room = look.width.saturating_sub(text::width(&below) + 2).max(16);
        let detail = look.paint.ink(Ink::Faint, &text::cut(detail, room));
        text::push_line(out, &format!("{below}  {detail}"));
    }
}

/// `Index Scan using orders_pkey on shop.orders o`.
pub fn name(node: &PlanNode) -> String {
    let mut name = text::flat(&node.op);
    if let Some(index) = &node.index {
        name.push_str(&format!(" using {index}"));
    }
    if let Some(relation) = &node.relation {
        name.push_str(&format!(" on {relation}"));
        if let Some(alias) = node.alias.as_deref().filter(|alias| !relation.ends_with(alias)) {
            name.push_str(&format!(" {alias}"));
        }
    }
    name
}

fn rows(number: f64) -> String {
    short(number.round().clamp(0.0, 1e18) as u64)
}

/// The lines that lead from the parents to a node.
fn branch(path: &NodePath, last: &HashSet<NodePath>) -> String {
    let mut line = stems(path, last, path.len().saturating_sub(1));
    if path.is_empty() {
        return line;
    }
    if path.len() > DEEPEST {
        line.push_str(&format!("⋯{} ", path.len()));
    } else {
        line.push_str(if last.contains(path) { "└─ " } else { "├─ " });
    }
    line
}

/// The lines that go on below a node, beside its details.
fn below(path: &NodePath, last: &HashSet<NodePath>, children: bool) -> String {
    let stem = stems(path, last, path.len());
    format!("{stem}{}", if children && path.len() < DEEPEST { "│" } else { " " })
}

fn stems(path: &NodePath, last: &HashSet<NodePath>, depth: usize) -> String {
    let mut line = String::from("  ");
    for at in 1..=depth.min(DEEPEST) {
        line.push_str(if last.contains(&path[..at]) { "   " } else { "│  " });
    }
    line
}
