//! A PostgreSQL catalogue as a model.

use std::collections::BTreeSet;

use marula_core::model::{
    Attribute, AttributeType, Count, Entity, Fanout, Model, OnDelete, Relationship, Skew,
};
use marula_core::{
    Column, ConstraintKind, Index, Relation, RelationKind, RelationalCatalog, Result,
};

use super::{finished, kinds, referring};
use crate::model::Made;

/// The model of a catalogue's tables.
pub fn model(catalog: &RelationalCatalog) -> Result<Made> {
    let tables: Vec<&Relation> = catalog
        .relations
        .iter()
        .filter(|relation| {
            matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable)
                && relation.partition_of.is_none()
                && !relation.schema.starts_with("pg_")
                && relation.schema != "information_schema"
        })
        .collect();
    let mut notes = Vec::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let twice: BTreeSet<&str> = tables
        .iter()
        .filter(|table| !names.insert(table.name.as_str()))
        .map(|table| table.name.as_str())
        .collect();
    let name = |table: &Relation| match twice.contains(table.name.as_str()) {
        true => format!("{}_{}", table.schema, table.name),
        false => table.name.clone(),
    };
    let mut model = Model { name: catalog.database.clone(), ..Model::default() };
    for table in &tables {
        model.entities.push(entity(table, name(table), &mut notes));
    }
    for table in &tables {
        for constraint in &table.constraints {
            if constraint.kind != ConstraintKind::ForeignKey {
                continue;
            }
            let Some(to) = &constraint.references else { continue };
            let other = tables.iter().find(|other| {
                *to == other.qualified()
                    || *to == other.name
                    || to.ends_with(&format!(".{}", other.name))
            });
            let Some(other) = other else { continue };
            model.relations.extend(relation(
                table,
                constraint,
                other,
                name(table),
                name(other),
                &model,
            ));
        }
    }
    let relations = std::mem::take(&mut model.relations);
    referring(&mut model.entities, &relations);
    model.relations = relations;
    finished(
        model,
        &format!("database {} (PostgreSQL {})", catalog.database, catalog.version),
        notes,
    )
}

fn entity(table: &Relation, name: String, notes: &mut Vec<String>) -> Entity {
    let rows = table.rows.filter(|rows| *rows > 0.0).unwrap_or(0.0).round().min(9e15) as u64;
    let mut entity = Entity { name, rows: Count(rows), ..Entity::default() };
    for column in &table.columns {
        entity.attributes.push(attribute(column, rows, &entity.name, notes));
    }
    for constraint in &table.constraints {
        match constraint.kind {
            ConstraintKind::PrimaryKey => entity.key = constraint.columns.clone(),
            ConstraintKind::Unique => unique(&mut entity, &constraint.columns),
            ConstraintKind::Check => {
                let text = constraint.definition.trim();
                let text = text.strip_prefix("CHECK").unwrap_or(text).trim();
                let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
                entity.checks.push(inner.unwrap_or(text).trim().to_string());
            }
            _ => {}
        }
    }
    let plain = |index: &&Index| {
        index.unique && index.valid && index.predicate.is_none() && index.constraint.is_none()
    };
    for index in table.indexes.iter().filter(plain) {
        let columns: Option<Vec<String>> =
            index.keys.iter().map(|key| key.column.clone()).collect();
        if let Some(columns) = columns {
            unique(&mut entity, &columns);
        }
    }
    if entity.key == ["id"] {
        entity.key.clear();
    }
    entity
}

fn unique(entity: &mut Entity, columns: &[String]) {
    match columns {
        [one] => {
            if let Some(found) = entity.attributes.iter_mut().find(|a| a.name == *one) {
                found.unique = true;
                found.skew = Skew::Uniform;
            }
        }
        several if !entity.unique.iter().any(|set| set == several) => {
            entity.unique.push(several.to_vec());
        }
        _ => {}
    }
}

fn attribute(column: &Column, rows: u64, entity: &str, notes: &mut Vec<String>) -> Attribute {
    let mut attribute =
        Attribute { name: column.name.clone(), required: column.not_null, ..Attribute::default() };
    if !kinds::set(&mut attribute, &column.type_name) {
        notes.push(format!(
            "{entity}.{} is {}, which is taken as text",
            column.name, column.type_name
        ));
    }
    let default = column.default.as_deref().unwrap_or_default();
    if attribute.kind == AttributeType::Integer && default.starts_with("nextval(") {
        attribute.kind = AttributeType::Id;
    }
    // `a` and `d` are identities, ALWAYS and BY DEFAULT.
    let identity = matches!(column.generated.as_deref(), Some("a" | "d"));
    if attribute.kind == AttributeType::Integer && identity {
        attribute.kind = AttributeType::Id;
    }
    if attribute.kind == AttributeType::Integer && column.name == "id" {
        attribute.kind = AttributeType::Id;
    }
    attribute.default = kinds::constant(attribute.kind, default);
    let Some(statistics) = &column.statistics else { return attribute };
    if statistics.null_fraction > 0.0 && !attribute.required {
        attribute.missing = Some((statistics.null_fraction * 1000.0).round() / 1000.0);
    }
    // Below zero it is a share of the rows.
    let distinct = match statistics.distinct {
        share if share < 0.0 => -share * rows as f64,
        count => count,
    };
    let distinct = distinct.round().clamp(0.0, 9e15) as u64;
    if distinct > 0 && distinct < rows / 2 {
        attribute.distinct = Some(Count(distinct));
        let most = statistics.common_frequencies.first().copied().unwrap_or(0.0);
        if most * distinct as f64 > 4.0 {
            attribute.skew = Skew::Zipf;
        }
    }
    let long =
        matches!(attribute.kind, AttributeType::Text | AttributeType::Binary | AttributeType::Json);
    if long && statistics.width > 0 {
        let width = statistics.width.saturating_sub(1).max(1);
        attribute.average_length = Some(attribute.max_length.map_or(width, |most| most.min(width)));
    }
    attribute
}

fn relation(
    table: &Relation,
    constraint: &marula_core::Constraint,
    other: &Relation,
    from: String,
    to: String,
    model: &Model,
) -> Option<Relationship> {
    // A reference to other columns than the key cannot be said.
    let key = model.entity(&to)?.key().iter().map(ToString::to_string).collect::<Vec<_>>();
    let same: BTreeSet<&String> = constraint.referenced_columns.iter().collect();
    if !constraint.referenced_columns.is_empty() && same != key.iter().collect() {
        return None;
    }
    // In the order of the key.
    let attributes: Vec<String> = match constraint.referenced_columns.is_empty() {
        true => constraint.columns.clone(),
        false => key
            .iter()
            .filter_map(|key| {
                let at = constraint.referenced_columns.iter().position(|name| name == key)?;
                constraint.columns.get(at).cloned()
            })
            .collect(),
    };
    let definition = constraint.definition.to_uppercase();
    let on_delete = match () {
        () if definition.contains("ON DELETE CASCADE") => Some(OnDelete::Cascade),
        () if definition.contains("ON DELETE SET NULL") => Some(OnDelete::SetNull),
        () if definition.contains("ON DELETE RESTRICT") => Some(OnDelete::Restrict),
        () => None,
    };
    Some(Relationship {
        fanout: fanout(table, other, &attributes),
        from,
        attributes,
        to,
        on_delete,
        ..Relationship::default()
    })
}

/// The fan-out from the statistics of the column that refers: its most frequent value is the most.
fn fanout(table: &Relation, other: &Relation, attributes: &[String]) -> Option<Fanout> {
    let (many, one) = (table.rows.filter(|n| *n > 0.0)?, other.rows.filter(|n| *n > 0.0)?);
    let statistics = match attributes {
        [one] => table.columns.iter().find(|c| c.name == *one).and_then(|c| c.statistics.as_ref()),
        _ => None,
    };
    let missing = statistics.map_or(0.0, |known| known.null_fraction);
    let average = (many * (1.0 - missing) / one * 1000.0).round() / 1000.0;
    let most = statistics.and_then(|known| known.common_frequencies.first().copied());
    let p99 = most
        .map(|share| (share * many).round() as u64)
        .filter(|count| *count as f64 > average.max(1.0) && *count as f64 <= many);
    Some(Fanout { average, p99, max: None })
}
