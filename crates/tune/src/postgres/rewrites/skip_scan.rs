//! `SELECT DISTINCT x FROM t` with few values → a recursive query that jumps from value to value
//! through an index.

use marula_core::Relation;
use pg_query::protobuf::{
    CommonTableExpr, CteMaterialize, LimitOption, SelectStmt, SetOperation, WithClause,
};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{flat, is_exact, never_null};
use super::names::{Names, replace_each};
use super::naming::{free, taken};
use super::{Input, Rewrite, make};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "distinct-to-skip-scan",
    title: "the few distinct values by jumping through the index",
    clears: &["better-wording"],
    apply,
};

/// So many rows a value must have at least for a jump to be cheaper than reading on.
const ROWS_PER_VALUE: f64 = 50.0;

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let alias = free(&taken(statement), "jumps");
    replace_each(statement, |select, names| rewritten(input, names, select, &alias))
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
    alias: &str,
) -> Option<(SelectStmt, Vec<String>)> {
    let mut bare = select.clone();
    let distinct = matches!(select.distinct_clause.as_slice(), [one] if one.node.is_none());
    let groups = std::mem::take(&mut bare.group_clause);
    let fits = distinct != (groups.len() == 1)
        && (distinct || select.distinct_clause.is_empty())
        && ast::is_plain(&bare)
        && select.where_clause.is_none();
    if !fits {
        return None;
    }
    let flat = flat(select)?;
    let [(table, from)] = flat.tables.as_slice() else { return None };
    let value = ast::only_target(select)?;
    let Some(NodeEnum::ResTarget(item)) = &select.target_list.first()?.node else { return None };
    let known = names.column(input.catalog, value)?;
    let (relation, column) = (known.relation, known.column);
    if let [group] = groups.as_slice() {
        let group =
            names.column(input.catalog, super::super::shape::output(select, group, false))?;
        (group.column.name == column.name).then_some(())?;
    }
    let statistics = column.statistics.as_ref()?;
    let rows = relation.rows?;
    let few = statistics.distinct > 0.0 && statistics.distinct * ROWS_PER_VALUE <= rows;
    if known.level > 0 || !few || !is_exact(column) {
        return None;
    }
    let index = leading(relation, &column.name)?;
    let order = order(select, value)?;
    let nullable = !never_null(relation, &column.name);
    let name = column.name.as_str();
    let own = || ast::column_node(Some(table), name);
    let one = |conditions: Vec<Node>| SelectStmt {
        target_list: vec![make::target(own(), "")],
        from_clause: vec![from.clone()],
        where_clause: make::all_of(conditions),
        sort_clause: vec![make::ascending(own())],
        limit_count: Some(Box::new(make::integer(1))),
        limit_option: LimitOption::Count as i32,
        ..make::select()
    };
    let seen = || ast::column_node(Some(alias), name);
    let start = one(if nullable { vec![make::null_test(own(), false)] } else { Vec::new() });
    let next = SelectStmt {
        target_list: vec![make::target(
            make::scalar(one(vec![ast::binary(own(), ">", seen())])),
            "",
        )],
        from_clause: vec![alias_node(alias)],
        where_clause: Some(Box::new(make::null_test(seen(), false))),
        ..make::select()
    };
    let query = make::query(make::union_all(vec![start, next])?);
    let with = WithClause {
        ctes: vec![ast::node(NodeEnum::CommonTableExpr(Box::new(CommonTableExpr {
            ctename: alias.into(),
            aliascolnames: vec![ast::name(name)],
            ctematerialized: CteMaterialize::Default as i32,
            ctequery: Some(Box::new(query)),
            location: -1,
            ..CommonTableExpr::default()
        })))],
        recursive: true,
        location: -1,
    };
    let shown = if item.name == name { "" } else { &item.name };
    let values = SelectStmt {
        target_list: vec![make::target(seen(), shown)],
        from_clause: vec![alias_node(alias)],
        where_clause: Some(Box::new(make::null_test(seen(), false))),
        ..make::select()
    };
    let mut new = if nullable {
        // NULL is a value of its own to DISTINCT.
        let null = SelectStmt {
            target_list: vec![make::target(own(), "")],
            from_clause: vec![from.clone()],
            where_clause: Some(Box::new(make::null_test(own(), true))),
            limit_count: Some(Box::new(make::integer(1))),
            limit_option: LimitOption::Count as i32,
            ..make::select()
        };
        SelectStmt {
            op: SetOperation::SetopUnion as i32,
            all: true,
            larg: Some(Box::new(values)),
            rarg: Some(Box::new(null)),
            ..make::select()
        }
    } else {
        values
    };
    let named = if item.name.is_empty() { name } else { &item.name };
    new.sort_clause = order;
    for item in &mut new.sort_clause {
        if let Some(NodeEnum::SortBy(sort)) = &mut item.node {
            sort.node = Some(Box::new(ast::column_node(None, named)));
        }
    }
    new.with_clause = Some(with);
    let mut conditions = vec![
        format!(
            "the index {index} begins with {name}: each value is one look-up away from the one before"
        ),
        format!(
            "about {:.0} values among {rows:.0} rows of {}, equal ones of which are the same text",
            statistics.distinct, relation.name
        ),
    ];
    if nullable {
        conditions.push(format!("{name} may be NULL: NULL has a branch of its own"));
    }
    Some((new, conditions))
}

/// An index the jumps can use.
fn leading<'r>(relation: &'r Relation, column: &str) -> Option<&'r str> {
    let index = relation.indexes.iter().find(|index| {
        index.method == "btree"
            && index.valid
            && index.predicate.is_none()
            && index.keys.first().and_then(|key| key.column.as_deref()) == Some(column)
    })?;
    Some(&index.name)
}

/// The ORDER BY, when it is by the column alone.
fn order(select: &SelectStmt, value: &Node) -> Option<Vec<Node>> {
    for item in &select.sort_clause {
        let Some(NodeEnum::SortBy(sort)) = &item.node else { return None };
        let by = super::super::shape::output(select, sort.node.as_deref()?, true);
        (ast::sql(by)? == ast::sql(value)?).then_some(())?;
    }
    Some(select.sort_clause.clone())
}

fn alias_node(alias: &str) -> Node {
    ast::node(NodeEnum::RangeVar(pg_query::protobuf::RangeVar {
        relname: alias.into(),
        inh: true,
        relpersistence: "p".into(),
        location: -1,
        ..pg_query::protobuf::RangeVar::default()
    }))
}
