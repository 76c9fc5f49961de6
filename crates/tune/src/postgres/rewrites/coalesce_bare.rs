//! `coalesce(col, x) = y` → `col = y` for two different constants.

use std::cmp::Ordering;

use pg_query::protobuf::{AConst, AExprKind, BoolExprType, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::is_exact;
use super::names::{Names, each_select};
use super::{Input, Rewrite, make};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "coalesce-to-column",
    title: "the comparison with the bare column instead of coalesce()",
    clears: &["non-sargable"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        if let Some(condition) = select.where_clause.as_deref_mut() {
            below(input, names, condition, &mut conditions, 0);
        }
    });
    conditions
}

/// Through AND and OR only: there, and nowhere else, NULL is as good as false.
fn below(input: &Input<'_>, names: &Names, node: &mut Node, found: &mut Vec<String>, depth: usize) {
    if let Some((new, condition)) = rewritten(input, names, node) {
        *node = new;
        found.push(condition);
        return;
    }
    match &mut node.node {
        Some(NodeEnum::BoolExpr(e))
            if e.boolop != BoolExprType::NotExpr as i32 && depth < ast::MAX_DEPTH =>
        {
            e.args.iter_mut().for_each(|arg| below(input, names, arg, found, depth + 1));
        }
        _ => {}
    }
}

fn rewritten(input: &Input<'_>, names: &Names, node: &Node) -> Option<(Node, String)> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 || e.name.len() != 1 {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let (wrapped, operator, constant) = match (&left.node, &right.node) {
        (Some(NodeEnum::CoalesceExpr(c)), _) => (c, ast::operator(e), right),
        (_, Some(NodeEnum::CoalesceExpr(c))) => (c, ast::flipped(ast::operator(e))?, left),
        _ => return None,
    };
    let operator = ast::flipped(ast::flipped(operator)?)?;
    let [column, default] = wrapped.args.as_slice() else { return None };
    let known = names.column(input.catalog, column)?;
    is_exact(known.column).then_some(())?;
    let order = order(default, constant, &known.column.type_name)?;
    let holds = match operator {
        "=" => order == Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    };
    // Texts are in the collation's order, not in ours.
    if operator != "=" && !is_integer(&known.column.type_name) {
        return None;
    }
    let bare = ast::binary(column.clone(), operator, constant.clone());
    let (relation, name) = (&known.relation.name, &known.column.name);
    let (default, constant) = (ast::sql(default)?, ast::sql(constant)?);
    Some(match holds {
        false => (
            bare,
            format!(
                "{default} {operator} {constant} does not hold, so a NULL in {relation}.{name} \
                 never meets the condition"
            ),
        ),
        true => (
            make::disjunction(vec![bare, make::null_test(column.clone(), true)])?,
            format!(
                "{default} {operator} {constant} holds, so a NULL in {relation}.{name} always \
                 meets the condition"
            ),
        ),
    })
}

fn is_integer(kind: &str) -> bool {
    matches!(kind, "smallint" | "integer" | "bigint")
}

/// How the default compares with the constant, both of the column's own type.
fn order(default: &Node, constant: &Node, kind: &str) -> Option<Ordering> {
    let value = |node: &Node| match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(value), isnull: false, .. })) => {
            Some(value.clone())
        }
        _ => None,
    };
    match (value(default)?, value(constant)?) {
        (a_const::Val::Ival(a), a_const::Val::Ival(b)) if is_integer(kind) => {
            Some(a.ival.cmp(&b.ival))
        }
        (a_const::Val::Sval(a), a_const::Val::Sval(b))
            if kind == "text" || kind.starts_with("character varying") =>
        {
            Some(a.sval.cmp(&b.sval))
        }
        (a_const::Val::Boolval(a), a_const::Val::Boolval(b)) if kind == "boolean" => {
            Some(a.boolval.cmp(&b.boolval))
        }
        _ => None,
    }
}
