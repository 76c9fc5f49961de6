//! `x IN (VALUES (1), (2))` → `x IN (1, 2)`. PostgreSQL 18 does it itself.

use pg_query::protobuf::{self, AConst, AExprKind, SubLinkType, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::conditions::{Other, mend};
use super::names::Names;
use super::{Input, Rewrite};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "values-to-any",
    title: "the list of values without VALUES",
    clears: &["better-wording"],
    apply,
};

/// More than this and a join to the values may well be better.
const FEW: usize = 200;

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    if input.catalog.version.major >= 18 {
        return Vec::new();
    }
    mend(input, statement, rewritten)
}

fn rewritten(input: &Input<'_>, node: &Node, names: &Names) -> Option<Other> {
    let Some(NodeEnum::SubLink(link)) = &node.node else { return None };
    if link.sub_link_type != SubLinkType::AnySublink as i32 || !ast::is_equality(link) {
        return None;
    }
    let select = link.subselect.as_deref().and_then(ast::as_select)?;
    let bare = select.values_lists.len() <= FEW
        && select.sort_clause.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.with_clause.is_none();
    if !bare || select.values_lists.is_empty() {
        return None;
    }
    let column = link.testexpr.as_deref()?;
    let known = names.column(input.catalog, column)?;
    let kind = known.column.type_name.as_str();
    let mut values = Vec::new();
    for list in &select.values_lists {
        let Some(NodeEnum::List(list)) = &list.node else { return None };
        let [value] = list.items.as_slice() else { return None };
        let Some(NodeEnum::AConst(constant)) = &value.node else { return None };
        same_type(constant, kind).then_some(())?;
        values.push(value.clone());
    }
    let list = ast::node(NodeEnum::List(protobuf::List { items: values }));
    let new = ast::node(NodeEnum::AExpr(Box::new(protobuf::AExpr {
        kind: AExprKind::AexprIn as i32,
        name: vec![ast::name("=")],
        lexpr: Some(Box::new(column.clone())),
        rexpr: Some(Box::new(list)),
        location: -1,
        ..protobuf::AExpr::default()
    })));
    let (relation, name) = (&known.relation.name, &known.column.name);
    let many = select.values_lists.len();
    Some((
        new,
        vec![format!("{relation}.{name} is of type {kind}, and so are the {many} constants")],
    ))
}

/// Whether a constant is compared with the column in the same way in both wordings.
fn same_type(constant: &AConst, kind: &str) -> bool {
    match &constant.val {
        Some(a_const::Val::Ival(_)) => matches!(kind, "smallint" | "integer" | "bigint"),
        Some(a_const::Val::Sval(_)) => kind == "text" || kind.starts_with("character varying"),
        _ => false,
    }
}
