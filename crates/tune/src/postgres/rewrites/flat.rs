//! What several rewrites need to know of a block: its tables, its conditions, what an expression
//! refers to, keys that cannot repeat.

use std::collections::BTreeSet;

use marula_core::{Column, Relation, RelationKind, RelationalCatalog};
use pg_query::protobuf::{JoinType, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::names::Names;

/// A FROM of plain tables and inner joins, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Flat {
    /// The tables, by the names they go by, in order.
    pub tables: Vec<(String, Node)>,
    /// What every row must meet: the joins' conditions, then the WHERE's.
    pub conditions: Vec<Node>,
}

/// The block taken apart; `None` where it reads something else than tables (or CTEs) or joins in
/// another way.
pub(super) fn flat(select: &SelectStmt) -> Option<Flat> {
    let mut flat = Flat::default();
    for item in &select.from_clause {
        from(item, &mut flat, 0)?;
    }
    let condition = select.where_clause.as_deref();
    flat.conditions.extend(condition.map(ast::conjuncts).unwrap_or_default().into_iter().cloned());
    Some(flat)
}

fn from(item: &Node, flat: &mut Flat, depth: usize) -> Option<()> {
    if depth > ast::MAX_DEPTH {
        return None;
    }
    match &item.node {
        Some(NodeEnum::RangeVar(table)) => {
            let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
            // ONLY leaves out partitions and heirs.
            table.inh.then_some(())?;
            flat.tables.push((alias.clone(), item.clone()));
        }
        Some(NodeEnum::JoinExpr(join)) => {
            let plain = join.jointype == JoinType::JoinInner as i32
                && !join.is_natural
                && join.using_clause.is_empty()
                && join.alias.is_none()
                && join.join_using_alias.is_none();
            plain.then_some(())?;
            from(join.larg.as_deref()?, flat, depth + 1)?;
            from(join.rarg.as_deref()?, flat, depth + 1)?;
            if let Some(quals) = join.quals.as_deref() {
                flat.conditions.extend(ast::conjuncts(quals).into_iter().cloned());
            }
        }
        _ => return None,
    }
    Some(())
}

/// The names of the block itself that `node` refers to; `None` when it holds a subquery, a star
/// or something that is not understood.
pub(super) fn refers(
    catalog: &RelationalCatalog,
    names: &Names,
    node: &Node,
) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for below in ast::all(node) {
        match &below.node {
            Some(NodeEnum::ColumnRef(_)) => {
                let known = names.column(catalog, below)?;
                if known.level == 0 {
                    found.insert(known.alias);
                }
            }
            Some(NodeEnum::SubLink(_)) => return None,
            _ => {}
        }
    }
    Some(found)
}

/// Whether all rows of a relation stand in it: none in tables that inherit from it, and none that
/// a policy hides.
pub(super) fn is_whole(catalog: &RelationalCatalog, relation: &Relation) -> bool {
    let table = matches!(
        relation.kind,
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
    );
    let heirs = relation.kind != RelationKind::PartitionedTable
        && catalog
            .relations
            .iter()
            .any(|other| other.partition_of.as_deref() == Some(&relation.qualified()));
    table && !heirs && !relation.row_security
}

/// A unique key of NOT NULL columns within `columns`, which belong to `relation`.
pub(super) fn key_within<'r>(
    catalog: &RelationalCatalog,
    relation: &'r Relation,
    columns: &[String],
) -> Option<Vec<&'r str>> {
    let heirs = catalog
        .relations
        .iter()
        .any(|other| other.partition_of.as_deref() == Some(&relation.qualified()));
    let table = match relation.kind {
        RelationKind::PartitionedTable => true,
        RelationKind::Table | RelationKind::Partition => !heirs,
        _ => false,
    };
    table.then_some(())?;
    let index = relation.indexes.iter().find(|index| {
        index.unique
            && index.valid
            && index.immediate
            && index.predicate.is_none()
            && !index.keys.is_empty()
            && index.keys.iter().all(|key| {
                key.column.as_deref().is_some_and(|name| {
                    columns.iter().any(|column| column == name) && never_null(relation, name)
                })
            })
    })?;
    index.keys.iter().map(|key| key.column.as_deref()).collect()
}

/// Whether the catalogue says, and the server enforces, that a column of the relation is never
/// NULL in the relation itself.
pub(super) fn never_null(relation: &Relation, column: &str) -> bool {
    let unproved = relation.constraints.iter().any(|constraint| {
        constraint.kind == marula_core::ConstraintKind::NotNull
            && !constraint.validated
            && constraint.columns.iter().any(|name| name == column)
    });
    relation.column(column).is_some_and(|column| column.not_null) && !unproved
}

/// Whether two values of the column that are equal are the same to the last bit, so that it does
/// not matter which of them is shown.
pub(super) fn is_exact(column: &Column) -> bool {
    let name = column.type_name.as_str();
    let fixed = name.starts_with("numeric(") || name.starts_with("timestamp");
    let text = name == "text" || name.starts_with("character varying");
    let plain =
        matches!(name, "smallint" | "integer" | "bigint" | "date" | "boolean" | "uuid" | "bytea");
    plain || fixed || (text && column.collation.is_none())
}

/// An output column of a block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Output {
    /// Its name.
    pub name: String,
    /// What it is, as SQL with every column by `alias.name`.
    pub value: String,
    /// The alias and the column, when it is a plain one of the block.
    pub column: Option<(String, String)>,
}

/// The output columns of a block, stars opened; `None` when not all are known.
pub(super) fn outputs(
    catalog: &RelationalCatalog,
    names: &Names,
    select: &SelectStmt,
) -> Option<Vec<Output>> {
    let mut found = Vec::new();
    for item in &select.target_list {
        let Some(NodeEnum::ResTarget(item)) = &item.node else { return None };
        let value = item.val.as_deref()?;
        if ast::is_star(value) {
            let Some(NodeEnum::ColumnRef(star)) = &value.node else { return None };
            let of = match star.fields.as_slice() {
                [_] => None,
                [qualifier, _] => Some(ast::string(qualifier)?),
                _ => return None,
            };
            for entry in names.own().iter().filter(|entry| of.is_none_or(|of| entry.alias == of)) {
                let relation = catalog.find(entry.relation.as_deref()?)?;
                found.extend(relation.columns.iter().map(|column| Output {
                    name: column.name.clone(),
                    value: format!("{}.{}", entry.alias, column.name),
                    column: Some((entry.alias.clone(), column.name.clone())),
                }));
            }
            continue;
        }
        let name = match item.name.as_str() {
            "" => super::naming::implied(value),
            name => name.to_owned(),
        };
        let column = names.column(catalog, value).filter(|known| known.level == 0);
        found.push(Output {
            name,
            value: canonical(catalog, names, value)?,
            column: column.map(|known| (known.alias, known.column.name.clone())),
        });
    }
    Some(found)
}

/// An expression as SQL, every column by `alias.name`; `None` when a column is not understood.
pub(super) fn canonical(catalog: &RelationalCatalog, names: &Names, node: &Node) -> Option<String> {
    let mut known = true;
    let mut copy = node.clone();
    qualify(catalog, names, &mut copy, &mut known, 0);
    if !known {
        return None;
    }
    // A plain column is written the way stars are opened.
    match ast::column(&copy) {
        Some((Some(alias), column)) => Some(format!("{alias}.{column}")),
        _ => ast::sql(&copy),
    }
}

/// Writes every column of `node` as `alias.name`.
pub(super) fn qualify(
    catalog: &RelationalCatalog,
    names: &Names,
    node: &mut Node,
    known: &mut bool,
    depth: usize,
) {
    match &node.node {
        Some(NodeEnum::ColumnRef(_)) => match names.column(catalog, node) {
            Some(found) => *node = ast::column_node(Some(&found.alias), &found.column.name),
            None => *known = false,
        },
        Some(NodeEnum::SubLink(_)) => *known = false,
        _ if depth < ast::MAX_DEPTH => {
            ast::children_mut(node, &mut |child| qualify(catalog, names, child, known, depth + 1));
        }
        _ => *known = false,
    }
}

/// The name an ORDER BY item has among the output columns; `None` when it is none of them, or
/// another has the same name.
pub(super) fn output_name(
    catalog: &RelationalCatalog,
    names: &Names,
    (select, outputs): (&SelectStmt, &[Output]),
    item: &Node,
) -> Option<String> {
    let meant = super::super::shape::output(select, item, true);
    let value = canonical(catalog, names, meant)?;
    let found = outputs.iter().find(|output| output.value == value)?;
    let alone = outputs.iter().filter(|output| output.name == found.name).count() == 1;
    alone.then(|| found.name.clone())
}

/// The block with `own` in place of its condition number `at`. The FROM stays as it is written
/// where the condition stands in the WHERE.
pub(super) fn with_condition(
    select: &SelectStmt,
    flat: &Flat,
    at: usize,
    own: Vec<Node>,
) -> SelectStmt {
    let in_where = select.where_clause.as_deref().map(ast::conjuncts).unwrap_or_default();
    let before = flat.conditions.len().saturating_sub(in_where.len());
    let mut new = select.clone();
    let (mut parts, number) = if at >= before {
        (in_where.into_iter().cloned().collect::<Vec<_>>(), at - before)
    } else {
        new.from_clause = flat.tables.iter().map(|(_, table)| table.clone()).collect();
        (flat.conditions.clone(), at)
    };
    if number < parts.len() {
        parts.splice(number..=number, own);
    }
    new.where_clause = super::make::all_of(parts);
    new
}

/// Whether an item of a select list needs all rows at once, or makes several of one.
pub(super) fn gathers(target: &Node) -> bool {
    ast::has_aggregate(target)
        || ast::all(target).iter().any(|below| match &below.node {
            Some(NodeEnum::FuncCall(call)) => {
                call.over.is_some() || matches!(ast::function(call), "generate_series" | "unnest")
            }
            _ => false,
        })
}
