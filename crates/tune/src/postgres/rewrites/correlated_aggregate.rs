//! `(SELECT sum(x) FROM t WHERE t.k = o.id)` per row → a LEFT JOIN to the sums of all groups.

mod join;

use std::collections::BTreeSet;

use pg_query::protobuf::{AExprKind, SelectStmt, SetOperation, SubLinkType};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::names::{Known, Names, each_select};
use super::naming::{free, implied, taken};
use super::{Input, Rewrite, safe};
use join::{coalesce, join, key_name, target, zero};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "correlated-aggregate-to-join",
    title: "the aggregate computed once for all groups and joined",
    clears: &["unhashed-subplan"],
    apply,
};

/// Aggregates whose result does not depend on the order of the rows.
const UNORDERED: [&str; 7] = ["sum", "count", "min", "max", "avg", "bool_and", "bool_or"];

/// A correlated aggregate that can be joined.
struct Grouped {
    /// The derived table.
    select: SelectStmt,
    /// The outer columns, in the order of the keys.
    outer: Vec<Node>,
    /// The outer name whose FROM item the join hangs on.
    anchor: String,
    /// Whether nothing found means 0 rather than NULL.
    counts: bool,
    /// What was written around the aggregate inside the subquery: `coalesce(…, constant)`.
    otherwise: Option<Node>,
    conditions: Vec<String>,
}

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    let mut number = 0;
    let taken = taken(statement);
    each_select(statement, &mut |select, names| {
        if !takes_a_join(select) {
            return;
        }
        let mut found = Vec::new();
        let mut mend = |node: &mut Node| {
            replace(input, node, (names, &taken), &mut number, &mut found, 0);
        };
        for item in &mut select.target_list {
            let Some(NodeEnum::ResTarget(item)) = &mut item.node else { continue };
            let Some(value) = item.val.as_deref_mut() else { continue };
            // Who reads the result, or the block around this one, knows the column by name.
            let before = implied(value);
            mend(value);
            if item.name.is_empty() && implied(value) != before {
                item.name = before;
            }
        }
        if let Some(condition) = select.where_clause.as_deref_mut() {
            mend(condition);
        }
        for (alias, grouped) in found {
            conditions.extend(grouped.conditions.iter().cloned());
            join(select, &alias, &taken, grouped);
        }
    });
    conditions
}

/// Whether one more joined row per row changes nothing else in the block.
fn takes_a_join(select: &SelectStmt) -> bool {
    let star = select.target_list.iter().any(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => match target.val.as_deref().map(|val| &val.node) {
            Some(Some(NodeEnum::ColumnRef(column))) => {
                column.fields.len() == 1 && ast::string(&column.fields[0]).is_none()
            }
            _ => false,
        },
        _ => true,
    });
    let aggregates = select.target_list.iter().any(ast::has_aggregate);
    select.op <= SetOperation::SetopNone as i32
        && !star
        && !aggregates
        && select.group_clause.is_empty()
        && select.having_clause.is_none()
        && select.locking_clause.is_empty()
        && !select.from_clause.is_empty()
}

fn replace(
    input: &Input<'_>,
    node: &mut Node,
    (names, taken): (&Names, &BTreeSet<String>),
    number: &mut usize,
    found: &mut Vec<(String, Grouped)>,
    depth: usize,
) {
    if let Some(NodeEnum::SubLink(link)) = &node.node {
        if link.sub_link_type == SubLinkType::ExprSublink as i32
            && let Some(select) = link.subselect.as_deref().and_then(ast::as_select)
            && let Some(grouped) = grouped(input, select, names, taken)
        {
            *number += 1;
            let alias = free(taken, &format!("grouped_{number}"));
            let value = ast::column_node(Some(&alias), &free(taken, "value"));
            *node = match (&grouped.otherwise, grouped.counts) {
                (Some(otherwise), _) => coalesce(value, otherwise.clone()),
                (None, true) => coalesce(value, zero()),
                (None, false) => value,
            };
            found.push((alias, grouped));
        }
        return;
    }
    if depth < ast::MAX_DEPTH {
        ast::children_mut(node, &mut |child| {
            replace(input, child, (names, taken), number, found, depth + 1)
        });
    }
}

fn grouped(
    input: &Input<'_>,
    select: &SelectStmt,
    names: &Names,
    taken: &BTreeSet<String>,
) -> Option<Grouped> {
    if !is_plain(select) || !safe::is_stable(select) {
        return None;
    }
    let inside = names.inside(select);
    let (aggregate, otherwise) = aggregate(select)?;
    let Some(NodeEnum::FuncCall(call)) = &aggregate.node else { return None };
    let name = ast::function(call);
    let mut conditions = Vec::new();
    for argument in call.args.iter().chain(call.agg_filter.as_deref()) {
        all_inside(input, argument, &inside)?;
    }
    if matches!(name, "sum" | "avg") {
        exact(input, call.args.first()?, &inside)?;
    }
    let (mut rest, mut keys, mut outer) = (Vec::new(), Vec::new(), Vec::new());
    let mut anchor: Option<String> = None;
    for condition in select.where_clause.as_deref().map(ast::conjuncts).unwrap_or_default() {
        if all_inside(input, condition, &inside).is_some() {
            rest.push(condition.clone());
            continue;
        }
        let (own, other) = correlated(input, condition, &inside)?;
        let same =
            own.column.type_name == other.column.type_name || (integer(&own) && integer(&other));
        if !same || float(&own) || own.column.collation != other.column.collation {
            return None;
        }
        conditions.push(format!(
            "{}.{} and {}.{} are of one type, so a row finds one group at most",
            own.relation.name, own.column.name, other.relation.name, other.column.name
        ));
        if anchor.get_or_insert_with(|| other.alias.clone()) != &other.alias {
            return None;
        }
        keys.push(ast::column_node(Some(&own.alias), &own.column.name));
        outer.push(ast::column_node(Some(&other.alias), &other.column.name));
    }
    let anchor = anchor?;
    let counts = name == "count";
    if counts && otherwise.is_some() {
        return None;
    }
    conditions.push(match (counts, otherwise.is_some()) {
        (true, _) => "count() of no rows is 0: kept by coalesce".into(),
        (false, true) => "the default for no rows is a constant: kept by coalesce".into(),
        (false, false) => format!("{name}() of no rows is NULL, as is a LEFT JOIN that finds none"),
    });
    let mut targets: Vec<Node> =
        keys.iter().enumerate().map(|(n, key)| target(key.clone(), &key_name(taken, n))).collect();
    targets.push(target(aggregate.clone(), &free(taken, "value")));
    let select = SelectStmt {
        target_list: targets,
        where_clause: ast::conjunction(rest).map(Box::new),
        group_clause: keys,
        ..select.clone()
    };
    Some(Grouped { select, outer, anchor, counts, otherwise, conditions })
}

/// The one aggregate a subquery selects, and the constant of a `coalesce` around it.
fn aggregate(select: &SelectStmt) -> Option<(&Node, Option<Node>)> {
    let [Node { node: Some(NodeEnum::ResTarget(target)) }] = select.target_list.as_slice() else {
        return None;
    };
    let value = target.val.as_deref()?;
    let (value, otherwise) = match &value.node {
        Some(NodeEnum::CoalesceExpr(e)) => match e.args.as_slice() {
            [value, constant] if ast::is_constant(constant) => (value, Some(constant.clone())),
            _ => return None,
        },
        _ => (value, None),
    };
    match &value.node {
        Some(NodeEnum::FuncCall(call))
            if UNORDERED.contains(&ast::function(call))
                && call.over.is_none()
                && call.agg_order.is_empty() =>
        {
            Some((value, otherwise))
        }
        _ => None,
    }
}

fn is_plain(select: &SelectStmt) -> bool {
    ast::is_plain(select)
        && select.distinct_clause.is_empty()
        && select.sort_clause.is_empty()
        && select.from_clause.iter().all(|item| {
            !ast::all(item).iter().any(|below| {
                // What stands in FROM may be correlated itself.
                matches!(below.node, Some(NodeEnum::RangeSubselect(_) | NodeEnum::RangeFunction(_)))
            })
        })
}

/// All columns belong to the subquery, and nothing in it can fail for rows of other groups.
fn all_inside(input: &Input<'_>, node: &Node, inside: &Names) -> Option<()> {
    for below in ast::all(node) {
        match &below.node {
            Some(NodeEnum::ColumnRef(_)) => {
                (inside.column(input.catalog, below)?.level == 0).then_some(())?;
            }
            Some(NodeEnum::SubLink(_) | NodeEnum::ParamRef(_)) => return None,
            Some(NodeEnum::AExpr(e)) if matches!(ast::operator(e), "/" | "%" | "^") => return None,
            Some(NodeEnum::TypeCast(cast))
                if !cast.arg.as_deref().is_some_and(ast::is_constant) =>
            {
                return None;
            }
            _ => {}
        }
    }
    Some(())
}

/// Sums of floating-point numbers depend on the order of the rows.
fn exact(input: &Input<'_>, argument: &Node, inside: &Names) -> Option<()> {
    for below in ast::all(argument) {
        if let Some(NodeEnum::ColumnRef(_)) = below.node
            && float(&inside.column(input.catalog, below)?)
        {
            return None;
        }
    }
    Some(())
}

/// The two sides of `inner = outer`, the inner one first.
fn correlated<'c>(
    input: &Input<'c>,
    condition: &Node,
    inside: &Names,
) -> Option<(Known<'c>, Known<'c>)> {
    let Some(NodeEnum::AExpr(e)) = &condition.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 || ast::operator(e) != "=" {
        return None;
    }
    let left = inside.column(input.catalog, e.lexpr.as_deref()?)?;
    let right = inside.column(input.catalog, e.rexpr.as_deref()?)?;
    match (left.level, right.level) {
        (0, 1) => Some((left, right)),
        (1, 0) => Some((right, left)),
        _ => None,
    }
}

fn integer(known: &Known<'_>) -> bool {
    matches!(known.column.type_name.as_str(), "integer" | "bigint" | "smallint")
}

fn float(known: &Known<'_>) -> bool {
    matches!(known.column.type_name.as_str(), "real" | "double precision")
}
