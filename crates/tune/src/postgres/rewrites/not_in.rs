//! `x NOT IN (SELECT y …)` → `NOT EXISTS (SELECT 1 … WHERE x = y)`.

use pg_query::protobuf::{self, AConst, BoolExprType, ResTarget, SubLinkType, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::conditions::{Other, mend};
use super::names::{Known, Names};
use super::{Input, Rewrite, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "not-in-to-not-exists",
    title: "NOT IN (SELECT …) as NOT EXISTS",
    clears: &["not-subplan", "unhashed-subplan"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    mend(input, statement, |input, node, names| rewritten(input, negated(node)?, names))
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

fn rewritten(input: &Input<'_>, link: &protobuf::SubLink, names: &Names) -> Option<Other> {
    let select = link.subselect.as_deref().and_then(ast::as_select)?;
    if !ast::is_plain(select) || !safe::is_stable(select) {
        return None;
    }
    let outer = names.column(input.catalog, link.testexpr.as_deref()?)?;
    let inside = names.inside(select);
    let target = ast::only_target(select)?;
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
    let never_null = |side: &Known<'_>| {
        format!(
            "{}.{} is NOT NULL in the catalogue, and no outer join makes it NULL",
            side.relation.name, side.column.name
        )
    };
    let conditions = vec![never_null(&outer), never_null(&inner)];
    let exists = ast::negation(ast::node(NodeEnum::SubLink(Box::new(protobuf::SubLink {
        sub_link_type: SubLinkType::ExistsSublink as i32,
        subselect: Some(Box::new(ast::node(NodeEnum::SelectStmt(Box::new(new))))),
        ..protobuf::SubLink::default()
    }))));
    Some((exists, conditions))
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
