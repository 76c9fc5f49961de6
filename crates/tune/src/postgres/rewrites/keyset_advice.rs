//! `LIMIT 20 OFFSET 10000` as the page after the last row seen: a change of the interface, and so
//! told rather than offered.

use pg_query::protobuf::{LimitOption, SelectStmt, SetOperation, SortByDir, SortByNulls};
use pg_query::{Node, NodeEnum};

use super::super::{ast, order};
use super::flat::{flat, key_within, never_null};
use super::names::each_select;
use super::{Input, deparse, make};

/// The statement that asks for the page after `$last_…`, or what stands in its way; `None` when
/// the statement has no OFFSET over one table.
pub(super) fn advice(input: &Input<'_>, statement: &Node) -> Option<String> {
    let mut statement = statement.clone();
    let mut found = None;
    each_select(&mut statement, &mut |select, names| {
        if found.is_none() && select.limit_offset.is_some() {
            found = page(input, select, names);
        }
    });
    found
}

fn page(input: &Input<'_>, select: &SelectStmt, names: &super::names::Names) -> Option<String> {
    let mut bare = select.clone();
    bare.limit_offset = None;
    bare.limit_count = None;
    bare.limit_option = LimitOption::Default as i32;
    if select.op > SetOperation::SetopNone as i32 || !ast::is_plain(&bare) {
        return None;
    }
    let flat = flat(select)?;
    let [(alias, _)] = flat.tables.as_slice() else { return None };
    let entry = names.own().iter().find(|entry| &entry.alias == alias)?;
    let relation = input.catalog.find(entry.relation.as_deref()?)?;
    let mut columns: Vec<Node> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    let mut ways: Vec<bool> = Vec::new();
    for item in &select.sort_clause {
        let Some(NodeEnum::SortBy(sort)) = &item.node else { return None };
        let meant = super::super::shape::output(select, sort.node.as_deref()?, true);
        let known = names.column(input.catalog, meant)?;
        if !never_null(relation, &known.column.name)
            || sort.sortby_nulls > SortByNulls::SortbyNullsDefault as i32
        {
            return Some(format!(
                "Keyset pagination needs {}.{} to be NOT NULL.",
                relation.name, known.column.name
            ));
        }
        ways.push(sort.sortby_dir == SortByDir::SortbyDesc as i32);
        named.push(known.column.name.clone());
        columns.push(meant.clone());
    }
    if named.is_empty() {
        return Some("Without ORDER BY a page is any rows: there is nothing to go on from.".into());
    }
    if key_within(input.catalog, relation, &named).is_none()
        || !order::is_total_alone(select, input.catalog)
    {
        return Some(format!(
            "ORDER BY {} leaves open which of two rows comes first: add the primary key to the order, \
             then ask for what comes after the last row seen.",
            named.join(", ")
        ));
    }
    if ways.iter().any(|way| way != &ways[0]) {
        return Some(format!(
            "ORDER BY {} goes both ways, so the page's start is no single comparison of rows.",
            named.join(", ")
        ));
    }
    let last = named.iter().map(|name| ast::column_node(Some("last_row"), name)).collect();
    let start = ast::binary(make::row(columns), if ways[0] { "<" } else { ">" }, make::row(last));
    let mut parts: Vec<Node> = select
        .where_clause
        .as_deref()
        .map(ast::conjuncts)
        .unwrap_or_default()
        .into_iter()
        .cloned()
        .collect();
    parts.push(start);
    let new =
        SelectStmt { where_clause: make::all_of(parts), limit_offset: None, ..select.clone() };
    let text = deparse(&make::query(new))?;
    Some(format!("The next page, with the keys of the last row seen in place of last_row: {text}"))
}
