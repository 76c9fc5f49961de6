//! `WHERE a = 1 OR b = 2 ORDER BY k LIMIT 10` → the first ten of each side, and the first ten of
//! those. Also for `a IN (1, 2, 3)`.

use std::collections::BTreeSet;

use pg_query::protobuf::{AConst, AExprKind, LimitOption, SelectStmt, SetOperation, a_const};
use pg_query::{Node, NodeEnum};

use super::super::{ast, order};
use super::flat::{Flat, flat, gathers, is_whole, output_name, outputs, refers, with_condition};
use super::names::{Names, replace_each};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "or-limit-to-union",
    title: "the first rows of each side of the OR instead of all rows",
    clears: &["better-wording", "wrong-order-index", "large-top-n"],
    apply,
};

/// More branches than this make the statement unreadable.
const BRANCHES: usize = 8;

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    replace_each(statement, |select, names| rewritten(input, names, select))
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
) -> Option<(SelectStmt, Vec<String>)> {
    let without = SelectStmt {
        limit_count: None,
        limit_offset: None,
        limit_option: LimitOption::Default as i32,
        ..select.clone()
    };
    let fits = select.op <= SetOperation::SetopNone as i32
        && ast::is_plain(&without)
        && select.limit_option <= LimitOption::Count as i32
        && select.distinct_clause.is_empty()
        && !select.sort_clause.is_empty()
        && safe::is_stable(select)
        && !select.target_list.iter().any(gathers);
    if !fits {
        return None;
    }
    let enough = rows_needed(select)?;
    // A block that looks outside is another for each outer row, and its order is not known here.
    let flat = flat(select)?;
    for (alias, _) in &flat.tables {
        let entry = names.own().iter().find(|entry| &entry.alias == alias)?;
        let relation = input.catalog.find(entry.relation.as_deref()?)?;
        is_whole(input.catalog, relation).then_some(())?;
    }
    if !order::is_total_alone(select, input.catalog) {
        return None;
    }
    let (at, branches) = branches(input, names, &flat)?;
    let outputs = outputs(input.catalog, names, select)?;
    let mut sorted = select.sort_clause.clone();
    for item in &mut sorted {
        let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
        let node = sort.node.as_deref_mut()?;
        let name = output_name(input.catalog, names, (select, &outputs), node)?;
        *node = ast::column_node(None, &name);
    }
    let count = branches.len();
    let selects = branches.into_iter().map(|own| SelectStmt {
        limit_count: Some(Box::new(enough.clone())),
        limit_offset: None,
        limit_option: LimitOption::Count as i32,
        ..with_condition(select, &flat, at, own)
    });
    let mut new = make::union_all(selects.collect())?;
    new.sort_clause = sorted;
    new.limit_count.clone_from(&select.limit_count);
    new.limit_offset.clone_from(&select.limit_offset);
    new.limit_option = select.limit_option;
    let keys: Vec<String> = select.sort_clause.iter().filter_map(sort_text).collect();
    Some((
        new,
        vec![
            format!(
                "ORDER BY {} holds a unique key without NULLs: it decides between any two rows",
                keys.join(", ")
            ),
            format!("the {count} branches share no row, and what is sorted by is returned"),
        ],
    ))
}

fn sort_text(item: &Node) -> Option<String> {
    match &item.node {
        Some(NodeEnum::SortBy(sort)) => ast::sql(sort.node.as_deref()?),
        _ => None,
    }
}

/// How many rows each branch must give: the LIMIT and what OFFSET skips.
fn rows_needed(select: &SelectStmt) -> Option<Node> {
    let count = select.limit_count.as_deref()?;
    let parameter = |node: &Node| matches!(node.node, Some(NodeEnum::ParamRef(_)));
    match select.limit_offset.as_deref() {
        None => (whole(count).is_some() || parameter(count)).then(|| count.clone()),
        Some(offset) => {
            let sum = i64::from(whole(count)?) + i64::from(whole(offset)?);
            i32::try_from(sum).ok().map(make::integer)
        }
    }
}

fn whole(node: &Node) -> Option<i32> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(number)), .. })) => {
            (number.ival >= 0).then_some(number.ival)
        }
        _ => None,
    }
}

/// Which condition is taken apart, and the conditions of each branch in its place.
fn branches(input: &Input<'_>, names: &Names, flat: &Flat) -> Option<(usize, Vec<Vec<Node>>)> {
    let mut found = flat.conditions.iter().enumerate().filter_map(|(at, condition)| {
        let sides = make::disjuncts(condition);
        if (2..=BRANCHES).contains(&sides.len()) {
            for side in &sides {
                refers(input.catalog, names, side).filter(|of| !of.is_empty())?;
            }
            // The start of a page is one range, not two.
            if sides.iter().all(|side| ranges(side)) {
                return None;
            }
            let branch = |number: usize| {
                let mut own: Vec<Node> =
                    ast::conjuncts(sides[number]).into_iter().cloned().collect();
                let before = sides[..number].iter().map(|side| (*side).clone()).collect();
                own.extend(make::disjunction(before).map(make::not_true));
                own
            };
            return Some((at, (0..sides.len()).map(branch).collect()));
        }
        let (column, values) = listed(input, names, condition)?;
        let equal = |value: Node| vec![ast::binary(column.clone(), "=", value)];
        Some((at, values.into_iter().map(equal).collect()))
    });
    // Several would multiply.
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

fn ranges(side: &Node) -> bool {
    ast::conjuncts(side).iter().any(|part| match &part.node {
        Some(NodeEnum::AExpr(e)) => matches!(ast::operator(e), "<" | ">" | "<=" | ">="),
        _ => false,
    })
}

/// `column IN (1, 2, 3)` with constants that surely differ.
fn listed(input: &Input<'_>, names: &Names, condition: &Node) -> Option<(Node, Vec<Node>)> {
    let Some(NodeEnum::AExpr(e)) = &condition.node else { return None };
    if e.kind != AExprKind::AexprIn as i32 || ast::operator(e) != "=" {
        return None;
    }
    let column = e.lexpr.as_deref()?;
    let known = names.column(input.catalog, column)?;
    let kind = known.column.type_name.as_str();
    let integers = matches!(kind, "smallint" | "integer" | "bigint");
    let texts = (kind == "text" || kind.starts_with("character varying"))
        && known.column.collation.is_none();
    let Some(NodeEnum::List(list)) = &e.rexpr.as_deref()?.node else { return None };
    let mut seen = BTreeSet::new();
    for value in &list.items {
        let Some(NodeEnum::AConst(constant)) = &value.node else { return None };
        match &constant.val {
            Some(a_const::Val::Ival(_)) if integers => {}
            Some(a_const::Val::Sval(_)) if texts => {}
            _ => return None,
        }
        seen.insert(ast::sql(value)?).then_some(())?;
    }
    let fits = (2..=BRANCHES).contains(&list.items.len());
    fits.then(|| (column.clone(), list.items.clone()))
}
