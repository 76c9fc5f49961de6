//! `SELECT count(DISTINCT x) FROM t` → `SELECT count(x) FROM (SELECT x FROM t GROUP BY x) d`.

use pg_query::protobuf::{FuncCall, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::is_exact;
use super::names::{Names, replace_each};
use super::naming::{free, implied, taken};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "count-distinct-to-group",
    title: "the distinct values grouped first, then counted",
    clears: &["better-wording", "disk-sort"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let alias = free(&taken(statement), "distinct_rows");
    replace_each(statement, |select, names| {
        let (new, checked) = rewritten(input, names, select, &alias)?;
        Some((new, vec![checked]))
    })
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
    alias: &str,
) -> Option<(SelectStmt, String)> {
    let mut bare = select.clone();
    let groups = std::mem::take(&mut bare.group_clause);
    let fits = ast::is_plain(&bare)
        && select.distinct_clause.is_empty()
        && !select.group_distinct
        && safe::is_stable(select);
    if !fits {
        return None;
    }
    // The grouped columns, all plain and of the block.
    let mut columns: Vec<Node> = Vec::new();
    let mut grouped: Vec<String> = Vec::new();
    for item in &groups {
        let item = super::super::shape::output(select, item, false);
        let known = names.column(input.catalog, item)?;
        (known.level == 0 && is_exact(known.column)).then_some(())?;
        // Under one name in the derived table.
        (!grouped.contains(&known.column.name)).then_some(())?;
        grouped.push(known.column.name.clone());
        columns.push(item.clone());
    }
    let mut counted: Option<(String, Node)> = None;
    let mut targets = Vec::new();
    for item in &select.target_list {
        let Some(NodeEnum::ResTarget(item)) = &item.node else { return None };
        let value = item.val.as_deref()?;
        let name = if item.name.is_empty() { implied(value) } else { item.name.clone() };
        if let Some(argument) = distinct_count(value) {
            let known = names.column(input.catalog, argument)?;
            (known.level == 0 && counted.is_none()).then_some(())?;
            counted = Some((known.column.name.clone(), argument.clone()));
            let Some(NodeEnum::FuncCall(call)) = &value.node else { return None };
            let column = ast::column_node(Some(alias), &known.column.name);
            let count = FuncCall { agg_distinct: false, args: vec![column], ..(**call).clone() };
            let count = ast::node(NodeEnum::FuncCall(Box::new(count)));
            let own = if implied(&count) == name { "" } else { &name };
            targets.push(make::target(count, own));
        } else {
            let known = names.column(input.catalog, value)?;
            (known.level == 0 && grouped.contains(&known.column.name)).then_some(())?;
            let column = ast::column_node(Some(alias), &known.column.name);
            let own = if known.column.name == name { "" } else { &name };
            targets.push(make::target(column, own));
        }
    }
    let (name, argument) = counted?;
    (!grouped.contains(&name)).then_some(())?;
    let mut sorted = select.sort_clause.clone();
    for item in &mut sorted {
        let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
        let node = sort.node.as_deref_mut()?;
        let meant = super::super::shape::output(select, node, true);
        if let Some(known) = names.column(input.catalog, meant) {
            grouped.contains(&known.column.name).then_some(())?;
            *node = ast::column_node(Some(alias), &known.column.name);
        } else if distinct_count(meant).is_some() {
            let at = select.target_list.iter().position(|target| {
                super::super::shape::target_value(target).and_then(ast::sql) == ast::sql(meant)
            })?;
            *node = make::integer(i32::try_from(at + 1).ok()?);
        } else {
            return None;
        }
    }
    columns.push(argument);
    let inner = SelectStmt {
        target_list: columns.iter().map(|column| make::target(column.clone(), "")).collect(),
        group_clause: columns,
        sort_clause: Vec::new(),
        ..bare
    };
    let again = |column: &String| ast::column_node(Some(alias), column);
    let new = SelectStmt {
        target_list: targets,
        from_clause: vec![make::derived(inner, alias, false)],
        group_clause: grouped.iter().map(again).collect(),
        sort_clause: sorted,
        ..make::select()
    };
    Some((
        new,
        format!(
            "count({name}) over one row for each value leaves NULL out as count(DISTINCT {name}) does"
        ),
    ))
}

/// The plain column of `count(DISTINCT column)`.
fn distinct_count(value: &Node) -> Option<&Node> {
    let Some(NodeEnum::FuncCall(call)) = &value.node else { return None };
    let plain = ast::function(call) == "count"
        && call.agg_distinct
        && call.over.is_none()
        && call.agg_filter.is_none()
        && call.agg_order.is_empty();
    match call.args.as_slice() {
        [one] if plain && ast::column(one).is_some() => Some(one),
        _ => None,
    }
}
