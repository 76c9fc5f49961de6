//! From the touched tables, their keys and the statement's joins to the rows that are copied.

use std::collections::BTreeMap;

use super::keys::Keys;
use super::sample::{self, Edge, Node};
use super::tables::Table;
use super::{Join, Size, quote};

/// Which rows are copied.
pub(super) struct Drawn {
    /// By table: `None` is all of its rows.
    pub conditions: BTreeMap<u32, Option<String>>,
    /// Keys along which rows of the sample may miss theirs.
    pub dropped: Vec<String>,
}

/// Which rows of each table are copied. Partitions and heirs are drawn as the table they
/// belong to.
pub(super) fn drawn(tables: &[Table], keys: &Keys, joins: &[Join], size: Size) -> Drawn {
    let root = |oid: u32| {
        let mut at = oid;
        // Bounded by the number of tables: parents form a tree.
        for _ in 0..tables.len() {
            match tables.iter().find(|t| t.oid == at).and_then(|t| t.parent) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    };
    let roots: Vec<&Table> =
        tables.iter().filter(|t| t.parent.is_none() && t.kind != 'v').collect();
    let nodes: Vec<Node> = roots
        .iter()
        .map(|r| Node {
            quoted: r.quoted.clone(),
            bytes: tables.iter().filter(|t| root(t.oid) == r.oid).map(|t| t.bytes).sum(),
            key: r.primary_key.iter().map(|c| quote(c)).collect(),
        })
        .collect();
    let at = |oid: u32| roots.iter().position(|r| r.oid == root(oid));
    let named = |name: &str| {
        tables.iter().find(|t| format!("{}.{}", t.schema, t.name) == name).and_then(|t| at(t.oid))
    };
    let mut edges: Vec<Edge> = Vec::new();
    for (child, child_columns, parent, parent_columns) in &keys.foreign {
        if let (Some(child), Some(parent)) = (at(*child), at(*parent)) {
            let quoted = |columns: &[String]| columns.iter().map(|c| quote(c)).collect();
            let (child_columns, parent_columns) = (quoted(child_columns), quoted(parent_columns));
            edges.push(Edge { child, child_columns, parent, parent_columns });
        }
    }
    for join in joins {
        let (Some(left), Some(right)) = (named(&join.left), named(&join.right)) else { continue };
        // The side whose column is its whole key is the parent.
        let whole_key = |n: usize, column: &str| {
            roots.get(n).is_some_and(|r| r.primary_key == [column.to_owned()])
        };
        let swapped = whole_key(left, &join.left_column) && !whole_key(right, &join.right_column);
        let (child, child_column, parent, parent_column) = if swapped {
            (right, &join.right_column, left, &join.left_column)
        } else {
            (left, &join.left_column, right, &join.right_column)
        };
        let edge = Edge {
            child,
            child_columns: vec![quote(child_column)],
            parent,
            parent_columns: vec![quote(parent_column)],
        };
        let known = edges.iter().any(|e| {
            (e.child == edge.child && e.parent == edge.parent)
                || (e.child == edge.parent && e.parent == edge.child)
        });
        if !known && child != parent {
            edges.push(edge);
        }
    }
    let sample = match size {
        Size::Limit(bytes) => sample::draw(&nodes, &edges, bytes),
        Size::Share(share) => {
            sample::by_share(&nodes, &edges, share, |node| node.bytes <= 64 * 1024)
        }
    };
    let dropped = sample
        .dropped
        .iter()
        .filter_map(|e| {
            let (child, parent) = (nodes.get(e.child)?, nodes.get(e.parent)?);
            Some(
                format!("{} ({})", child.quoted, e.child_columns.join(", "))
                    + " to "
                    + &parent.quoted,
            )
        })
        .collect();
    let conditions = tables
        .iter()
        .filter(|t| t.has_rows())
        .map(|t| {
            let condition = at(t.oid).and_then(|n| sample.conditions.get(n).cloned().flatten());
            (t.oid, condition)
        })
        .collect();
    Drawn { conditions, dropped }
}
