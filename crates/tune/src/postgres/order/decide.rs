//! The same question with nothing left open: where ORDER BY … LIMIT leaves ties, every column
//! returned decides between them, so that two right answers are the same answer.

use std::collections::BTreeSet;

use marula_core::RelationalCatalog;
use marula_lab::compare::Comparison;
use marula_lab::prove::Decided;
use marula_postgres::sql;
use pg_query::protobuf::{
    AConst, AStar, ColumnRef, Integer, SelectStmt, SetOperation, SortBy, SortByDir, SortByNulls,
    a_const,
};
use pg_query::{Node, NodeEnum};

use super::{IN_ORDER, ast, is_open, is_total, undecided};
use crate::postgres::shape::Shape;

/// `text`, a SELECT, with nothing left open; `None` where that cannot be said.
pub(in crate::postgres) fn decided(text: &str, catalog: &RelationalCatalog) -> Option<Decided> {
    let parsed = sql::parse(text).ok()?;
    let mut root = Node { node: Some(parsed.root()?.clone()) };
    ast::as_select(&root)?;
    if ast::too_deep(&root) {
        return None;
    }
    let read = root.clone();
    let shape = Shape::read(&read, Some(catalog));
    let mut decider = Decider { shape, catalog, by: BTreeSet::new(), failed: false };
    decider.node(&mut root);
    if decider.failed || ast::all(&root).iter().any(|node| undecided(node).is_some()) {
        return None;
    }
    let by = decider.by.into_iter().collect::<Vec<_>>().join(" and ");
    let sorted = ast::as_select(&root).is_some_and(|top| !top.sort_clause.is_empty());
    let total = ast::as_select(&read).is_some_and(|top| {
        is_open(top, &decider.shape, catalog) || is_total(top, &decider.shape, catalog)
    });
    let comparison = if sorted && total { Comparison::Sequence } else { Comparison::Multiset };
    (!by.is_empty()).then_some(())?;
    Some(Decided { text: root.deparse(Default::default()).ok()?, comparison, by })
}

struct Decider<'a> {
    shape: Shape,
    catalog: &'a RelationalCatalog,
    /// What decides, as words.
    by: BTreeSet<String>,
    failed: bool,
}

impl Decider<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.node {
            Some(NodeEnum::SelectStmt(select)) => self.select(select),
            Some(NodeEnum::FuncCall(call)) => {
                let open = call.over.is_none() && call.agg_order.is_empty();
                if open && IN_ORDER.contains(&ast::function(call)) {
                    call.agg_order = call.args.iter().cloned().map(ascending).collect();
                    self.by.insert("aggregates in the order of what they take".into());
                }
            }
            _ => {}
        }
        ast::children_mut(node, &mut |child| self.node(child));
    }

    fn select(&mut self, select: &mut SelectStmt) {
        for side in [&mut select.larg, &mut select.rarg].into_iter().flatten() {
            self.select(side);
        }
        if is_open(select, &self.shape, self.catalog) {
            match ties(select) {
                Some((more, by)) => {
                    select.sort_clause.extend(more);
                    self.by.insert(by);
                }
                None => self.failed = true,
            }
        }
    }
}

/// What to sort by besides, and its name.
fn ties(select: &SelectStmt) -> Option<(Vec<Node>, String)> {
    let mut first = select;
    while first.op > SetOperation::SetopNone as i32 {
        first = first.larg.as_deref()?;
    }
    let star = ast::all_targets(first).any(ast::is_star);
    let mut more: Vec<Node> = Vec::new();
    if select.sort_clause.is_empty() {
        // DISTINCT ON wants its own expressions first.
        let on = select.distinct_clause.iter().filter(|node| node.node.is_some());
        more.extend(on.cloned().map(ascending));
    }
    if !star {
        let columns = 1..=i32::try_from(first.target_list.len()).ok()?;
        more.extend(columns.map(number).map(ascending));
        return Some((more, "ties broken by the columns returned".into()));
    }
    let plain = select.op <= SetOperation::SetopNone as i32
        && !select.distinct_clause.iter().any(|node| node.node.is_none());
    let tables = ast::from_names(select);
    if !plain || tables.is_empty() || tables.len() != leaves(select) {
        return None;
    }
    more.extend(tables.iter().map(|table| ascending(row_text(table))));
    Some((more, format!("ties broken by the whole rows of {}", tables.join(", "))))
}

/// How many things a FROM reads, of whatever sort.
fn leaves(select: &SelectStmt) -> usize {
    let mut open: Vec<&Node> = select.from_clause.iter().collect();
    let mut count = 0;
    while let Some(item) = open.pop() {
        match &item.node {
            Some(NodeEnum::JoinExpr(join)) => {
                open.extend(join.larg.as_deref());
                open.extend(join.rarg.as_deref());
            }
            _ => count += 1,
        }
    }
    count
}

fn ascending(node: Node) -> Node {
    ast::node(NodeEnum::SortBy(Box::new(SortBy {
        node: Some(Box::new(node)),
        sortby_dir: SortByDir::SortbyDefault as i32,
        sortby_nulls: SortByNulls::SortbyNullsDefault as i32,
        use_op: Vec::new(),
        location: -1,
    })))
}

fn number(ival: i32) -> Node {
    ast::node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Ival(Integer { ival })),
    }))
}

/// `table.*::text`: the row as text, which every row has.
fn row_text(table: &str) -> Node {
    let fields = vec![ast::name(table), ast::node(NodeEnum::AStar(AStar {}))];
    let row = ast::node(NodeEnum::ColumnRef(ColumnRef { fields, location: -1 }));
    ast::cast(row, &["text"])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::postgres::fixture::catalog;

    fn text(sql: &str) -> Option<(String, String)> {
        decided(sql, &catalog()).map(|decided| (decided.text, decided.by))
    }

    #[test]
    fn ties_are_broken_by_what_is_returned() {
        let (sql, by) = text("SELECT a, b FROM t ORDER BY a DESC LIMIT 10").unwrap();
        assert_eq!(sql, "SELECT a, b FROM t ORDER BY a DESC, 1, 2 LIMIT 10");
        assert_eq!(by, "ties broken by the columns returned");
        let (sql, by) = text("SELECT * FROM t JOIN u ON t.i = u.i ORDER BY a LIMIT 1").unwrap();
        assert!(sql.ends_with("ORDER BY a, t.*::text, u.*::text LIMIT 1"), "{sql}");
        assert_eq!(by, "ties broken by the whole rows of t, u");
        let (sql, _) = text("SELECT DISTINCT ON (a) a, b FROM t").unwrap();
        assert!(sql.ends_with("ORDER BY a, 1, 2"), "{sql}");
        let (sql, _) = text("SELECT a FROM t UNION ALL (SELECT b FROM u LIMIT 3)").unwrap();
        assert!(sql.contains("ORDER BY 1 LIMIT 3"), "{sql}");
        let (sql, _) = text("SELECT array_agg(a) FROM t").unwrap();
        assert_eq!(sql, "SELECT array_agg(a ORDER BY a) FROM t");
    }

    #[test]
    fn what_cannot_be_decided_is_left() {
        assert_eq!(text("SELECT a FROM t ORDER BY a"), None, "nothing is open");
        assert_eq!(text("SELECT a, random() FROM t LIMIT 3"), None);
        assert_eq!(text("SELECT * FROM t, (SELECT 1) x LIMIT 3"), None);
    }
}
