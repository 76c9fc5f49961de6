//! New migrations in their safe form.

use serde_json::{Value, json};

/// An index on `fields` of a collection.
pub fn add_index(collection: &str, fields: &[String], unique: bool) -> String {
    let keys: serde_json::Map<String, Value> =
        fields.iter().map(|field| (field.clone(), json!(1))).collect();
    let name: Vec<String> = fields.iter().map(|field| format!("{field}_1")).collect();
    let name = name.join("_");
    let mut index = json!({ "key": keys, "name": name });
    if unique {
        index["unique"] = json!(true);
    }
    written(&json!({
        "up": [{ "createIndexes": collection, "indexes": [index] }],
        "down": [{ "dropIndexes": collection, "index": name }],
    }))
}

/// A field with a value, in batches, wherever it is missing.
pub fn add_field(collection: &str, field: &str, value: &Value) -> String {
    let missing = json!({ "$exists": false });
    written(&json!({
        "up": [{ "backfill": {
            "collection": collection,
            "filter": { field: missing },
            "update": { "$set": { field: value } },
            "batch": 1000,
            "pace": "20ms",
        } }],
        "down": [{ "backfill": {
            "collection": collection,
            "filter": { field: { "$exists": true } },
            "update": { "$unset": { field: "" } },
            "batch": 1000,
            "pace": "20ms",
        } }],
    }))
}

fn written(value: &Value) -> String {
    format!("{value:#}\n")
}
