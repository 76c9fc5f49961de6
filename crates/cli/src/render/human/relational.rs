//! `marula inspect` on PostgreSQL: all relations, or one in detail.

use marula_core::{Column, Index, Relation, RelationKind, RelationalCatalog, Report};

use super::super::{Look, statement};
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, grouped, number, percent};
use super::paint::Ink;
use super::{heading, text};

/// The overview, or the detail of `object`.
pub fn inspect(
    report: &Report,
    catalog: &RelationalCatalog,
    object: Option<&str>,
    look: &Look,
) -> String {
    let mut out = String::new();
    match object.and_then(|name| catalog.find(name)) {
        Some(relation) => detail(relation, catalog, look, &mut out),
        None => overview(report, catalog, look, &mut out),
    }
    super::notes(report, look, &mut out);
    out
}

fn overview(report: &Report, catalog: &RelationalCatalog, look: &Look, out: &mut String) {
    let size: u64 = catalog.relations.iter().map(|relation| relation.bytes).sum();
    let index_size: u64 = catalog.relations.iter().map(|relation| relation.index_bytes).sum();
    let title = format!(
        "{}: PostgreSQL {}, {}, {} and {} of indexes",
        report.target.as_ref().map_or(catalog.database.as_str(), |target| target.name.as_str()),
        catalog.version,
        text::counted(catalog.relations.len() as u64, "relation", "relations"),
        bytes(size),
        bytes(index_size)
    );
    out.push_str(&look.paint.ink(Ink::Strong, text::wrap(&title, look.width, "", "  ").trim_end()));
    out.push_str("\n\n");
    let mut relations: Vec<&Relation> = catalog.relations.iter().collect();
    relations.sort_by_key(|relation| std::cmp::Reverse(relation.bytes + relation.index_bytes));
    let rows: Vec<Vec<String>> = relations.iter().map(|relation| overview_row(relation)).collect();
    let columns = [
        words("name"),
        words("kind"),
        numbers("rows"),
        numbers("size"),
        numbers("indexes"),
        numbers("their size"),
        numbers("seq scans"),
        numbers("index scans"),
        words("analyzed"),
    ];
    grid(&columns, &rows, look, out);
    if !catalog.extensions.is_empty() {
        let list: Vec<String> =
            catalog.extensions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let line = format!("Extensions: {}", list.join(", "));
        out.push('\n');
        out.push_str(&text::wrap(&line, look.width, "  ", "    "));
    }
}

fn overview_row(relation: &Relation) -> Vec<String> {
    let stored = !matches!(relation.kind, RelationKind::View | RelationKind::ForeignTable);
    let when_stored = |text: String| if stored { text } else { String::new() };
    let name = relation.qualified();
    vec![
        // The usual schema says nothing, and takes room.
        name.strip_prefix("public.").unwrap_or(&name).to_string(),
        kind(relation.kind).into(),
        when_stored(relation.rows.map_or("unknown".into(), number)),
        when_stored(bytes(relation.bytes)),
        when_stored(relation.indexes.len().to_string()),
        when_stored(bytes(relation.index_bytes)),
        when_stored(grouped(relation.activity.seq_scans)),
        when_stored(grouped(relation.activity.index_scans)),
        when_stored(relation.activity.last_analyze.as_deref().map_or("never".into(), minute)),
    ]
}

fn detail(relation: &Relation, catalog: &RelationalCatalog, look: &Look, out: &mut String) {
    let rows = relation.rows.map_or("rows unknown (never analyzed)".into(), |rows| {
        text::counted(rows.max(0.0) as u64, "row", "rows")
    });
    let title = format!(
        "{}: {}, {rows}, {} and {} of indexes",
        relation.qualified(),
        kind(relation.kind),
        bytes(relation.bytes),
        bytes(relation.index_bytes)
    );
    out.push_str(&look.paint.ink(Ink::Strong, text::wrap(&title, look.width, "", "  ").trim_end()));
    out.push('\n');
    let activity = &relation.activity;
    let mut facts = vec![
        text::counted(activity.seq_scans, "sequential scan", "sequential scans"),
        text::counted(activity.index_scans, "index scan", "index scans"),
        text::counted(activity.dead_rows, "dead row", "dead rows"),
        format!("{} changed since ANALYZE", grouped(activity.modified_since_analyze)),
        format!("analyzed {}", activity.last_analyze.as_deref().map_or("never".into(), minute)),
        format!("vacuumed {}", activity.last_vacuum.as_deref().map_or("never".into(), minute)),
    ];
    if let Some(key) = &relation.partition_key {
        facts.push(format!("partitioned by {key}"));
    }
    if let (Some(parent), Some(bound)) = (&relation.partition_of, &relation.partition_bound) {
        facts.push(format!("partition of {parent} {bound}"));
    }
    out.push_str(&text::wrap(&facts.join(" · "), look.width, "  ", "  "));

    heading("Columns", look, out);
    let rows: Vec<Vec<String>> = relation.columns.iter().map(column_row).collect();
    let columns = [
        words("name"),
        words("type"),
        words("null"),
        numbers("nulls"),
        numbers("distinct"),
        words("most common"),
        words("default"),
    ];
    grid(&columns, &rows, look, out);

    keys(relation, catalog, look, out);
    if !relation.indexes.is_empty() {
        heading("Indexes", look, out);
        let rows: Vec<Vec<String>> = relation.indexes.iter().map(index_row).collect();
        grid(&[words("name"), numbers("size"), numbers("scans"), words("on")], &rows, look, out);
    }
    if let Some(definition) = &relation.definition {
        heading("Definition", look, out);
        let engine = marula_core::Engine::Postgres;
        for line in statement::laid_out(definition, engine, look.width.saturating_sub(2)) {
            text::push_line(out, &format!("  {line}"));
        }
    }
}

fn column_row(column: &Column) -> Vec<String> {
    let statistics = column.statistics.as_ref();
    let common = statistics.map(|statistics| {
        let values = statistics.common_values.iter().zip(&statistics.common_frequencies).take(3);
        let shown =
            values.map(|(value, share)| format!("{} {}", text::cut(value, 24), percent(*share)));
        shown.collect::<Vec<_>>().join(", ")
    });
    let distinct = statistics.map(|statistics| match statistics.distinct {
        ratio if ratio <= -1.0 => "unique".into(),
        ratio if ratio < 0.0 => format!("{} of rows", percent(-ratio)),
        known => number(known),
    });
    vec![
        column.name.clone(),
        column.type_name.clone(),
        if column.not_null { "no" } else { "yes" }.into(),
        statistics.map(|statistics| percent(statistics.null_fraction)).unwrap_or_default(),
        distinct.unwrap_or_default(),
        common.unwrap_or_default(),
        column.default.clone().unwrap_or_default(),
    ]
}

fn keys(relation: &Relation, catalog: &RelationalCatalog, look: &Look, out: &mut String) {
    let own = relation.constraints.iter().map(|constraint| {
        let state = if constraint.validated { "" } else { " (not validated)" };
        vec![constraint.name.clone(), format!("{}{state}", constraint.definition)]
    });
    let name = relation.qualified();
    let pointing = catalog.relations.iter().flat_map(|other| {
        let keys = other.constraints.iter().filter(|c| c.references.as_ref() == Some(&name));
        keys.map(|key| {
            vec![
                key.name.clone(),
                format!("referenced by {} ({})", other.qualified(), key.columns.join(", ")),
            ]
        })
    });
    let rows: Vec<Vec<String>> = own.chain(pointing).collect();
    if !rows.is_empty() {
        heading("Keys", look, out);
        grid(&[words("name"), words("definition")], &rows, look, out);
    }
}

fn index_row(index: &Index) -> Vec<String> {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| format!("{}{}", key.expression, if key.descending { " DESC" } else { "" }))
        .collect();
    let mut on = format!("{} ({})", index.method, keys.join(", "));
    if !index.include.is_empty() {
        on.push_str(&format!(" INCLUDE ({})", index.include.join(", ")));
    }
    if let Some(predicate) = &index.predicate {
        on.push_str(&format!(" WHERE {predicate}"));
    }
    for (is, word) in [(index.unique, "unique"), (!index.valid, "INVALID")] {
        if is {
            on = format!("{word} {on}");
        }
    }
    vec![index.name.clone(), bytes(index.bytes), grouped(index.scans), on]
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

/// `2026-11-22 16:43` of an ISO 8601 time.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
