//! `SELECT DISTINCT a.… FROM a JOIN b …` → `SELECT a.… FROM a WHERE EXISTS (SELECT 1 FROM b …)`.

use pg_query::protobuf::SelectStmt;
use pg_query::{Node, NodeEnum};

use super::super::{ast, order};
use super::flat::{flat, key_within, outputs, qualify, refers};
use super::names::{Names, replace_each};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "distinct-to-exists",
    title: "EXISTS instead of a join whose copies DISTINCT removes",
    clears: &["better-wording", "fan-out-distinct"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    replace_each(statement, |select, names| rewritten(input, names, select))
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
) -> Option<(SelectStmt, Vec<String>)> {
    let mut bare = select.clone();
    let limited = bare.limit_count.take().is_some() | bare.limit_offset.take().is_some();
    if limited {
        bare.limit_option = make::select().limit_option;
    }
    // DISTINCT, or GROUP BY without anything to compute.
    let distinct = matches!(select.distinct_clause.as_slice(), [one] if one.node.is_none());
    let grouped = !select.group_clause.is_empty();
    bare.group_clause.clear();
    let fits = distinct != grouped
        && (distinct || select.distinct_clause.is_empty())
        && ast::is_plain(&bare)
        && safe::is_stable(select)
        && !select.target_list.iter().any(ast::has_aggregate);
    if !fits || (limited && !order::is_total_alone(select, input.catalog)) {
        return None;
    }
    let flat = flat(select)?;
    if flat.tables.len() < 2 {
        return None;
    }
    let outputs = outputs(input.catalog, names, select)?;
    let main = outputs.first()?.column.as_ref()?.0.clone();
    let columns: Option<Vec<String>> = match grouped {
        // What a row of the group is known by; the rest depends on it.
        true => {
            let own = select.group_clause.iter().map(|item| {
                let item = super::super::shape::output(select, item, false);
                let known = names.column(input.catalog, item)?;
                (known.level == 0 && known.alias == main).then(|| known.column.name.clone())
            });
            own.collect()
        }
        false => Some(Vec::new()),
    };
    let mut columns = columns?;
    for output in &outputs {
        let (alias, column) = output.column.as_ref()?;
        (alias == &main).then_some(())?;
        if distinct {
            columns.push(column.clone());
        }
    }
    let entry = names.own().iter().find(|entry| entry.alias == main)?;
    let relation = input.catalog.find(entry.relation.as_deref()?)?;
    let key = key_within(input.catalog, relation, &columns)?;
    for item in &select.sort_clause {
        let Some(NodeEnum::SortBy(sort)) = &item.node else { return None };
        let item = super::super::shape::output(select, sort.node.as_deref()?, true);
        let of = refers(input.catalog, names, item)?;
        of.iter().all(|alias| alias == &main).then_some(())?;
    }
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    for condition in &flat.conditions {
        let of = refers(input.catalog, names, condition)?;
        match of.iter().all(|alias| alias == &main) {
            true => outer.push(condition.clone()),
            false => inner.push(condition.clone()),
        }
    }
    // Inside the subquery every name is spelled out: a bare one might mean another table there.
    let mut known = true;
    for condition in &mut inner {
        qualify(input.catalog, names, condition, &mut known, 0);
    }
    known.then_some(())?;
    let (own, others): (Vec<_>, Vec<_>) = flat.tables.iter().partition(|(alias, _)| alias == &main);
    let exists = SelectStmt {
        target_list: vec![make::target(make::integer(1), "")],
        from_clause: others.iter().map(|(_, table)| table.clone()).collect(),
        where_clause: make::all_of(inner),
        ..make::select()
    };
    outer.push(make::exists(exists));
    // A bare star meant all tables: then the outputs would not all be the one's. It stays.
    let new = SelectStmt {
        distinct_clause: Vec::new(),
        group_clause: Vec::new(),
        from_clause: own.iter().map(|(_, table)| table.clone()).collect(),
        where_clause: make::all_of(outer),
        ..select.clone()
    };
    Some((
        new,
        vec![
            format!(
                "{}'s key ({}) is returned, NOT NULL and unique: its rows are distinct by themselves",
                relation.name,
                key.join(", ")
            ),
            "only columns of that table are returned and sorted by".into(),
        ],
    ))
}
