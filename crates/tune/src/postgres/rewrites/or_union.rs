//! `WHERE a.x = 1 OR b.y = 2` over two tables → one branch for each side, joined by UNION ALL.
//!
//! A later branch leaves out what an earlier one gave (`… IS NOT TRUE`), so that no row comes
//! twice and none is lost, whatever the keys and duplicates are.

use std::collections::BTreeSet;

use pg_query::protobuf::{AExprKind, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{flat, gathers, output_name, outputs, refers, with_condition};
use super::names::{Names, replace_each};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "or-to-union",
    title: "the OR over several tables as a UNION ALL of its sides",
    clears: &["better-wording", "or-join-filter", "join-filter"],
    apply,
};

/// More sides than this are not worth so many joins.
const SIDES: usize = 4;

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    replace_each(statement, |select, names| rewritten(input, names, select))
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
) -> Option<(SelectStmt, Vec<String>)> {
    let fits = ast::is_plain(select)
        && select.distinct_clause.is_empty()
        && select.from_clause.len() + joins(select) > 1
        && safe::is_stable(select)
        && !select.target_list.iter().any(gathers);
    if !fits {
        return None;
    }
    let flat = flat(select)?;
    let apart: Vec<usize> = (0..flat.conditions.len())
        .filter(|at| is_apart(input, names, &flat.conditions[*at]))
        .collect();
    let ([at] | [at, _]) = apart.as_slice() else { return None };
    let order = order(input, names, select)?;
    let sides: Vec<Node> = make::disjuncts(&flat.conditions[*at]).into_iter().cloned().collect();
    let mut branches = Vec::new();
    for (number, side) in sides.iter().enumerate() {
        let mut own: Vec<Node> = ast::conjuncts(side).into_iter().cloned().collect();
        own.extend(make::disjunction(sides[..number].to_vec()).map(make::not_true));
        let mut branch = with_condition(select, &flat, *at, own);
        branch.sort_clause.clear();
        branches.push(branch);
    }
    let shown: Vec<String> = sides.iter().filter_map(ast::sql).collect();
    let mut new = make::union_all(branches)?;
    new.sort_clause = order;
    Some((
        new,
        vec![format!(
            "each side ({}) has a branch of its own, and a later branch leaves out the rows an \
             earlier one gives: every row comes as often as before; nothing in it is volatile",
            shown.join("; ")
        )],
    ))
}

fn joins(select: &SelectStmt) -> usize {
    let is_join = |node: &&Node| matches!(node.node, Some(NodeEnum::JoinExpr(_)));
    select.from_clause.iter().filter(is_join).count()
}

/// Whether a condition is an OR whose sides lie in different tables, or join by different
/// columns.
fn is_apart(input: &Input<'_>, names: &Names, condition: &Node) -> bool {
    let sides = make::disjuncts(condition);
    if sides.len() < 2 || sides.len() > SIDES {
        return false;
    }
    let tables: Option<Vec<BTreeSet<String>>> =
        sides.iter().map(|side| refers(input.catalog, names, side)).collect();
    let Some(tables) = tables.filter(|tables| tables.iter().all(|of| !of.is_empty())) else {
        return false;
    };
    if tables.iter().any(|of| of != &tables[0]) {
        return true;
    }
    tables[0].len() == 2
        && sides.iter().all(|side| ast::conjuncts(side).iter().any(|p| joins_by(p)))
}

/// `a.x = b.y`.
fn joins_by(part: &Node) -> bool {
    let Some(NodeEnum::AExpr(e)) = &part.node else { return false };
    let sides =
        (e.lexpr.as_deref().and_then(ast::column), e.rexpr.as_deref().and_then(ast::column));
    e.kind == AExprKind::AexprOp as i32
        && ast::operator(e) == "="
        && matches!(sides, (Some((left, _)), Some((right, _))) if left != right)
}

/// The ORDER BY by the names of the output, as a UNION wants it.
fn order(input: &Input<'_>, names: &Names, select: &SelectStmt) -> Option<Vec<Node>> {
    if select.sort_clause.is_empty() {
        return Some(Vec::new());
    }
    let outputs = outputs(input.catalog, names, select)?;
    let mut order = select.sort_clause.clone();
    for item in &mut order {
        let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
        let node = sort.node.as_deref_mut()?;
        let name = output_name(input.catalog, names, (select, &outputs), node)?;
        *node = ast::column_node(None, &name);
    }
    Some(order)
}
