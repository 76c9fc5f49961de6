//! `SELECT … ORDER BY k LIMIT 20 OFFSET 10000` → the keys of the page first, then its rows.

use pg_query::protobuf::{AConst, LimitOption, SelectStmt, SetOperation, a_const};
use pg_query::{Node, NodeEnum};

use super::super::{ast, order};
use super::flat::{flat, gathers, key_within};
use super::names::{Names, replace_each};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "late-row-lookup",
    title: "the page's keys first, and only then its rows",
    clears: &["better-wording", "limit-overread"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    replace_each(statement, |select, names| {
        let (new, checked) = rewritten(input, names, select)?;
        Some((new, vec![checked]))
    })
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
) -> Option<(SelectStmt, String)> {
    let mut bare = select.clone();
    bare.limit_option = LimitOption::Default as i32;
    bare.limit_count.take()?;
    let skips = match &bare.limit_offset.take()?.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(rows)), .. })) => {
            rows.ival >= 100
        }
        Some(NodeEnum::ParamRef(_)) => true,
        _ => false,
    };
    let fits = skips
        && select.op <= SetOperation::SetopNone as i32
        && select.limit_option <= LimitOption::Count as i32
        && ast::is_plain(&bare)
        && select.distinct_clause.is_empty()
        && !select.sort_clause.is_empty()
        && safe::is_stable(select)
        && !select.target_list.iter().any(gathers);
    if !fits || !order::is_total_alone(select, input.catalog) {
        return None;
    }
    let flat = flat(select)?;
    let [(alias, table)] = flat.tables.as_slice() else { return None };
    let entry = names.own().iter().find(|entry| &entry.alias == alias)?;
    let relation = input.catalog.find(entry.relation.as_deref()?)?;
    let all: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let primary = relation.primary_key();
    let key = key_within(input.catalog, relation, primary)
        .or_else(|| key_within(input.catalog, relation, &all))?;
    // Nothing is looked up late where the key is all there is.
    let returned = super::flat::outputs(input.catalog, names, select)?;
    let wide = returned.iter().any(|output| match &output.column {
        Some((_, column)) => !key.contains(&column.as_str()),
        None => true,
    });
    wide.then_some(())?;
    // The inner block knows the output's names no more: its order is by what they stand for.
    let mut sorted = select.sort_clause.clone();
    for item in &mut sorted {
        let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
        let meant = super::super::shape::output(select, sort.node.as_deref()?, true).clone();
        sort.node = Some(Box::new(meant));
    }
    let keys = || key.iter().map(|column| ast::column_node(Some(alias), column));
    let page = SelectStmt {
        target_list: keys().map(|column| make::target(column, "")).collect(),
        sort_clause: sorted,
        ..select.clone()
    };
    let new = SelectStmt {
        from_clause: vec![table.clone()],
        where_clause: Some(Box::new(make::within(make::row(keys().collect()), page))),
        limit_count: None,
        limit_offset: None,
        limit_option: LimitOption::Default as i32,
        ..select.clone()
    };
    Some((
        new,
        format!(
            "{}'s key ({}) is unique and NOT NULL, and the order decides between any two rows: \
             the page's keys lead to the page's rows and no others",
            relation.name,
            key.join(", ")
        ),
    ))
}
