//! `(SELECT count(*) …) > 0` → `EXISTS (SELECT 1 …)`, `= 0` → `NOT EXISTS`.

use pg_query::protobuf::{AConst, AExprKind, SelectStmt, SubLinkType, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::names::{Names, each_select};
use super::naming::implied;
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "count-to-exists",
    title: "EXISTS instead of counting all matches",
    clears: &["better-wording", "unhashed-subplan"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        for item in &mut select.target_list {
            let Some(NodeEnum::ResTarget(item)) = &mut item.node else { continue };
            let Some(value) = item.val.as_deref_mut() else { continue };
            let before = implied(value);
            replace(input, names, value, &mut conditions, 0);
            if item.name.is_empty() && implied(value) != before {
                item.name = before;
            }
        }
        for clause in [&mut select.where_clause, &mut select.having_clause] {
            if let Some(condition) = clause.as_deref_mut() {
                replace(input, names, condition, &mut conditions, 0);
            }
        }
    });
    conditions
}

fn replace(
    input: &Input<'_>,
    names: &Names,
    node: &mut Node,
    conditions: &mut Vec<String>,
    depth: usize,
) {
    if let Some((new, found)) = rewritten(input, names, node) {
        *node = new;
        conditions.push(found);
    } else if depth < ast::MAX_DEPTH && !matches!(node.node, Some(NodeEnum::SubLink(_))) {
        ast::children_mut(node, &mut |child| {
            replace(input, names, child, conditions, depth + 1);
        });
    }
}

fn rewritten(input: &Input<'_>, names: &Names, node: &Node) -> Option<(Node, String)> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 || e.name.len() != 1 {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let own = ast::operator(e);
    let (counted, operator, number) = match (counting(left), counting(right)) {
        (Some(select), None) => (select, own, whole(right)?),
        (None, Some(select)) if own == "<>" => (select, own, whole(left)?),
        (None, Some(select)) => (select, ast::flipped(own)?, whole(left)?),
        _ => return None,
    };
    let some = match (operator, number) {
        (">" | "<>", 0) | (">=", 1) => true,
        ("=" | "<=", 0) | ("<", 1) => false,
        _ => return None,
    };
    if !ast::is_plain(counted) || !counted.distinct_clause.is_empty() || !safe::is_stable(counted) {
        return None;
    }
    let Some(NodeEnum::FuncCall(call)) = &ast::only_target(counted)?.node else { return None };
    let plain = call.over.is_none()
        && call.agg_filter.is_none()
        && !call.agg_distinct
        && call.agg_order.is_empty();
    plain.then_some(())?;
    let mut new = SelectStmt {
        target_list: vec![make::target(make::integer(1), "")],
        sort_clause: Vec::new(),
        ..counted.clone()
    };
    match call.args.as_slice() {
        [] if call.agg_star => {}
        // count(1): a constant that is not NULL.
        [one] if whole(one).is_some() => {}
        [value] => {
            let inside = names.inside(counted);
            let known = inside.column(input.catalog, value)?;
            if known.level > 0 {
                return None;
            }
            if !known.is_never_null() {
                let mut parts: Vec<Node> =
                    new.where_clause.take().map(|all| *all).into_iter().collect();
                parts.push(make::null_test(value.clone(), false));
                new.where_clause = make::all_of(parts);
            }
        }
        _ => return None,
    }
    let exists = make::exists(new);
    let node = if some { exists } else { ast::negation(exists) };
    let which = if some { "at least one row" } else { "no row" };
    Some((
        node,
        format!(
            "the count is only asked whether there is {which}, and counts rows without volatile functions"
        ),
    ))
}

/// The subquery, when it returns one count.
fn counting(node: &Node) -> Option<&SelectStmt> {
    let Some(NodeEnum::SubLink(link)) = &node.node else { return None };
    if link.sub_link_type != SubLinkType::ExprSublink as i32 {
        return None;
    }
    let select = link.subselect.as_deref().and_then(ast::as_select)?;
    match &ast::only_target(select)?.node {
        Some(NodeEnum::FuncCall(call)) if ast::function(call) == "count" => Some(select),
        _ => None,
    }
}

fn whole(node: &Node) -> Option<i32> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(number)), .. })) => {
            Some(number.ival)
        }
        _ => None,
    }
}
