use marula_core::{Column, Relation, RelationKind, RelationalCatalog};

use super::{Detail, Object, size, wanted};
use crate::text;

/// The relations with one of the words, in the catalogue's order.
pub fn objects(catalog: &RelationalCatalog, detail: Detail, words: &[String]) -> Vec<Object> {
    let found = catalog.relations.iter().filter(|relation| {
        let columns = relation.columns.iter().map(|column| column.name.as_str());
        wanted(words, columns.chain([relation.name.as_str()]))
    });
    found.map(|relation| object(relation, detail)).collect()
}

fn object(relation: &Relation, detail: Detail) -> Object {
    let mut object = Object {
        name: relation.qualified(),
        kind: kind(relation.kind).into(),
        rows: relation.rows.map(|rows| rows.max(0.0) as u64),
        bytes: Some(relation.bytes + relation.index_bytes),
        ..Object::default()
    };
    if detail == Detail::Names {
        return object;
    }
    object.columns = relation.columns.iter().map(column).collect();
    object.constraints = relation
        .constraints
        .iter()
        .map(|constraint| {
            let state = if constraint.validated { "" } else { " (not validated)" };
            format!("{}: {}{state}", constraint.name, text::cut(&constraint.definition, 300))
        })
        .collect();
    object.indexes = relation
        .indexes
        .iter()
        .map(|index| {
            let state = if index.valid { "" } else { ", INVALID" };
            let definition = text::cut(&index.definition, 300);
            format!("{definition} ({}, {} scans{state})", size(index.bytes), index.scans)
        })
        .collect();
    if detail == Detail::Full {
        object.more = more(relation);
    }
    object
}

fn kind(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "table",
        RelationKind::PartitionedTable => "partitioned table",
        RelationKind::Partition => "partition",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::ForeignTable => "foreign table",
    }
}

fn column(column: &Column) -> String {
    let mut out = format!("{} {}", column.name, column.type_name);
    if column.not_null {
        out.push_str(" not null");
    }
    if let Some(default) = &column.default {
        out.push_str(&format!(" default {}", text::cut(default, 80)));
    }
    out
}

fn more(relation: &Relation) -> Vec<String> {
    let activity = &relation.activity;
    let mut out = vec![format!(
        "{} sequential scans, {} index scans, {} dead rows",
        activity.seq_scans, activity.index_scans, activity.dead_rows
    )];
    out.push(match &activity.last_analyze {
        Some(at) => format!("last analyzed {at}"),
        None => "never analyzed".into(),
    });
    let parts = [
        ("partition key", &relation.partition_key),
        ("partition of", &relation.partition_of),
        ("bound", &relation.partition_bound),
        ("definition", &relation.definition),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            out.push(format!("{name}: {}", text::cut(value, 1_500)));
        }
    }
    if relation.row_security {
        out.push("row-level security decides which rows a user sees".into());
    }
    for column in &relation.columns {
        let Some(statistics) = &column.statistics else { continue };
        let distinct = match statistics.distinct {
            share if share < 0.0 => format!("{:.0} % distinct", -share * 100.0),
            number => format!("{number:.0} distinct"),
        };
        let nulls = statistics.null_fraction * 100.0;
        let common: Vec<String> =
            statistics.common_values.iter().take(3).map(|value| text::cut(value, 40)).collect();
        let common = if common.is_empty() {
            String::new()
        } else {
            format!(", often {}", common.join(", "))
        };
        out.push(format!("{}: {distinct}, {nulls:.0} % null{common}", column.name));
    }
    out
}
