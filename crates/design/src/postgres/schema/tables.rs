use marula_core::model::{AttributeType, Entity};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::columns::{Column, columns};
use super::partitions::Partitioning;
use super::types::bare;
use super::{Draw, checks, list};
use crate::schema::Piece;
use crate::structure::Store;

/// A store's table with its key, its checks, its partitions and its comments.
pub(super) fn pieces(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Piece> {
    let columns = columns(draw, entity, store);
    let partitioning = draw.partitioning(&entity.name).cloned();
    let mut parts: Vec<String> = columns.iter().map(Column::definition).collect();
    let key = primary_key(entity, partitioning.as_ref());
    let name = draw.names.of(&[&entity.name], "pkey");
    parts.push(format!("CONSTRAINT {} PRIMARY KEY ({})", quote_ident(&name), list(&key)));
    for column in &columns {
        for (word, condition) in &column.checks {
            let name = draw.names.of(&[&entity.name, &column.name, word], "check");
            parts.push(format!("CONSTRAINT {} CHECK ({condition})", quote_ident(&name)));
        }
    }
    for text in &entity.checks {
        match checks::expression(entity, store, text) {
            Ok(condition) => {
                let name = draw.names.of(&[&entity.name], "check");
                parts.push(format!("CONSTRAINT {} CHECK ({condition})", quote_ident(&name)));
            }
            Err(why) => {
                draw.note(format!("the check «{text}» of {} is left out: {why}", entity.name))
            }
        }
    }
    let table = quote_ident(&entity.name);
    let by = partitioning.as_ref().map_or(String::new(), Partitioning::clause);
    let mut statements = vec![format!("CREATE TABLE {table} (\n  {}\n){by}", parts.join(",\n  "))];
    let mut why: Vec<String> = columns.iter().filter_map(|column| column.why.clone()).collect();
    why.extend(enumerations(entity));
    if let Some(partitioning) = &partitioning {
        statements.push(partitioning.create(&entity.name));
        why.push(partitioning.why.clone());
    }
    let mut pieces =
        vec![Piece::before(format!("table {}", entity.name), statements).because(why.join("; "))];
    let comments = comments(entity, &columns);
    if !comments.is_empty() {
        pieces.push(Piece::before(format!("comments on {}", entity.name), comments));
    }
    pieces
}

/// The key's columns. A partitioned table's key holds the column it is partitioned by.
pub(super) fn primary_key<'e>(
    entity: &'e Entity,
    partitioning: Option<&'e Partitioning>,
) -> Vec<&'e str> {
    let mut key = entity.key();
    if key.is_empty() {
        key.push("id");
    }
    if let Some(partitioning) = partitioning
        && !key.contains(&partitioning.column.as_str())
    {
        key.push(&partitioning.column);
    }
    key
}

/// Why enumerations are texts with a CHECK.
fn enumerations(entity: &Entity) -> Option<String> {
    let named: Vec<&str> = entity
        .attributes
        .iter()
        .filter(|attribute| {
            attribute.kind == AttributeType::Enumeration
                && (1..=super::lookup::MANY_VALUES).contains(&attribute.values.len())
        })
        .map(|attribute| attribute.name.as_str())
        .collect();
    (!named.is_empty()).then(|| {
        format!(
            "{}: few values that seldom change are a text with a CHECK, which loses a value as \
             easily as it gains one; an ENUM type cannot",
            named.join(", ")
        )
    })
}

fn comments(entity: &Entity, columns: &[Column]) -> Vec<String> {
    let table = quote_ident(&entity.name);
    let mut found = Vec::new();
    if let Some(text) = &entity.description {
        found.push(format!("COMMENT ON TABLE {table} IS {}", quote_literal(&bare(text))));
    }
    for column in columns {
        if let Some(text) = &column.comment {
            let name = quote_ident(&column.name);
            let text = quote_literal(&bare(text));
            found.push(format!("COMMENT ON COLUMN {table}.{name} IS {text}"));
        }
    }
    found
}
