//! What rules share: the vocabulary, and the questions several of them ask of a catalogue.

pub(super) use marula_core::{
    Column, ConstraintKind, Relation, RelationKind, RelationalCatalog, Severity,
};
pub(super) use marula_postgres::sql::{quote_ident, quote_literal};

pub(super) use crate::draft::{Draft, Fix};
pub(super) use crate::looks::{Looks, looks};
pub(super) use crate::names;
pub(super) use crate::rule::{Rule, bad, good, rule};

/// A rule on a PostgreSQL database.
pub(super) type Check = Rule<RelationalCatalog>;

/// Where most of the knowledge about types comes from.
pub(super) const WIKI: &str = "PostgreSQL wiki, Don't Do This";

/// Tables as people made them: without partitions, views and foreign tables.
pub(super) fn tables(catalog: &RelationalCatalog) -> impl Iterator<Item = &Relation> {
    catalog.relations.iter().filter(|relation| {
        matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable)
            && relation.partition_of.is_none()
    })
}

/// Their columns.
pub(super) fn columns(catalog: &RelationalCatalog) -> impl Iterator<Item = (&Relation, &Column)> {
    tables(catalog).flat_map(|table| table.columns.iter().map(move |column| (table, column)))
}

/// Rows, as far as the server knows.
pub(super) fn rows(relation: &Relation) -> f64 {
    relation.rows.unwrap_or(relation.activity.live_rows as f64)
}

/// `orders`, or `shop.orders` outside of `public`.
pub(super) fn shown(relation: &Relation) -> String {
    if relation.schema == "public" { relation.name.clone() } else { relation.qualified() }
}

/// The name as SQL takes it.
pub(super) fn full(relation: &Relation) -> String {
    format!("{}.{}", quote_ident(&relation.schema), quote_ident(&relation.name))
}

/// `a, b` as SQL takes it.
pub(super) fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quote_ident(column)).collect::<Vec<_>>().join(", ")
}

/// The type without length and precision: `character varying`.
pub(super) fn base(column: &Column) -> String {
    let name = &column.type_name;
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", &name[..open], &name[close + 1..]).trim().to_owned()
        }
        _ => name.clone(),
    }
}

/// Whether it holds texts of any length.
pub(super) fn is_text(column: &Column) -> bool {
    matches!(base(column).as_str(), "text" | "character varying" | "character" | "citext")
}

/// The values the server's statistics know of a column.
pub(super) fn values(column: &Column) -> Vec<&str> {
    let Some(known) = &column.statistics else { return Vec::new() };
    known.common_values.iter().chain(&known.histogram).map(String::as_str).collect()
}

/// What the texts of a column look like.
pub(super) fn texts(column: &Column) -> Option<Looks> {
    is_text(column).then(|| looks(values(column))).flatten()
}

/// How many different values it has.
pub(super) fn distinct(table: &Relation, column: &Column) -> Option<f64> {
    let distinct = column.statistics.as_ref()?.distinct;
    Some(if distinct < 0.0 { -distinct * rows(table) } else { distinct })
}

/// Whether an index begins with these columns, in any order.
pub(super) fn leads(table: &Relation, columns: &[String]) -> bool {
    table.indexes.iter().filter(|index| index.valid && index.predicate.is_none()).any(|index| {
        let first = index.keys.iter().take(columns.len());
        first.filter(|key| key.column.as_ref().is_some_and(|c| columns.contains(c))).count()
            == columns.len()
    })
}

/// A name for an index or a constraint, not longer than the server keeps.
pub(super) fn name(table: &Relation, parts: &[String], suffix: &str) -> String {
    let mut stem = format!("{}_{}", table.name, parts.join("_"));
    while stem.len() + suffix.len() + 1 > 63 {
        stem.pop();
    }
    format!("{stem}_{suffix}")
}

/// The command that writes a change of type as a migration.
pub(super) fn change_type(table: &Relation, column: &Column, to: &str) -> String {
    format!("marula migrate change-type {}.{} {}", shown(table), column.name, quote_word(to))
}

fn quote_word(text: &str) -> String {
    if text.contains([' ', '(']) { format!("'{text}'") } else { text.to_owned() }
}

/// A finding about a column's type, whose way out is a migration.
pub(super) fn retype(
    severity: Severity,
    table: &Relation,
    column: &Column,
    to: &str,
    title: &str,
    why: &str,
) -> Draft {
    let text = format!(
        "{why} Existing rows change with it, so it is a migration: {}",
        change_type(table, column, to)
    );
    Draft::new(
        severity,
        table.qualified(),
        format!("{}.{} {title}", shown(table), column.name),
        text,
    )
    .at(column.name.clone())
    .word("type", column.type_name.clone())
}
