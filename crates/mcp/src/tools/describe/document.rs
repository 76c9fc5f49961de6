use marula_core::{Collection, CollectionKind, DocumentCatalog, DocumentIndex, FieldProfile};
use serde_json::Value;

use super::{Detail, Object, size, wanted};
use crate::text;

/// The most fields of a collection that are told.
const FIELDS: usize = 120;

/// The collections with one of the words, in the catalogue's order.
pub fn objects(catalog: &DocumentCatalog, detail: Detail, words: &[String]) -> Vec<Object> {
    let found = catalog.collections.iter().filter(|collection| {
        let fields = collection.schema.iter().flat_map(|schema| schema.fields.keys());
        let indexed = collection
            .indexes
            .iter()
            .flat_map(|index| index.keys.iter().map(|(path, _)| path.as_str()));
        let names = fields.map(String::as_str).chain(indexed);
        wanted(words, names.chain([collection.name.as_str()]))
    });
    found.map(|collection| object(collection, detail)).collect()
}

fn object(collection: &Collection, detail: Detail) -> Object {
    let mut object = Object {
        name: collection.name.clone(),
        kind: match collection.kind {
            CollectionKind::Collection => "collection",
            CollectionKind::View => "view",
            CollectionKind::Timeseries => "time-series collection",
        }
        .into(),
        rows: Some(collection.documents),
        bytes: Some(collection.storage_bytes + collection.index_bytes),
        ..Object::default()
    };
    if detail == Detail::Names {
        return object;
    }
    if let Some(schema) = &collection.schema {
        object.columns = schema
            .fields
            .iter()
            .take(FIELDS)
            .map(|(path, field)| line(path, field, detail))
            .collect();
        if schema.fields.len() > FIELDS {
            object.more.push(format!("{} fields more", schema.fields.len() - FIELDS));
        }
        let which = if schema.complete { "all" } else { "a sample of" };
        object.more.push(format!("fields of {which} {} documents", schema.sampled));
    }
    object.indexes = collection.indexes.iter().map(index).collect();
    if let Some(validator) = collection.options.get("validator") {
        object.constraints.push(format!("validator: {}", text::cut(&validator.to_string(), 1_500)));
    }
    if detail == Detail::Full {
        let mut options = collection.options.clone();
        if let Value::Object(fields) = &mut options {
            fields.remove("validator");
            if !fields.is_empty() {
                object.more.push(format!("options: {}", text::cut(&options.to_string(), 1_500)));
            }
        }
        object.more.push(format!("average document {}", size(collection.average_bytes)));
    }
    object
}

fn line(path: &str, field: &FieldProfile, detail: Detail) -> String {
    let types: Vec<&str> = field.types.keys().map(String::as_str).collect();
    let mut out = format!("{} {}", text::cut(path, 200), types.join("|"));
    if field.missing() > 0 {
        let share = field.present as f64 / field.parents.max(1) as f64 * 100.0;
        out.push_str(&format!(", in {share:.0} %"));
    }
    if let Some(length) = &field.array_length {
        out.push_str(&format!(", {} to {} elements", length.min, length.max));
    }
    if detail == Detail::Full {
        let many = if field.distinct >= 1_000 { "or more " } else { "" };
        out.push_str(&format!(", {} {many}distinct", field.distinct));
        let common: Vec<String> = field
            .common_values
            .iter()
            .take(3)
            .map(|(value, _)| text::cut(&value.to_string(), 40))
            .collect();
        if !common.is_empty() {
            out.push_str(&format!(", often {}", common.join(", ")));
        }
    }
    out
}

fn index(index: &DocumentIndex) -> String {
    let keys: Vec<String> =
        index.keys.iter().map(|(path, order)| format!("{path}: {order}")).collect();
    let mut out = format!("{} {{ {} }}", index.name, keys.join(", "));
    for (word, set) in
        [("unique", index.unique), ("sparse", index.sparse), ("hidden", index.hidden)]
    {
        if set {
            out.push_str(&format!(" {word}"));
        }
    }
    if let Some(partial) = &index.partial {
        out.push_str(&format!(" partial {}", text::cut(&partial.to_string(), 200)));
    }
    if let Some(seconds) = index.expire_after_seconds {
        out.push_str(&format!(" expires after {seconds} s"));
    }
    out.push_str(&format!(" ({}", size(index.bytes)));
    if let Some(uses) = index.accesses {
        out.push_str(&format!(", {uses} uses"));
    }
    out.push(')');
    out
}
