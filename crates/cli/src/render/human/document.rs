//! `marula inspect` on MongoDB: all collections, or one with its inferred schema.

use marula_core::Json;
use marula_core::{
    Collection, CollectionKind, DocumentCatalog, DocumentIndex, FieldProfile, InferredSchema,
    Report,
};

use super::super::Look;
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, grouped, percent};
use super::paint::Ink;
use super::{heading, text};

/// The overview, or the detail of `object`.
pub fn inspect(
    report: &Report,
    catalog: &DocumentCatalog,
    object: Option<&str>,
    look: &Look,
) -> String {
    let mut out = String::new();
    match object.and_then(|name| catalog.find(name)) {
        Some(collection) => detail(collection, look, &mut out),
        None => overview(report, catalog, look, &mut out),
    }
    super::notes(report, look, &mut out);
    out
}

fn overview(report: &Report, catalog: &DocumentCatalog, look: &Look, out: &mut String) {
    let size: u64 = catalog.collections.iter().map(|collection| collection.bytes).sum();
    let index_size: u64 = catalog.collections.iter().map(|collection| collection.index_bytes).sum();
    let title = format!(
        "{}: MongoDB {}, {}, {} and {} of indexes",
        report.target.as_ref().map_or(catalog.database.as_str(), |target| target.name.as_str()),
        catalog.version,
        text::counted(catalog.collections.len() as u64, "collection", "collections"),
        bytes(size),
        bytes(index_size)
    );
    out.push_str(&look.paint.ink(Ink::Strong, text::wrap(&title, look.width, "", "  ").trim_end()));
    out.push_str("\n\n");
    let mut collections: Vec<&Collection> = catalog.collections.iter().collect();
    collections.sort_by_key(|collection| std::cmp::Reverse(collection.bytes));
    let rows: Vec<Vec<String>> = collections
        .iter()
        .map(|collection| {
            let stored = collection.kind != CollectionKind::View;
            let when_stored = |text: String| if stored { text } else { String::new() };
            vec![
                collection.name.clone(),
                kind(collection.kind).into(),
                when_stored(grouped(collection.documents)),
                when_stored(bytes(collection.bytes)),
                when_stored(bytes(collection.storage_bytes)),
                when_stored(bytes(collection.average_bytes)),
                when_stored(collection.indexes.len().to_string()),
                when_stored(bytes(collection.index_bytes)),
            ]
        })
        .collect();
    let columns = [
        words("name"),
        words("kind"),
        numbers("documents"),
        numbers("size"),
        numbers("on disk"),
        numbers("average"),
        numbers("indexes"),
        numbers("their size"),
    ];
    grid(&columns, &rows, look, out);
}

fn detail(collection: &Collection, look: &Look, out: &mut String) {
    let title = format!(
        "{}: {}, {}, {} ({} on disk) and {} of indexes",
        collection.name,
        kind(collection.kind),
        text::counted(collection.documents, "document", "documents"),
        bytes(collection.bytes),
        bytes(collection.storage_bytes),
        bytes(collection.index_bytes)
    );
    out.push_str(&look.paint.ink(Ink::Strong, text::wrap(&title, look.width, "", "  ").trim_end()));
    out.push('\n');
    if collection.options.as_object().is_some_and(|options| !options.is_empty()) {
        let options = format!("options {}", collection.options);
        out.push_str(&text::wrap(&options, look.width, "  ", "    "));
    }
    if !collection.indexes.is_empty() {
        heading("Indexes", look, out);
        let rows: Vec<Vec<String>> = collection.indexes.iter().map(index_row).collect();
        let columns = [words("name"), numbers("size"), numbers("uses"), words("keys")];
        grid(&columns, &rows, look, out);
    }
    if let Some(schema) = &collection.schema {
        fields(schema, look, out);
    }
}

fn index_row(index: &DocumentIndex) -> Vec<String> {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|(path, order)| match order.as_f64() {
            Some(number) => format!("{path}: {number}"),
            None => format!("{path}: {order}"),
        })
        .collect();
    let mut on = format!("{{ {} }}", keys.join(", "));
    for (is, word) in [(index.unique, "unique"), (index.sparse, "sparse"), (index.hidden, "hidden")]
    {
        if is {
            on.push_str(&format!(" {word}"));
        }
    }
    if let Some(filter) = &index.partial {
        on.push_str(&format!(" where {filter}"));
    }
    if let Some(seconds) = index.expire_after_seconds {
        on.push_str(&format!(" removed after {}", super::numbers::duration(seconds * 1e3)));
    }
    if index.collation.is_some() {
        on.push_str(" with a collation");
    }
    let uses = index.accesses.map_or("unknown".into(), grouped);
    vec![index.name.clone(), bytes(index.bytes), uses, on]
}

fn fields(schema: &InferredSchema, look: &Look, out: &mut String) {
    let sampled = match schema.complete {
        true => format!("all {}", text::counted(schema.sampled, "document", "documents")),
        false => format!("a sample of {}", text::counted(schema.sampled, "document", "documents")),
    };
    heading(&format!("Fields ({sampled})"), look, out);
    let rows: Vec<Vec<String>> =
        schema.fields.iter().map(|(path, field)| field_row(path, field)).collect();
    let columns = [
        words("path"),
        words("types"),
        numbers("missing"),
        numbers("null"),
        numbers("distinct"),
        words("array length"),
        words("most common"),
    ];
    grid(&columns, &rows, look, out);
}

fn field_row(path: &str, field: &FieldProfile) -> Vec<String> {
    let share = |count: u64| {
        if count == 0 || field.parents == 0 {
            String::new()
        } else {
            percent(count as f64 / field.parents as f64)
        }
    };
    let mut types: Vec<(&String, &u64)> =
        field.types.iter().filter(|(name, _)| *name != "null").collect();
    types.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let whole: u64 = types.iter().map(|(_, count)| **count).sum();
    let types: Vec<String> = match types.as_slice() {
        [] if field.null() > 0 => vec!["null".into()],
        [(name, _)] => vec![(*name).clone()],
        several => several
            .iter()
            .map(|(name, count)| {
                format!("{name} {}", percent(**count as f64 / whole.max(1) as f64))
            })
            .collect(),
    };
    let length = field.array_length.map(|length| {
        format!("{}–{}, median {}, p99 {}", length.min, length.max, length.median, length.p99)
    });
    let common: Vec<String> = field
        .common_values
        .iter()
        .filter(|(_, count)| *count > 1)
        .take(3)
        .map(|(value, _)| text::cut(&plain(value), 24))
        .collect();
    vec![
        path.to_string(),
        types.join(", "),
        share(field.missing()),
        share(field.null()),
        match field.distinct {
            0 => String::new(),
            1000.. => "1,000 +".into(),
            few => grouped(few),
        },
        length.unwrap_or_default(),
        common.join(", "),
    ]
}

/// A value without the wrapping of extended JSON: `12.50`, not `{"$numberDecimal":"12.50"}`.
fn plain(value: &Json) -> String {
    let inner = value.as_object().filter(|object| object.len() == 1);
    match inner.and_then(|object| object.iter().next()) {
        Some((key, Json::String(inner))) if key.starts_with('$') => inner.clone(),
        Some((key, inner @ Json::Object(_))) if key.starts_with('$') => plain(inner),
        _ => value.to_string(),
    }
}

fn kind(kind: CollectionKind) -> &'static str {
    match kind {
        CollectionKind::Collection => "collection",
        CollectionKind::View => "view",
        CollectionKind::Timeseries => "time series",
    }
}
