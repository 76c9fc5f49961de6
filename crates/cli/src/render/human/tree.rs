//! The plan as a tree, with the nodes marked where the time goes.

use std::collections::HashSet;

use marula_core::{Engine, Finding, NodePath, Plan, PlanNode};

use super::super::Look;
use super::numbers::{duration, narrow_percent, short};
use super::paint::Ink;
use super::{heading, text};

/// Above this many nodes, what is cold is left out unless asked for.
const MANY: usize = 60;
/// A node is hot with this share of the whole time.
const HOT: f64 = 0.1;
/// Deeper trees are not indented further, not even on the widest screen.
const DEEPEST: usize = 24;
/// Columns a label gets at least.
const LABEL: usize = 16;

/// The plan under its heading.
pub fn plan(plan: &Plan, findings: &[Finding], look: &Look, out: &mut String) {
    let how = match (plan.executed, plan.execution_ms) {
        (true, Some(ms)) => format!("ran in {}", duration(ms)),
        (true, None) => "ran".into(),
        (false, _) => "estimated, not run".into(),
    };
    let version = plan.version.map(|version| format!(" {version}")).unwrap_or_default();
    heading(&format!("Plan ({}{version}, {how})", plan.engine.title()), look, out);

    let nodes = plan.tree.walk();
    let whole = plan.tree.total_ms.or(plan.execution_ms).unwrap_or(0.0);
    let found: HashSet<&NodePath> = findings.iter().filter_map(|f| f.place.node.as_ref()).collect();
    let all = look.verbose || nodes.len() <= MANY;
    let kept = if all { HashSet::new() } else { worth_showing(&nodes, whole, &found) };
    let shown: Vec<_> = nodes.iter().filter(|(path, _)| all || kept.contains(path)).collect();
    let mut drawing =
        Drawing { plan, look, whole, last: last_children(&nodes), room: 0, deepest: 0 };
    drawing.deepest = (look.width.saturating_sub(drawing.columns() + LABEL + 4) / 2).min(DEEPEST);
    drawing.room = drawing.room(&shown, &found);
    out.push_str(&look.paint.ink(Ink::Faint, drawing.head().trim_end()));
    out.push('\n');
    for (path, node) in &shown {
        drawing.one(path, node, found.contains(path), out);
    }
    let hidden = (nodes.len() - shown.len()) as u64;
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

/// What every line of the tree needs.
struct Drawing<'a> {
    plan: &'a Plan,
    look: &'a Look,
    whole: f64,
    last: HashSet<NodePath>,
    /// Columns of the tree; the numbers stand right of it.
    room: usize,
    /// How many levels are indented.
    deepest: usize,
}

impl Drawing<'_> {
    /// What the numbers take.
    fn columns(&self) -> usize {
        let columns = [(self.plan.executed, 24), (self.has_expected(), 10), (self.has_reads(), 8)];
        columns.iter().filter(|(shown, _)| *shown).map(|(_, columns)| columns).sum()
    }

    fn has_expected(&self) -> bool {
        !self.plan.executed || self.plan.engine == Engine::Postgres && self.look.width >= 72
    }

    fn has_reads(&self) -> bool {
        self.plan.executed && self.look.width >= 72
    }

    /// As wide as the widest label, as far as the numbers leave room for it.
    fn room(&self, shown: &[&(NodePath, &PlanNode)], found: &HashSet<&NodePath>) -> usize {
        let widths = shown.iter().map(|(path, node)| {
            let mark = found.contains(path) || share(node, self.whole) >= HOT;
            let label = label(node, mark, usize::MAX).0;
            text::width(&branch(path, &self.last, self.deepest)) + text::width(&label)
        });
        widths.max().unwrap_or(0).min(self.look.width.saturating_sub(self.columns())).max(LABEL)
    }

    /// The heads of the columns right of the tree.
    fn head(&self) -> String {
        let mut line = text::left("", self.room);
        if self.plan.executed {
            line.push_str(&format!("{:>9}{:>6}{:>9}", "own time", "", "rows"));
        }
        if self.has_expected() {
            line.push_str(&format!("{:>10}", "expected"));
        }
        if self.has_reads() {
            let postgres = self.plan.engine == Engine::Postgres;
            line.push_str(&format!("{:>8}", if postgres { "buffers" } else { "read" }));
        }
        line
    }

    fn one(&self, path: &NodePath, node: &PlanNode, found: bool, out: &mut String) {
        let share = share(node, self.whole);
        let hot = share >= HOT;
        let branch = branch(path, &self.last, self.deepest);
        let room = self.room.saturating_sub(text::width(&branch)).max(8);
        let (label, left_out) = label(node, hot || found, room);
        let padding = " ".repeat(room.saturating_sub(text::width(&label)));
        let ink = if share >= 0.3 { Ink::Bad } else { Ink::Warn };
        let label = if hot { self.look.paint.ink(ink, &label) } else { label };
        text::push_line(out, &format!("{branch}{label}{padding}{}", self.numbers(node, share)));

        let below = below(path, &self.last, self.deepest, !node.children.is_empty());
        let details = left_out.into_iter().chain(details(node, self.plan.engine));
        let most = if self.look.verbose { usize::MAX } else { 7 };
        let room = self.look.width.saturating_sub(text::width(&below) + 2).max(16);
        for detail in details.take(most) {
            let detail = self.look.paint.ink(Ink::Faint, &text::cut(&detail, room));
            text::push_line(out, &format!("{below}  {detail}"));
        }
    }

    fn numbers(&self, node: &PlanNode, share: f64) -> String {
        let mut line = String::new();
        if self.plan.executed {
            let time = node.self_ms.map(duration).unwrap_or_default();
            let part = if share >= 0.005 { narrow_percent(share.min(1.0)) } else { String::new() };
            let rows = node.actual_rows.map(rows).unwrap_or_default();
            line.push_str(&format!("{time:>9}{part:>6}{rows:>9}"));
        }
        if self.has_expected() {
            line.push_str(&format!("{:>10}", node.estimated_rows.map(rows).unwrap_or_default()));
        }
        if self.has_reads() {
            line.push_str(&format!("{:>8}", node.reads.map(short).unwrap_or_default()));
        }
        line
    }
}

/// What a node is called in `room` columns. An index whose name does not fit goes to the details.
fn label(node: &PlanNode, marked: bool, room: usize) -> (String, Option<String>) {
    let plain = ["Outer", "Inner", "Subquery", "Member"];
    let role = node.role.as_deref().filter(|role| !plain.contains(role));
    let role = role.map(|role| format!("{}: ", text::flat(role))).unwrap_or_default();
    let mark = if marked { "● " } else { "" };
    let whole = format!("{mark}{role}{}", name(node));
    match &node.index {
        Some(index) if text::width(&whole) > room => {
            let bare = PlanNode {
                op: node.op.clone(),
                relation: node.relation.clone(),
                alias: node.alias.clone(),
                ..PlanNode::default()
            };
            let short = text::cut(&format!("{mark}{role}{}", name(&bare)), room);
            (short, Some(format!("Index: {index}")))
        }
        _ => (text::cut(&whole, room), None),
    }
}

/// Conditions and what has no column of its own.
fn details(node: &PlanNode, engine: Engine) -> Vec<String> {
    let mut details: Vec<String> = node.details.clone();
    let mut count = |number: Option<u64>, least: u64, before: &str, after: &str| {
        if let Some(number) = number.filter(|number| *number >= least) {
            details.push(format!("{before}{}{after}", super::numbers::grouped(number)));
        }
    };
    let things = if engine == Engine::Postgres { "rows" } else { "documents" };
    count(node.loops, 2, "run ", " times");
    count(node.removed, 1, &format!("{things} read and thrown away: "), "");
    count(node.keys, 1, "index entries examined: ", "");
    details
}

/// `Index Scan using orders_pkey on shop.orders o`.
pub fn name(node: &PlanNode) -> String {
    let mut name = text::flat(&node.op);
    if let Some(index) = &node.index {
        name.push_str(&format!(" using {index}"));
    }
    if let Some(relation) = &node.relation {
        // The usual schema says nothing, and takes room.
        let relation = relation.strip_prefix("public.").unwrap_or(relation);
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
fn branch(path: &NodePath, last: &HashSet<NodePath>, deepest: usize) -> String {
    let mut line = stems(path, last, deepest, path.len().saturating_sub(1));
    if path.is_empty() {
        return line;
    }
    if path.len() > deepest {
        line.push_str(&format!("⋯{} ", path.len()));
    } else {
        line.push_str(if last.contains(path) { "└─ " } else { "├─ " });
    }
    line
}

/// The lines that go on below a node, beside its details.
fn below(path: &NodePath, last: &HashSet<NodePath>, deepest: usize, children: bool) -> String {
    let stem = stems(path, last, deepest, path.len());
    format!("{stem}{}", if children && path.len() < deepest { "│ " } else { "  " })
}

fn stems(path: &NodePath, last: &HashSet<NodePath>, deepest: usize, depth: usize) -> String {
    let mut line = String::from("  ");
    for at in 1..=depth.min(deepest) {
        line.push_str(if last.contains(&path[..at]) { "  " } else { "│ " });
    }
    line
}
