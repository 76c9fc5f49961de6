//! What the server calls an output column that was given no name, and names nobody uses yet.

use std::collections::BTreeSet;

use pg_query::protobuf::{Alias, MinMaxOp, SubLinkType};
use pg_query::{Node, NodeEnum};

use super::ast;

/// The name of an output column without one, as the server finds it (`FigureColname`).
pub fn implied(value: &Node) -> String {
    figure(value, 0).0.unwrap_or_else(|| "?column?".into())
}

/// The name, and whether it is more than the type of a cast.
fn figure(value: &Node, depth: usize) -> (Option<String>, bool) {
    let sure = |name: &str| (Some(name.to_owned()), true);
    let inside = |inner: Option<&Node>| match inner {
        Some(inner) if depth < ast::MAX_DEPTH => figure(inner, depth + 1),
        _ => (None, false),
    };
    match &value.node {
        Some(NodeEnum::ColumnRef(column)) => {
            column.fields.iter().rev().find_map(ast::string).map_or((None, false), sure)
        }
        Some(NodeEnum::AIndirection(part)) => {
            match part.indirection.iter().rev().find_map(ast::string) {
                Some(name) => sure(name),
                None => inside(part.arg.as_deref()),
            }
        }
        Some(NodeEnum::FuncCall(call)) => sure(ast::function(call)),
        Some(NodeEnum::CollateClause(collate)) => inside(collate.arg.as_deref()),
        Some(NodeEnum::TypeCast(cast)) => {
            let found = inside(cast.arg.as_deref());
            let kind = cast.type_name.as_ref().and_then(|kind| kind.names.last());
            match (found.1, kind.and_then(ast::string)) {
                (false, Some(kind)) => (Some(kind.into()), false),
                _ => found,
            }
        }
        Some(NodeEnum::CaseExpr(case)) => match inside(case.defresult.as_deref()) {
            (name, true) => (name, true),
            _ => (Some("case".into()), false),
        },
        Some(NodeEnum::SubLink(link)) if link.sub_link_type == SubLinkType::ExprSublink as i32 => {
            let select = link.subselect.as_deref().and_then(ast::as_select);
            match select.and_then(|select| select.target_list.first()).map(|first| &first.node) {
                Some(Some(NodeEnum::ResTarget(target))) if !target.name.is_empty() => {
                    sure(&target.name)
                }
                Some(Some(NodeEnum::ResTarget(target))) => inside(target.val.as_deref()),
                _ => (None, false),
            }
        }
        Some(NodeEnum::SubLink(link)) => match link.sub_link_type {
            kind if kind == SubLinkType::ExistsSublink as i32 => sure("exists"),
            kind if kind == SubLinkType::ArraySublink as i32 => sure("array"),
            _ => (None, false),
        },
        Some(NodeEnum::CoalesceExpr(_)) => sure("coalesce"),
        Some(NodeEnum::MinMaxExpr(e)) => match e.op {
            op if op == MinMaxOp::IsLeast as i32 => sure("least"),
            _ => sure("greatest"),
        },
        Some(NodeEnum::AArrayExpr(_)) => sure("array"),
        Some(NodeEnum::RowExpr(_)) => sure("row"),
        _ => (None, false),
    }
}

/// The bare column names and the names of FROM items and CTEs a statement uses.
pub fn taken(statement: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let alias = |alias: Option<&Alias>| alias.map(|alias| alias.aliasname.clone());
    for node in ast::all(statement) {
        match &node.node {
            Some(NodeEnum::ColumnRef(column)) => {
                found.extend(column.fields.first().and_then(ast::string).map(str::to_owned));
            }
            Some(NodeEnum::RangeVar(table)) => {
                found.insert(table.relname.clone());
                found.extend(alias(table.alias.as_ref()));
            }
            Some(NodeEnum::RangeSubselect(sub)) => found.extend(alias(sub.alias.as_ref())),
            Some(NodeEnum::RangeFunction(call)) => found.extend(alias(call.alias.as_ref())),
            Some(NodeEnum::JoinExpr(join)) => found.extend(alias(join.alias.as_ref())),
            Some(NodeEnum::CommonTableExpr(cte)) => {
                found.insert(cte.ctename.clone());
            }
            _ => {}
        }
    }
    found
}

/// `wanted`, or the same with underscores behind it where the statement uses it already.
pub fn free(taken: &BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    name
}
