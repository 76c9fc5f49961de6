//! `a.x = b.y AND a.x > 5` → and `b.y > 5`: the server carries equalities over a join, not ranges.

use pg_query::protobuf::AExprKind;
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{flat, is_exact};
use super::names::{Known, Names, each_select};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "range-over-join",
    title: "the range for both sides of the join",
    clears: &["better-wording"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        let Some(flat) = flat(select).filter(|flat| flat.tables.len() > 1) else { return };
        let equal: Vec<(Known<'_>, Known<'_>)> =
            flat.conditions.iter().filter_map(|part| equality(input, names, part)).collect();
        let mut ranges: Vec<(Known<'_>, Node)> =
            flat.conditions.iter().filter_map(|part| range(input, names, part)).collect();
        let mut added = Vec::new();
        // What is added may go on over the next join.
        let mut at = 0;
        while at < ranges.len() && added.len() < 8 {
            let (own, condition) = ranges[at].clone();
            at += 1;
            for (left, right) in &equal {
                let other = match () {
                    () if same(left, &own) => right,
                    () if same(right, &own) => left,
                    () => continue,
                };
                if ranges.iter().any(|(known, _)| same(known, other)) {
                    continue;
                }
                let new =
                    over(&condition, &ast::column_node(Some(&other.alias), &other.column.name));
                added.push(new.clone());
                ranges.push((other.clone(), new));
                conditions.push(format!(
                    "{}.{} = {}.{} holds for every row, both are of type {}: what bounds one bounds the other",
                    own.relation.name, own.column.name, other.relation.name, other.column.name,
                    own.column.type_name
                ));
            }
        }
        if !added.is_empty() {
            let own = select.where_clause.take().map(|all| *all);
            let mut parts: Vec<Node> = own.iter().flat_map(ast::conjuncts).cloned().collect();
            parts.extend(added);
            select.where_clause = make::all_of(parts);
        }
    });
    conditions
}

fn same(one: &Known<'_>, other: &Known<'_>) -> bool {
    one.alias == other.alias && one.column.name == other.column.name
}

/// `a.x = b.y` between two tables of the block, of one type in which equal is the same.
fn equality<'c>(input: &Input<'c>, names: &Names, part: &Node) -> Option<(Known<'c>, Known<'c>)> {
    let Some(NodeEnum::AExpr(e)) = &part.node else { return None };
    let plain = e.kind == AExprKind::AexprOp as i32 && e.name.len() == 1 && ast::operator(e) == "=";
    plain.then_some(())?;
    let left = names.column(input.catalog, e.lexpr.as_deref()?)?;
    let right = names.column(input.catalog, e.rexpr.as_deref()?)?;
    let fits = left.level == 0
        && right.level == 0
        && left.alias != right.alias
        && left.column.type_name == right.column.type_name
        && left.column.collation == right.column.collation
        && is_exact(left.column);
    fits.then_some((left, right))
}

/// `a.x > constant`, `a.x BETWEEN … AND …`.
fn range<'c>(input: &Input<'c>, names: &Names, part: &Node) -> Option<(Known<'c>, Node)> {
    let Some(NodeEnum::AExpr(e)) = &part.node else { return None };
    let column = e.lexpr.as_deref()?;
    let value = e.rexpr.as_deref()?;
    let fits = match e.kind {
        kind if kind == AExprKind::AexprOp as i32 => {
            e.name.len() == 1 && matches!(ast::operator(e), "<" | "<=" | ">" | ">=")
        }
        kind => kind == AExprKind::AexprBetween as i32,
    };
    let known = names.column(input.catalog, column)?;
    let constant = ast::is_constant(value) && safe::is_stable_below(value);
    (fits && constant && known.level == 0).then(|| (known, part.clone()))
}

/// The same condition over another column.
fn over(condition: &Node, column: &Node) -> Node {
    let mut new = condition.clone();
    if let Some(NodeEnum::AExpr(e)) = &mut new.node {
        e.lexpr = Some(Box::new(column.clone()));
    }
    new
}
