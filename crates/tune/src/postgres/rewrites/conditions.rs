//! The walk over conditions that rewrites of a single comparison share.

use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::Input;
use super::names::{Names, each_select};

/// Another way to write one comparison, with the conditions that were found to hold.
pub(super) type Other = (Node, Vec<String>);

/// Offers every part of every WHERE to `other`, and puts what it gives in its place. Gives the
/// conditions that were found to hold.
pub(super) fn mend(
    input: &Input<'_>,
    statement: &mut Node,
    other: fn(&Input<'_>, &Node, &Names) -> Option<Other>,
) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        if let Some(condition) = select.where_clause.as_deref_mut() {
            let mut other = |node: &Node| other(input, node, names);
            below(condition, &mut other, &mut conditions, 0);
        }
    });
    conditions
}

/// Without going into subqueries: those have their turn.
fn below(
    node: &mut Node,
    other: &mut dyn FnMut(&Node) -> Option<Other>,
    conditions: &mut Vec<String>,
    depth: usize,
) {
    if let Some((new, found)) = other(node) {
        *node = new;
        conditions.extend(found);
    } else if depth < ast::MAX_DEPTH && !matches!(node.node, Some(NodeEnum::SubLink(_))) {
        ast::children_mut(node, &mut |child| below(child, other, conditions, depth + 1));
    }
}
