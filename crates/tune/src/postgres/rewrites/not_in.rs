//! `x NOT IN (SELECT y …)` → `NOT EXISTS (SELECT 1 … WHERE x = y)`.

use pg_query::protobuf::{
    self, AConst, BoolExprType, LimitOption, ResTarget, SelectStmt, SetOperation, SubLinkType,
    a_const,
};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::names::{Names, each_select};
use super::{Input, Rewrite, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "not-in-to-not-exists",
    title: "NOT IN (SELECT …) as NOT EXISTS",
    clears: &["not-subplan"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        if let Some(condition) = select.where_clause.as_deref_mut() {
            mend(input, condition, names, &mut conditions, 0);
        }
    });
    conditions
}

/// Rewrites every NOT IN of a condition, without going into subqueries: those have their turn.
fn mend(
    input: &Input<'_>,
    node: &mut Node,
    names: &Names,
    conditions: &mut Vec<String>,
    depth: usize,
) {
    if let Some(new) = negated(node).and_then(|link| rewritten(input, link, names, conditions)) {
        *node = new;
    }
    if depth > ast::MAX_DEPTH || matches!(node.node, Some(NodeEnum::SubLink(_))) {
        return;
    }
    ast::children_mut(node, &mut |child| mend(input, child, names, conditions, depth + 1));
}

/// The sublink of `NOT (x IN (SELECT …))` or `x <> ALL (SELECT …)`.
fn negated(node: &Node) -> Option<&protobuf::SubLink> {
    match &node.node {
        Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::NotExpr as i32 => {
            match &e.args.first()?.node {
                Some(NodeEnum::SubLink(link)) if is(link, SubLinkType::AnySublink, "=") => {
                    Some(link)
                }
                _ => None,
            }
        }
        Some(NodeEnum::SubLink(link)) if is(link, SubLinkType::AllSublink, "<>") => Some(link),
        _ => None,
    }
}

fn is(link: &protobuf::SubLink, kind: SubLinkType, operator: &str) -> bool {
    let name = link.oper_name.last().and_then(ast::string);
    link.sub_link_type == kind as i32
        && (name == Some(operator) || (name.is_none() && operator == "="))
}

fn rewritten(
    input: &Input<'_>,
    link: &protobuf::SubLink,
    names: &Names,
    conditions: &mut Vec<String>,
) -> Option<Node> {
    let select = link.subselect.as_deref().and_then(ast::as_select)?;
    if !is_plain(select) || !safe::is_stable(select) {
        return None;
    }
    let outer = names.column(input.catalog, link.testexpr.as_deref()?)?;
    let inside = names.inside(select);
    let target = only_target(select)?;
    let inner = inside.column(input.catalog, target)?;
    // The outer name must still mean the outer relation inside the subquery.
    let hidden = inside.own().iter().any(|entry| entry.alias == outer.alias);
    if inner.level != 0 || hidden || !outer.is_never_null() || !inner.is_never_null() {
        return None;
    }
    let mut new = select.clone();
    let equality = ast::binary(
        ast::column_node(Some(&outer.alias), &outer.column.name),
        "=",
        ast::column_node(Some(&inner.alias), &inner.column.name),
    );
    let mut parts: Vec<Node> =
        new.where_clause.take().map(|condition| *condition).into_iter().collect();
    parts.push(equality);
    new.where_clause = ast::conjunction(parts).map(Box::new);
    new.target_list = vec![one()];
    new.distinct_clause.clear();
    new.sort_clause.clear();
    for side in [&outer, &inner] {
        conditions.push(format!(
            "{}.{} is NOT NULL in the catalogue, and no outer join makes it NULL",
            side.relation.name, side.column.name
        ));
    }
    Some(ast::negation(ast::node(NodeEnum::SubLink(Box::new(protobuf::SubLink {
        sub_link_type: SubLinkType::ExistsSublink as i32,
        subselect: Some(Box::new(ast::node(NodeEnum::SelectStmt(Box::new(new))))),
        ..protobuf::SubLink::default()
    })))))
}

/// One SELECT that only filters and joins.
fn is_plain(select: &SelectStmt) -> bool {
    select.op <= SetOperation::SetopNone as i32
        && select.group_clause.is_empty()
        && select.having_clause.is_none()
        && select.window_clause.is_empty()
        && select.values_lists.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.locking_clause.is_empty()
        && select.with_clause.is_none()
        && select.limit_option <= LimitOption::Default as i32
        && !select.from_clause.is_empty()
}

fn only_target(select: &SelectStmt) -> Option<&Node> {
    match select.target_list.as_slice() {
        [Node { node: Some(NodeEnum::ResTarget(target)) }] => target.val.as_deref(),
        _ => None,
    }
}

/// `1`, as a select list.
fn one() -> Node {
    let constant = ast::node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Ival(protobuf::Integer { ival: 1 })),
    }));
    ast::node(NodeEnum::ResTarget(Box::new(ResTarget {
        val: Some(Box::new(constant)),
        location: -1,
        ..ResTarget::default()
    })))
}
