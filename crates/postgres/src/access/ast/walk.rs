//! One walk over expressions for reading and one for rewriting.

use pg_query::protobuf::SelectStmt;
use pg_query::{Node, NodeEnum};

/// Deeper than this nobody writes by hand; a walk stops there instead of using up the stack.
pub const MAX_DEPTH: usize = 120;

macro_rules! children {
    ($name:ident, $select:ident, $each:ident, $deref:ident, $as_ref:ident $(, $mut:tt)?) => {
        /// Calls `visit` for what stands directly below `node`, a subquery's parts included.
        pub fn $name<'a>(
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
        pub fn $select<'a>(
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
pub fn all(node: &Node) -> Vec<&Node> {
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
pub fn too_deep(node: &Node) -> bool {
    let mut open = vec![(node, 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return true;
        }
        children(node, &mut |child| open.push((child, depth + 1)));
    }
    false
}
