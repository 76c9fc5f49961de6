//! Small readers of PostgreSQL's parse tree, and one walk over expressions for reading and one
//! for rewriting.

use pg_query::protobuf::{
    self, AConst, AExprKind, BoolExprType, ColumnRef, FuncCall, SelectStmt, a_const,
};
use pg_query::{Node, NodeEnum};

/// Deeper than this nobody writes by hand; a walk stops there instead of using up the stack.
pub(super) const MAX_DEPTH: usize = 120;

macro_rules! children {
    ($name:ident, $select:ident, $each:ident, $deref:ident, $as_ref:ident $(, $mut:tt)?) => {
        /// Calls `visit` for what stands directly below `node`, a subquery's parts included.
        pub(super) fn $name<'a>(
            node: &'a $($mut)? Node,
            visit: &mut dyn FnMut(&'a $($mut)? Node),
        ) {
            let Some(node) = node.node.$as_ref() else { return };
            match node {
                NodeEnum::AExpr(e) => {
                    e.lexpr.$deref().into_iter().for_each(&mut *visit);
                    e.rexpr.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::BoolExpr(e) => e.args.$each().for_each(visit),
                NodeEnum::NullTest(e) => e.arg.$deref().into_iter().for_each(visit),
                NodeEnum::BooleanTest(e) => e.arg.$deref().into_iter().for_each(visit),
                NodeEnum::TypeCast(e) => e.arg.$deref().into_iter().for_each(visit),
                NodeEnum::CollateClause(e) => e.arg.$deref().into_iter().for_each(visit),
                NodeEnum::FuncCall(e) => {
                    e.args.$each().for_each(&mut *visit);
                    e.agg_order.$each().for_each(&mut *visit);
                    e.agg_filter.$deref().into_iter().for_each(&mut *visit);
                    if let Some(over) = e.over.$deref() {
                        over.partition_clause.$each().for_each(&mut *visit);
                        over.order_clause.$each().for_each(&mut *visit);
                    }
                }
                NodeEnum::CaseExpr(e) => {
                    e.arg.$deref().into_iter().for_each(&mut *visit);
                    e.args.$each().for_each(&mut *visit);
                    e.defresult.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::CaseWhen(e) => {
                    e.expr.$deref().into_iter().for_each(&mut *visit);
                    e.result.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::CoalesceExpr(e) => e.args.$each().for_each(visit),
                NodeEnum::MinMaxExpr(e) => e.args.$each().for_each(visit),
                NodeEnum::RowExpr(e) => e.args.$each().for_each(visit),
                NodeEnum::AArrayExpr(e) => e.elements.$each().for_each(visit),
                NodeEnum::NamedArgExpr(e) => e.arg.$deref().into_iter().for_each(visit),
                NodeEnum::AIndirection(e) => {
                    e.arg.$deref().into_iter().for_each(&mut *visit);
                    e.indirection.$each().for_each(&mut *visit);
                }
                NodeEnum::AIndices(e) => {
                    e.lidx.$deref().into_iter().for_each(&mut *visit);
                    e.uidx.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::List(e) => e.items.$each().for_each(visit),
                NodeEnum::ResTarget(e) => e.val.$deref().into_iter().for_each(visit),
                NodeEnum::SortBy(e) => e.node.$deref().into_iter().for_each(visit),
                NodeEnum::GroupingSet(e) => e.content.$each().for_each(visit),
                NodeEnum::SubLink(e) => {
                    e.testexpr.$deref().into_iter().for_each(&mut *visit);
                    e.subselect.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::JoinExpr(e) => {
                    e.larg.$deref().into_iter().for_each(&mut *visit);
                    e.rarg.$deref().into_iter().for_each(&mut *visit);
                    e.quals.$deref().into_iter().for_each(&mut *visit);
                }
                NodeEnum::RangeSubselect(e) => e.subquery.$deref().into_iter().for_each(visit),
                NodeEnum::RangeFunction(e) => e.functions.$each().for_each(visit),
                NodeEnum::CommonTableExpr(e) => e.ctequery.$deref().into_iter().for_each(visit),
                NodeEnum::WindowDef(e) => {
                    e.partition_clause.$each().for_each(&mut *visit);
                    e.order_clause.$each().for_each(&mut *visit);
                }
                NodeEnum::SelectStmt(e) => $select(e, visit),
                _ => {}
            }
        }

        /// Calls `visit` for every clause of a SELECT, the sides of a set operation included.
        pub(super) fn $select<'a>(
            select: &'a $($mut)? SelectStmt,
            visit: &mut dyn FnMut(&'a $($mut)? Node),
        ) {
            if let Some(with) = select.with_clause.$as_ref() {
                with.ctes.$each().for_each(&mut *visit);
            }
            select.distinct_clause.$each().for_each(&mut *visit);
            select.target_list.$each().for_each(&mut *visit);
            select.from_clause.$each().for_each(&mut *visit);
            select.where_clause.$deref().into_iter().for_each(&mut *visit);
            select.group_clause.$each().for_each(&mut *visit);
            select.having_clause.$deref().into_iter().for_each(&mut *visit);
            select.window_clause.$each().for_each(&mut *visit);
            select.values_lists.$each().for_each(&mut *visit);
            select.sort_clause.$each().for_each(&mut *visit);
            select.limit_offset.$deref().into_iter().for_each(&mut *visit);
            select.limit_count.$deref().into_iter().for_each(&mut *visit);
            if let Some(side) = select.larg.$deref() {
                $select(side, visit);
            }
            if let Some(side) = select.rarg.$deref() {
                $select(side, visit);
            }
        }
    };
}

children!(children, select_children, iter, as_deref, as_ref);
children!(children_mut, select_children_mut, iter_mut, as_deref_mut, as_mut, mut);

/// `node` and everything below it, parents first, without going deeper than [`MAX_DEPTH`].
pub(super) fn all(node: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        found.push(node);
        let from = open.len();
        children(node, &mut |child| open.push(child));
        open[from..].reverse();
    }
    found
}

/// How many levels lie below `node`, counted up to [`MAX_DEPTH`].
pub(super) fn too_deep(node: &Node) -> bool {
    let mut open = vec![(node, 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return true;
        }
        children(node, &mut |child| open.push((child, depth + 1)));
    }
    false
}

/// A node of that kind.
pub(super) fn node(kind: NodeEnum) -> Node {
    Node { node: Some(kind) }
}

/// The text of a `String` node.
pub(super) fn string(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(text)) => Some(&text.sval),
        _ => None,
    }
}

/// A node holding a name.
pub(super) fn name(text: &str) -> Node {
    node(NodeEnum::String(protobuf::String { sval: text.into() }))
}

/// The SELECT that `node` is.
pub(super) fn as_select(node: &Node) -> Option<&SelectStmt> {
    match &node.node {
        Some(NodeEnum::SelectStmt(select)) => Some(select),
        _ => None,
    }
}

/// The qualifier and the name of a column reference; `None` for stars and everything else.
pub(super) fn column(node: &Node) -> Option<(Option<&str>, &str)> {
    match &node.node {
        Some(NodeEnum::ColumnRef(column)) => column_parts(column),
        _ => None,
    }
}

fn column_parts(column: &ColumnRef) -> Option<(Option<&str>, &str)> {
    match column.fields.as_slice() {
        [one] => Some((None, string(one)?)),
        [.., table, one] => Some((Some(string(table)?), string(one)?)),
        [] => None,
    }
}

/// A reference to `qualifier.column`.
pub(super) fn column_node(qualifier: Option<&str>, column: &str) -> Node {
    let fields = qualifier.into_iter().chain([column]).map(name).collect();
    node(NodeEnum::ColumnRef(ColumnRef { fields, location: -1 }))
}

/// The operator's name, without its schema.
pub(super) fn operator(expr: &protobuf::AExpr) -> &str {
    expr.name.last().and_then(string).unwrap_or("")
}

/// `left op right`.
pub(super) fn binary(left: Node, op: &str, right: Node) -> Node {
    node(NodeEnum::AExpr(Box::new(protobuf::AExpr {
        kind: AExprKind::AexprOp as i32,
        name: vec![name(op)],
        lexpr: Some(Box::new(left)),
        rexpr: Some(Box::new(right)),
        rexpr_list_start: 0,
        rexpr_list_end: 0,
        location: -1,
    })))
}

/// The function's name in lower case, without its schema.
pub(super) fn function(call: &FuncCall) -> &str {
    call.funcname.last().and_then(string).unwrap_or("")
}

/// The conditions that must all hold.
pub(super) fn conjuncts(node: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match &node.node {
            Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::AndExpr as i32 => {
                open.extend(e.args.iter().rev());
            }
            _ => found.push(node),
        }
    }
    found
}

/// All of `conditions` joined by AND; `None` when there are none.
pub(super) fn conjunction(mut conditions: Vec<Node>) -> Option<Node> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(node(NodeEnum::BoolExpr(Box::new(protobuf::BoolExpr {
            xpr: None,
            boolop: BoolExprType::AndExpr as i32,
            args: conditions,
            location: -1,
        })))),
    }
}

/// `NOT node`.
pub(super) fn negation(inner: Node) -> Node {
    node(NodeEnum::BoolExpr(Box::new(protobuf::BoolExpr {
        xpr: None,
        boolop: BoolExprType::NotExpr as i32,
        args: vec![inner],
        location: -1,
    })))
}

/// The text of a string constant, casts around it ignored.
pub(super) fn string_constant(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(text)), .. })) => {
            Some(&text.sval)
        }
        Some(NodeEnum::TypeCast(cast)) => string_constant(cast.arg.as_deref()?),
        _ => None,
    }
}

/// A string constant with a cast: `'2026-01-01'::date`.
pub(super) fn typed_constant(text: &str, type_name: &[&str]) -> Node {
    let constant = node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Sval(protobuf::String { sval: text.into() })),
    }));
    node(NodeEnum::TypeCast(Box::new(protobuf::TypeCast {
        arg: Some(Box::new(constant)),
        type_name: Some(protobuf::TypeName {
            names: type_name.iter().map(|part| name(part)).collect(),
            typemod: -1,
            location: -1,
            ..protobuf::TypeName::default()
        }),
        location: -1,
    })))
}

/// Whether nothing in `node` depends on a row: no column and no subquery below it.
pub(super) fn is_constant(node: &Node) -> bool {
    all(node).iter().all(|below| {
        !matches!(
            below.node,
            Some(NodeEnum::ColumnRef(_) | NodeEnum::SubLink(_) | NodeEnum::AStar(_))
        )
    })
}

/// `node` as SQL; `None` when it cannot be printed.
pub(super) fn sql(expression: &Node) -> Option<String> {
    let target = node(NodeEnum::ResTarget(Box::new(protobuf::ResTarget {
        val: Some(Box::new(expression.clone())),
        location: -1,
        ..protobuf::ResTarget::default()
    })));
    let select = SelectStmt {
        target_list: vec![target],
        limit_option: protobuf::LimitOption::Default as i32,
        op: protobuf::SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    };
    let text = node(NodeEnum::SelectStmt(Box::new(select))).deparse(Default::default()).ok()?;
    text.strip_prefix("SELECT ").map(Into::into)
}

/// Parses conditions as EXPLAIN prints them; `None` where one is not SQL.
pub(super) fn parse_conditions(texts: &[&str]) -> Option<Vec<Node>> {
    let parsed = marula_postgres::sql::parse(&format!("SELECT {}", texts.join(", "))).ok()?;
    let targets = &parsed.select()?.target_list;
    if targets.len() != texts.len() {
        return None;
    }
    let values = targets.iter().map(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref().cloned(),
        _ => None,
    });
    values.collect()
}

/// The expressions a SELECT returns.
pub(super) fn all_targets(select: &SelectStmt) -> impl Iterator<Item = &Node> {
    select.target_list.iter().filter_map(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref(),
        _ => None,
    })
}

/// Whether `node` is `*` or `alias.*`.
pub(super) fn is_star(node: &Node) -> bool {
    match &node.node {
        Some(NodeEnum::ColumnRef(column)) => {
            column.fields.last().is_some_and(|field| matches!(field.node, Some(NodeEnum::AStar(_))))
        }
        _ => false,
    }
}

/// The names a SELECT's FROM gives to tables, in order.
pub(super) fn from_names(select: &SelectStmt) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&Node> = select.from_clause.iter().rev().collect();
    while let Some(item) = open.pop() {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => {
                let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
                found.push(alias.clone());
            }
            Some(NodeEnum::JoinExpr(join)) => {
                open.extend(join.rarg.as_deref());
                open.extend(join.larg.as_deref());
            }
            _ => {}
        }
    }
    found
}
