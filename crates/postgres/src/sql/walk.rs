use pg_query::NodeRef;

use super::children::children;
use super::relations::writing;

/// A node that no query can hold.
#[derive(Debug, Clone, Copy)]
pub struct UnknownNode<'a>(pub NodeRef<'a>);

/// Visits `root` and every node below it, parents first, in the order of the text as far as the
/// tree keeps it; nothing is left out. Does not recurse.
///
/// # Errors
/// The first node whose children are not known, so that a caller who guards something can
/// refuse it. Nodes of utility and data-modifying statements are of that sort.
pub fn walk<'a>(
    root: NodeRef<'a>,
    mut visit: impl FnMut(NodeRef<'a>),
) -> Result<(), UnknownNode<'a>> {
    let mut open = vec![root];
    let mut below = Vec::new();
    let mut unknown = None;
    while let Some(node) = open.pop() {
        visit(node);
        if !children(node, &mut below) {
            unknown.get_or_insert(UnknownNode(node));
        }
        open.extend(below.drain(..).rev());
    }
    unknown.map_or(Ok(()), Err)
}

/// Visits `root` and every node below it, those of data-modifying statements included. For
/// looking, never for guarding: what is not known is passed by.
pub(crate) fn walk_all<'a>(root: NodeRef<'a>, mut visit: impl FnMut(NodeRef<'a>)) {
    let mut open = vec![root];
    let mut below = Vec::new();
    while let Some(node) = open.pop() {
        visit(node);
        if !children(node, &mut below) {
            writing(node, &mut below);
        }
        open.extend(below.drain(..).rev());
    }
}

/// How many levels the tree has. Stops counting above `limit`.
pub(super) fn depth(root: NodeRef<'_>, limit: usize) -> usize {
    let mut open = vec![(root, 1)];
    let mut below = Vec::new();
    let mut deepest = 0;
    while let Some((node, level)) = open.pop() {
        deepest = deepest.max(level);
        if level > limit {
            break;
        }
        children(node, &mut below);
        open.extend(below.drain(..).map(|child| (child, level + 1)));
    }
    deepest
}
