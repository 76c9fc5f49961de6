//! The newest row of each group, by `row_number() … = 1` or DISTINCT ON → for each row of the
//! table the groups refer to, the first match by LATERAL … LIMIT 1.

use marula_core::{ConstraintKind, Relation};
use pg_query::protobuf::{self, AConst, LimitOption, SelectStmt, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{flat, is_whole, key_within};
use super::names::{Names, replace_each};
use super::naming::{free, taken};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "top1-to-lateral",
    title: "the first row of each group looked up instead of all rows numbered",
    clears: &["better-wording", "disk-sort"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let used = taken(statement);
    let alias = free(&used, "groups");
    let key = free(&used, "group_key");
    replace_each(statement, |select, names| {
        numbered(input, names, select, &alias, &key)
            .or_else(|| first_of(input, names, select, &alias, &key, &used))
    })
}

/// The inner block that gives one row for the group `groups.key`.
struct First {
    inner: SelectStmt,
    groups: Node,
    conditions: Vec<String>,
}

/// `SELECT … FROM (SELECT …, row_number() OVER (PARTITION BY g ORDER BY k) AS rn FROM t) x WHERE
/// rn = 1`.
fn numbered(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
    alias: &str,
    key: &str,
) -> Option<(SelectStmt, Vec<String>)> {
    let [Node { node: Some(NodeEnum::RangeSubselect(sub)) }] = select.from_clause.as_slice() else {
        return None;
    };
    let derived = sub.alias.as_ref().filter(|alias| alias.colnames.is_empty())?;
    let inner = sub.subquery.as_deref().and_then(ast::as_select)?;
    if sub.lateral || !ast::is_plain(inner) || !inner.sort_clause.is_empty() {
        return None;
    }
    let mut number: Option<(usize, String, protobuf::WindowDef)> = None;
    for (at, item) in inner.target_list.iter().enumerate() {
        let Some(NodeEnum::ResTarget(item)) = &item.node else { return None };
        for below in ast::all(item.val.as_deref()?) {
            let Some(NodeEnum::FuncCall(call)) = &below.node else { continue };
            let Some(over) = &call.over else { continue };
            // Two windows, or one inside an expression.
            let alone = number.is_none() && Some(below) == item.val.as_deref();
            (alone && ast::function(call) == "row_number").then_some(())?;
            number = Some((at, item.name.clone(), (**over).clone()));
        }
    }
    let (at, name, over) = number.filter(|(_, name, _)| !name.is_empty())?;
    let condition = select.where_clause.as_deref()?;
    let (own, rest): (Vec<&Node>, Vec<&Node>) = ast::conjuncts(condition)
        .into_iter()
        .partition(|part| is_first(part, &derived.aliasname, &name));
    if own.is_empty() || !over.refname.is_empty() || !over.name.is_empty() {
        return None;
    }
    let [group] = over.partition_clause.as_slice() else { return None };
    let first = first(input, names, inner, (group, &over.order_clause), alias, key)?;
    let mut inner = first.inner;
    if let Some(NodeEnum::ResTarget(item)) = &mut inner.target_list.get_mut(at)?.node {
        item.val = Some(Box::new(ast::cast(make::integer(1), &["pg_catalog", "int8"])));
    }
    let mut new = select.clone();
    new.from_clause = vec![first.groups, make::derived(inner, &derived.aliasname, true)];
    new.where_clause = make::all_of(rest.into_iter().cloned().collect());
    for item in &mut new.target_list {
        if let Some(NodeEnum::ResTarget(item)) = &mut item.node
            && let Some(value) = item.val.as_deref_mut()
            && ast::is_star(value)
        {
            *value = make::star_of(&derived.aliasname);
        }
    }
    Some((new, first.conditions))
}

/// `SELECT DISTINCT ON (g) … FROM t ORDER BY g, k`.
fn first_of(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
    alias: &str,
    key: &str,
    used: &std::collections::BTreeSet<String>,
) -> Option<(SelectStmt, Vec<String>)> {
    let [group] = select.distinct_clause.as_slice() else { return None };
    group.node.as_ref()?;
    let mut bare = select.clone();
    bare.distinct_clause.clear();
    let sorted = std::mem::take(&mut bare.sort_clause);
    if !ast::is_plain(&bare) || bare.target_list.iter().any(super::flat::gathers) {
        return None;
    }
    // The first key of the order is the group; the others decide within it.
    let (head, rest) = sorted.split_first()?;
    let Some(NodeEnum::SortBy(head)) = &head.node else { return None };
    let group = super::super::shape::output(select, group, true);
    let head_node = super::super::shape::output(select, head.node.as_deref()?, true);
    (ast::sql(group)? == ast::sql(head_node)?).then_some(())?;
    let mut order = rest.to_vec();
    for item in &mut order {
        let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
        let meant = super::super::shape::output(select, sort.node.as_deref()?, true).clone();
        sort.node = Some(Box::new(meant));
    }
    let first = first(input, names, &bare, (group, &order), alias, key)?;
    let inner = free(used, "first_row");
    let mut by_group = (**head).clone();
    by_group.node = Some(Box::new(ast::column_node(Some(alias), key)));
    let new = SelectStmt {
        target_list: vec![make::target(make::star_of(&inner), "")],
        from_clause: vec![first.groups, make::derived(first.inner, &inner, true)],
        // The result was in this order, asked for or not.
        sort_clause: vec![ast::node(NodeEnum::SortBy(Box::new(by_group)))],
        ..make::select()
    };
    Some((new, first.conditions))
}

fn first(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
    (group, order): (&Node, &[Node]),
    alias: &str,
    key: &str,
) -> Option<First> {
    if order.is_empty() || !safe::is_stable(select) {
        return None;
    }
    let flat = flat(select)?;
    let [(table, _)] = flat.tables.as_slice() else { return None };
    let inside = names.inside(select);
    let known = inside.column(input.catalog, group)?;
    let fits = known.level == 0 && known.is_never_null() && is_whole(input.catalog, known.relation);
    fits.then_some(())?;
    let mut fixed = vec![known.column.name.clone()];
    for item in order {
        let Some(NodeEnum::SortBy(sort)) = &item.node else { return None };
        let by = inside.column(input.catalog, sort.node.as_deref()?)?;
        (by.level == 0 && sort.use_op.is_empty()).then_some(())?;
        fixed.push(by.column.name.clone());
    }
    let unique = key_within(input.catalog, known.relation, &fixed)?;
    let (parent, column, constraint) = parent(input, known.relation, &known.column.name)?;
    let mut conditions: Vec<Node> = select
        .where_clause
        .as_deref()
        .map(ast::conjuncts)
        .unwrap_or_default()
        .into_iter()
        .cloned()
        .collect();
    conditions.insert(
        0,
        ast::binary(
            ast::column_node(Some(table), &known.column.name),
            "=",
            ast::column_node(Some(alias), key),
        ),
    );
    let inner = SelectStmt {
        where_clause: make::all_of(conditions),
        sort_clause: order.to_vec(),
        limit_count: Some(Box::new(make::integer(1))),
        limit_option: LimitOption::Count as i32,
        ..select.clone()
    };
    let groups = SelectStmt {
        target_list: vec![make::target(ast::column_node(None, column), key)],
        from_clause: vec![table_node(parent)],
        ..make::select()
    };
    Some(First {
        inner,
        groups: make::derived(groups, alias, false),
        conditions: vec![
            format!(
                "{}.{} is NOT NULL and its foreign key {constraint} is validated: {} holds every group",
                known.relation.name, known.column.name, parent.name
            ),
            format!(
                "the order holds {}'s key ({}), so one row of each group is the first",
                known.relation.name,
                unique.join(", ")
            ),
        ],
    })
}

/// The table that holds every value of the column, by a foreign key that is checked at once.
pub(super) fn parent<'c>(
    input: &Input<'c>,
    relation: &'c Relation,
    column: &str,
) -> Option<(&'c Relation, &'c str, &'c str)> {
    relation.constraints.iter().find_map(|constraint| {
        let fits = constraint.kind == ConstraintKind::ForeignKey
            && constraint.validated
            && constraint.columns == [column]
            && !constraint.definition.contains("DEFERRABLE");
        fits.then_some(())?;
        let other = input.catalog.find(constraint.references.as_deref()?)?;
        let key = constraint.referenced_columns.first()?;
        let same = other.column(key)?.type_name == relation.column(column)?.type_name;
        (same && is_whole(input.catalog, other)).then_some((
            other,
            key.as_str(),
            constraint.name.as_str(),
        ))
    })
}

pub(super) fn table_node(relation: &Relation) -> Node {
    ast::node(NodeEnum::RangeVar(protobuf::RangeVar {
        schemaname: relation.schema.clone(),
        relname: relation.name.clone(),
        inh: true,
        relpersistence: "p".into(),
        location: -1,
        ..protobuf::RangeVar::default()
    }))
}

/// `rn = 1`, `rn <= 1`, `rn < 2`.
fn is_first(part: &Node, alias: &str, name: &str) -> bool {
    let Some(NodeEnum::AExpr(e)) = &part.node else { return false };
    let column = e.lexpr.as_deref().and_then(ast::column);
    let own = matches!(column, Some((qualifier, column))
        if column == name && qualifier.is_none_or(|qualifier| qualifier == alias));
    let number = match e.rexpr.as_deref().map(|node| &node.node) {
        Some(Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(number)), .. }))) => {
            number.ival
        }
        _ => return false,
    };
    own && matches!((ast::operator(e), number), ("=" | "<=", 1) | ("<", 2))
}
