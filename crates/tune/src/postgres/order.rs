//! How two results of one statement may be compared: as sequences where its order is total, as
//! multisets otherwise, not at all where the statement itself leaves open which rows come.

mod decide;

use std::collections::BTreeSet;

use marula_core::{Relation, RelationalCatalog};
use marula_lab::compare::Comparison;
use pg_query::protobuf::{SelectStmt, SetOperation};
use pg_query::{Node, NodeEnum};

pub(super) use decide::decided;

use super::ast;
use super::shape::{Block, Operator, Shape, Use, Value, output, target_value};

/// Functions that answer differently from run to run.
const VOLATILE: [&str; 10] = [
    "random",
    "random_normal",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "pg_backend_pid",
];

/// Aggregates whose result depends on the order of the rows.
const IN_ORDER: [&str; 8] = [
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "xmlagg",
    "range_agg",
];

/// Window functions whose result depends on the order among equals.
const NUMBERING: [&str; 8] =
    ["row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value", "cume_dist"];

/// How results of the statement are to be compared.
pub(super) fn comparison(statement: &Node, catalog: &RelationalCatalog) -> Comparison {
    let Some(top) = ast::as_select(statement) else {
        return Comparison::Incomparable("it is not a SELECT".into());
    };
    if ast::too_deep(statement) {
        return Comparison::Multiset;
    }
    let nodes = ast::all(statement);
    if let Some(reason) = nodes.iter().find_map(|node| undecided(node)) {
        return Comparison::Incomparable(reason);
    }
    let shape = Shape::read(statement, Some(catalog));
    let mut selects: Vec<&SelectStmt> = Vec::new();
    for node in &nodes {
        selects.extend(ast::as_select(node));
    }
    while let Some(select) = selects.pop() {
        // The sides of a set operation are no nodes of their own.
        selects.extend(select.larg.as_deref().into_iter().chain(select.rarg.as_deref()));
        if is_open(select, &shape, catalog) {
            let what = if is_cut(select) { "LIMIT" } else { "DISTINCT ON" };
            return Comparison::Incomparable(format!(
                "{what} without an order that decides between all rows"
            ));
        }
    }
    match !top.sort_clause.is_empty() && is_total(top, &shape, catalog) {
        true => Comparison::Sequence,
        false => Comparison::Multiset,
    }
}

fn is_cut(select: &SelectStmt) -> bool {
    select.limit_count.is_some() || select.limit_offset.is_some()
}

/// Whether a SELECT takes some of its rows and leaves open which.
fn is_open(select: &SelectStmt, shape: &Shape, catalog: &RelationalCatalog) -> bool {
    let first = select.distinct_clause.iter().any(|node| node.node.is_some());
    (is_cut(select) || first) && !is_total(select, shape, catalog)
}

/// Why a call makes the result differ from run to run.
fn undecided(node: &Node) -> Option<String> {
    match &node.node {
        Some(NodeEnum::FuncCall(call)) => {
            let name = ast::function(call);
            let unordered = call.agg_order.is_empty();
            if VOLATILE.contains(&name) {
                Some(format!("{name}() answers differently each time"))
            } else if call.over.is_none() && unordered && IN_ORDER.contains(&name) {
                Some(format!("{name}() without ORDER BY depends on the order of the rows"))
            } else if call.over.is_some() && NUMBERING.contains(&name) {
                Some(format!("{name}() may number rows that are equal in its order either way"))
            } else {
                None
            }
        }
        Some(NodeEnum::ResTarget(target)) => {
            let value = target.val.as_deref()?;
            let clock = ast::all(value).iter().any(|below| match &below.node {
                Some(NodeEnum::SqlvalueFunction(_)) => true,
                Some(NodeEnum::FuncCall(call)) => ast::function(call) == "now",
                _ => false,
            });
            clock.then(|| "it returns the current time".into())
        }
        _ => None,
    }
}

/// Whether the ORDER BY of a SELECT decides between any two of its rows.
fn is_total(select: &SelectStmt, shape: &Shape, catalog: &RelationalCatalog) -> bool {
    if select.op > SetOperation::SetopNone as i32 {
        return false;
    }
    // A single row needs no order.
    if select.group_clause.is_empty() && only_aggregates(select) {
        return true;
    }
    let sorted: BTreeSet<String> = select
        .sort_clause
        .iter()
        .filter_map(|item| match &item.node {
            Some(NodeEnum::SortBy(sort)) => sort.node.as_deref(),
            _ => None,
        })
        .filter_map(|node| ast::sql(output(select, node, true)))
        .collect();
    let all_in = |mut nodes: Box<dyn Iterator<Item = &Node> + '_>| {
        nodes.all(|node| ast::sql(node).is_some_and(|text| sorted.contains(&text)))
    };
    let outputs = || select.target_list.iter().filter_map(target_value);
    if !select.group_clause.is_empty() {
        let groups = select.group_clause.iter().map(|node| output(select, node, false));
        if all_in(Box::new(groups)) {
            return true;
        }
    }
    // Rows that agree in every output cannot be told apart.
    let star = ast::all_targets(select).any(ast::is_star);
    if !star && !select.target_list.is_empty() && all_in(Box::new(outputs())) {
        return true;
    }
    if !select.group_clause.is_empty() {
        return false;
    }
    let names = ast::from_names(select);
    // Blocks that read by the same names are not told apart: all must be decided.
    let mut blocks = shape.blocks.iter().enumerate().filter(|(_, block)| {
        !block.uses.is_empty() && block.uses.iter().map(|used| &used.alias).eq(names.iter())
    });
    let Some((own, first)) = blocks.next() else { return false };
    decides(first, own, catalog) && blocks.all(|(own, block)| decides(block, own, catalog))
}

/// The same for a block by itself, read from tables that hold all their rows themselves.
pub(super) fn is_total_alone(select: &SelectStmt, catalog: &RelationalCatalog) -> bool {
    let node = ast::node(NodeEnum::SelectStmt(Box::new(select.clone())));
    is_total(select, &Shape::read(&node, Some(catalog)), catalog)
}

fn only_aggregates(select: &SelectStmt) -> bool {
    !select.target_list.is_empty()
        && select.target_list.iter().filter_map(target_value).all(|value| match &value.node {
            Some(NodeEnum::FuncCall(call)) => {
                call.over.is_none()
                    && (IN_ORDER.contains(&ast::function(call))
                        || matches!(
                            ast::function(call),
                            "count" | "sum" | "avg" | "min" | "max" | "bool_and" | "bool_or"
                        ))
            }
            _ => false,
        })
}

/// Whether the ordered columns lead to one row of each relation: through a unique key of it, or
/// through a join from a relation that is decided to a unique key of this one.
fn decides(block: &Block, own: usize, catalog: &RelationalCatalog) -> bool {
    if block.derived > 0 {
        return false;
    }
    let mut decided = vec![false; block.uses.len()];
    loop {
        let mut changed = false;
        for (number, used) in block.uses.iter().enumerate() {
            if decided[number] {
                continue;
            }
            let Some(relation) = catalog.find(&used.relation) else { return false };
            if has_key(relation, &fixed(used, own, &decided)) {
                decided[number] = true;
                changed = true;
            }
        }
        if decided.iter().all(|decided| *decided) {
            return true;
        }
        if !changed {
            return false;
        }
    }
}

/// The columns of a use that the order, a constant or a decided relation fixes.
fn fixed<'a>(used: &'a Use, own: usize, decided: &[bool]) -> Vec<&'a str> {
    let mut columns: Vec<&str> = used.ordered_by.iter().map(String::as_str).collect();
    for predicate in &used.predicates {
        let known = match &predicate.value {
            Value::Constant(_) => true,
            // What stands around the block is one row at a time.
            Value::Column { block, .. } if *block != own => *block < own,
            Value::Column { number, .. } => decided.get(*number).copied().unwrap_or(false),
            Value::Subquery => false,
        };
        if predicate.operator == Operator::Equal && known {
            columns.extend(predicate.key.column.as_deref());
        }
    }
    columns
}

/// A unique key of NOT NULL columns lies within `columns`.
fn has_key(relation: &Relation, columns: &[&str]) -> bool {
    let never_null: Vec<&str> = columns
        .iter()
        .copied()
        .filter(|name| relation.column(name).is_some_and(|column| column.not_null))
        .collect();
    relation.is_unique_over(&never_null)
}
