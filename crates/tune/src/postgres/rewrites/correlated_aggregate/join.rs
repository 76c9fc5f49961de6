//! The derived table as a join, and the nodes it is made of.

use std::collections::BTreeSet;

use pg_query::protobuf::{
    self, AConst, Alias, JoinExpr, JoinType, RangeSubselect, ResTarget, SelectStmt, a_const,
};
use pg_query::{Node, NodeEnum};

use super::super::super::ast;
use super::super::naming::free;
use super::Grouped;

/// Hangs the derived table on the FROM item the outer columns come from.
pub(super) fn join(
    select: &mut SelectStmt,
    alias: &str,
    taken: &BTreeSet<String>,
    grouped: Grouped,
) {
    let on = grouped
        .outer
        .into_iter()
        .enumerate()
        .map(|(n, outer)| {
            ast::binary(ast::column_node(Some(alias), &key_name(taken, n)), "=", outer)
        })
        .collect();
    let derived = ast::node(NodeEnum::RangeSubselect(
        RangeSubselect {
            lateral: false,
            subquery: Some(Box::new(ast::node(NodeEnum::SelectStmt(Box::new(grouped.select))))),
            alias: Some(Alias { aliasname: alias.into(), colnames: Vec::new() }),
        }
        .into(),
    ));
    let Some(item) = select.from_clause.iter_mut().find(|item| stands_in(item, &grouped.anchor))
    else {
        return;
    };
    let left = std::mem::take(item);
    *item = ast::node(NodeEnum::JoinExpr(Box::new(JoinExpr {
        jointype: JoinType::JoinLeft as i32,
        larg: Some(Box::new(left)),
        rarg: Some(Box::new(derived)),
        quals: ast::conjunction(on).map(Box::new),
        ..JoinExpr::default()
    })));
}

/// Whether `alias` is one of the names a FROM item gives.
fn stands_in(item: &Node, alias: &str) -> bool {
    match &item.node {
        Some(NodeEnum::RangeVar(table)) => {
            table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname) == alias
        }
        Some(NodeEnum::JoinExpr(join)) => {
            [&join.larg, &join.rarg].into_iter().flatten().any(|side| stands_in(side, alias))
        }
        _ => false,
    }
}

pub(super) fn key_name(taken: &BTreeSet<String>, number: usize) -> String {
    free(taken, &format!("key_{}", number + 1))
}

pub(super) fn target(value: Node, name: &str) -> Node {
    ast::node(NodeEnum::ResTarget(Box::new(ResTarget {
        name: name.into(),
        val: Some(Box::new(value)),
        location: -1,
        ..ResTarget::default()
    })))
}

pub(super) fn coalesce(value: Node, otherwise: Node) -> Node {
    ast::node(NodeEnum::CoalesceExpr(Box::new(protobuf::CoalesceExpr {
        args: vec![value, otherwise],
        location: -1,
        ..protobuf::CoalesceExpr::default()
    })))
}

pub(super) fn zero() -> Node {
    ast::node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Ival(protobuf::Integer { ival: 0 })),
    }))
}
