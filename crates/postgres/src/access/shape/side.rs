use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::predicate::Side;
use super::read::Reader;
use super::scope::Found;
use super::{Key, types};

impl Reader<'_> {
    /// What a side of an operator is: a value, something of one relation, or something else.
    pub(super) fn side(&self, node: &Node) -> Side {
        let node = self.without_noop(node);
        let mut found: Vec<Found> = Vec::new();
        for below in ast::all(node) {
            match &below.node {
                Some(NodeEnum::SubLink(_)) => return Side::Mixed(None),
                Some(NodeEnum::ColumnRef(_)) => match self.column(below) {
                    Some(column) => found.push(column),
                    None => return Side::Mixed(None),
                },
                _ => {}
            }
        }
        let Some(first) = found.first().cloned() else {
            return ast::sql(node).map_or(Side::Mixed(None), Side::Constant);
        };
        if found.iter().any(|other| !other.same_use(&first) || other.level != first.level) {
            return Side::Mixed(Some(first));
        }
        if ast::column(node).is_some() {
            let key = Key::column(&first.column);
            return Side::Key(first, key);
        }
        let mut columns: Vec<String> = found.into_iter().map(|found| found.column).collect();
        columns.dedup();
        match Key::expression(&self.bare(node), columns) {
            Some(key) => Side::Key(first, key),
            None => Side::Mixed(Some(first)),
        }
    }

    /// The key `node` is, when all of it belongs to one use.
    pub(super) fn key(&self, node: &Node) -> Option<(Found, Key)> {
        match self.side(node) {
            Side::Key(found, key) => Some((found, key)),
            _ => None,
        }
    }

    /// The type of an expression, as far as it is plain.
    pub(super) fn type_of(&self, node: &Node) -> Option<String> {
        types::of(self.without_noop(node), &|column| self.column_type(column))
    }

    fn column(&self, node: &Node) -> Option<Found> {
        let (qualifier, name) = ast::column(node)?;
        self.scope.resolve(self.catalog, qualifier, name)
    }

    fn column_type(&self, node: &Node) -> Option<String> {
        let found = self.column(node)?;
        let relation = &self.shape.blocks.get(found.block)?.uses.get(found.number)?.relation;
        let column = self.catalog?.find(relation)?.column(&found.column)?;
        Some(column.type_name.clone())
    }

    /// A column without a cast that changes nothing: `(status)::text`, as EXPLAIN prints a
    /// varchar column, is the column for an index, too.
    fn without_noop<'n>(&self, node: &'n Node) -> &'n Node {
        let Some(NodeEnum::TypeCast(cast)) = &node.node else { return node };
        let Some(arg) = cast.arg.as_deref().filter(|arg| ast::column(arg).is_some()) else {
            return node;
        };
        let noop = match self.column_type(arg) {
            Some(column) => types::is_noop(cast, &column),
            None => {
                let to = cast.type_name.as_ref().and_then(types::written);
                self.from_plan && matches!(to, Some("text" | "bpchar"))
            }
        };
        if noop { arg } else { node }
    }

    /// An expression with every column by the name its relation has for it.
    pub(super) fn bare(&self, node: &Node) -> Node {
        let mut bare = node.clone();
        self.rename(&mut bare, 0);
        bare
    }

    fn rename(&self, node: &mut Node, depth: usize) {
        if let Some((_, name)) = ast::column(node) {
            let name = self.column(node).map_or_else(|| name.to_owned(), |found| found.column);
            *node = ast::column_node(None, &name);
        } else if depth < ast::MAX_DEPTH {
            ast::children_mut(node, &mut |child| self.rename(child, depth + 1));
        }
    }
}
