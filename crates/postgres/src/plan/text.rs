use marula_core::{Error, ErrorKind, Json, Marked, Result};
use serde_json::{Map, json};

use super::lines::{Line, read_line};
use super::{MAX_LEVELS, SavedPlan, document, node_line, properties, tree, unwrap};

/// Reads a plan in text form.
///
/// # Errors
/// As [`super::parse`].
pub fn parse_text(text: &str) -> Result<SavedPlan> {
    parse_bare(unwrap::unwrap(text).trim())
}

/// A node that is still being read: its column in the text and what is known of it.
struct Open {
    column: usize,
    native: Map<String, Json>,
    children: Vec<Json>,
}

impl Open {
    fn close(mut self) -> Json {
        if !self.children.is_empty() {
            self.native.insert("Plans".into(), Json::Array(self.children));
        }
        Json::Object(self.native)
    }
}

/// What a line's properties belong to.
#[derive(PartialEq)]
enum Part {
    Node,
    Planning,
    Jit,
}

pub(super) fn parse_bare(text: &str) -> Result<SavedPlan> {
    let (statement, text) = query_text(text);
    let mut open: Vec<Open> = Vec::new();
    let mut done: Option<Json> = None;
    let mut document = Map::new();
    let mut label: Option<String> = None;
    let mut last: Option<String> = None;
    let mut worker: Option<usize> = None;
    let mut part = Part::Node;
    for raw in text.lines() {
        if raw.trim().is_empty() {
            continue;
        }
        let line = read_line(raw, open.is_empty() && done.is_none());
        match line {
            Line::Node { column, text: rest } => {
                let Some(native) = node_line::read(rest) else {
                    return Err(no_node(raw));
                };
                fold(&mut open, column, &mut done);
                if done.is_some() {
                    break;
                }
                if open.len() >= MAX_LEVELS {
                    return Err(tree::too_deep());
                }
                let mut native = native;
                relate(&mut native, open.last(), label.take());
                open.push(Open { column, native, children: Vec::new() });
                (last, worker, part) = (None, None, Part::Node);
            }
            Line::Label { column, text } => {
                fold(&mut open, column.max(1), &mut done);
                label = Some(text.to_string());
                last = None;
            }
            Line::Worker { number, rest } => {
                worker = Some(number);
                if let Some(open) = open.last_mut() {
                    properties::worker(&mut open.native, number, rest);
                }
            }
            Line::Property { key, value } => {
                if properties::document(&mut document, key, value) {
                    part = match key {
                        "Planning" => Part::Planning,
                        "JIT" => Part::Jit,
                        _ => Part::Node,
                    };
                    last = None;
                    continue;
                }
                if part != Part::Node {
                    continue;
                }
                if let Some(open) = open.last_mut() {
                    match worker {
                        Some(number) if key != "Sort Method" => {
                            properties::of_worker(&mut open.native, number, key, value);
                        }
                        _ => properties::put(&mut open.native, key, value),
                    }
                    last = Some(key.to_string());
                }
            }
            Line::Other(rest) => {
                // A literal with a line break in it goes on here.
                if let (Some(open), Some(key)) = (open.last_mut(), &last)
                    && let Some(Json::String(value)) = open.native.get_mut(key)
                {
                    value.push('\n');
                    value.push_str(rest);
                }
            }
        }
    }
    fold(&mut open, 0, &mut done);
    let Some(plan) = done else {
        return Err(no_node(text.lines().next().unwrap_or_default()));
    };
    document.insert("Plan".into(), plan);
    let (plan, _) = document::from_document(Json::Object(document))?;
    if !plan.executed && plan.execution_ms.is_some() {
        return Err(Error::new(
            ErrorKind::Syntax,
            "the plan is cut off: its actual times are missing",
        )
        .hint(super::HOW_TO_SAVE));
    }
    Ok(SavedPlan { plan, statement })
}

/// Closes the nodes that stand at `column` or to its right.
fn fold(open: &mut Vec<Open>, column: usize, done: &mut Option<Json>) {
    while open.last().is_some_and(|node| node.column >= column) {
        let Some(node) = open.pop() else { return };
        let closed = node.close();
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => *done = Some(closed),
        }
    }
}

/// How a node hangs below its parent; the text form shows it only for sub-plans.
fn relate(native: &mut Map<String, Json>, parent: Option<&Open>, label: Option<String>) {
    let Some(parent) = parent else { return };
    let relation = match &label {
        Some(label) if label.starts_with("SubPlan") => "SubPlan",
        Some(_) => "InitPlan",
        None => {
            let inputs = parent
                .children
                .iter()
                .filter(|child| {
                    !matches!(
                        tree::text(child, "Parent Relationship"),
                        Some("SubPlan" | "InitPlan")
                    )
                })
                .count();
            match parent.native.get("Node Type").and_then(Json::as_str).unwrap_or_default() {
                "Append" | "Merge Append" | "BitmapAnd" | "BitmapOr" => "Member",
                "Subquery Scan" => "Subquery",
                _ if inputs == 0 => "Outer",
                _ => "Inner",
            }
        }
    };
    native.insert("Parent Relationship".into(), json!(relation));
    if let Some(label) = label {
        native.insert("Subplan Name".into(), json!(label));
    }
}

/// `Query Text: …` as `auto_explain` writes it, and the plan behind it.
fn query_text(text: &str) -> (Option<String>, &str) {
    let Some(rest) = text.trim_start().strip_prefix("Query Text: ") else { return (None, text) };
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if end > 0 && (line.contains("  (cost=") || line.contains(" (actual ")) {
            return (Some(rest[..end].trim().to_string()), &rest[end..]);
        }
        end += line.len();
    }
    (None, rest)
}

fn no_node(line: &str) -> Error {
    let shown: String = line.trim().chars().take(120).collect();
    let end = shown.len();
    let cut_off = (line.contains("(cost=") || line.contains("(actual ")) && !line.contains(')');
    let what = if cut_off {
        "the plan is cut off: this line ends in the middle"
    } else {
        "this is no plan that PostgreSQL printed"
    };
    Error::new(ErrorKind::Syntax, what)
        .mark(Marked { name: "plan".into(), text: shown, start: 0, end })
        .hint(super::HOW_TO_SAVE)
}
