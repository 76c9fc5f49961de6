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

/// Another name for a field, in batches: three migrations. The new field beside the old one, then
/// (when the application writes the new one) what was written meanwhile, then the old field goes.
pub fn rename_field(collection: &str, old: &str, new: &str) -> Vec<(&'static str, String)> {
    let fill = |from: &str, to: &str| {
        json!({ "backfill": {
            "collection": collection,
            "filter": { from: { "$exists": true }, to: { "$exists": false } },
            "update": [{ "$set": { to: format!("${from}") } }],
            "batch": 1000,
            "pace": "20ms",
        } })
    };
    let unset = |field: &str| {
        json!({ "backfill": {
            "collection": collection,
            "filter": { field: { "$exists": true } },
            "update": { "$unset": { field: "" } },
            "batch": 1000,
            "pace": "20ms",
        } })
    };
    let lacking = json!([
        { "$match": { old: { "$exists": true }, new: { "$exists": false } } },
        { "$limit": 1 },
    ]);
    vec![
        ("copy", written(&json!({ "up": [fill(old, new)], "down": [unset(new)] }))),
        (
            "verify",
            written(&json!({
                "up": [fill(old, new), failing(collection, lacking, "documents lack the new field: run the copy again")],
                "down": [],
            })),
        ),
        ("contract", written(&json!({ "up": [unset(old)], "down": [fill(new, old)] }))),
    ]
}

/// A field's values as another type, in place and in batches; what cannot be converted stays as it
/// is, and makes the second migration fail.
pub fn change_type(collection: &str, field: &str, to: &str) -> Vec<(&'static str, String)> {
    let other = json!({ "$exists": true, "$not": { "$type": to }, "$ne": null });
    let path = format!("${field}");
    let convert =
        json!({ "$convert": { "input": path, "to": to, "onError": path, "onNull": null } });
    let converted = json!({ "backfill": {
        "collection": collection,
        "filter": { field: other.clone() },
        "update": [{ "$set": { field: convert } }],
        "batch": 1000,
        "pace": "20ms",
    } });
    let left = json!([{ "$match": { field: other } }, { "$limit": 1 }]);
    vec![
        ("convert", written(&json!({ "up": [converted] }))),
        (
            "verify",
            written(&json!({
                "up": [failing(collection, left, "documents could not be converted: find them by $type")],
                "down": [],
            })),
        ),
    ]
}

/// A field for a shard key: filled in batches, verified, indexed; the key itself is changed through
/// a mongos.
pub fn shard_key_field(
    collection: &str,
    field: &str,
    value: &Value,
    key: &[String],
) -> Vec<(&'static str, String)> {
    let missing = json!({ field: { "$exists": false } });
    let fill = json!({ "backfill": {
        "collection": collection,
        "filter": missing,
        "update": [{ "$set": { field: value } }],
        "batch": 1000,
        "pace": "20ms",
    } });
    let lacking = json!([{ "$match": missing }, { "$limit": 1 }]);
    let keys: serde_json::Map<String, Value> =
        key.iter().map(|part| (part.clone(), json!(1))).collect();
    let name = key.iter().map(|part| format!("{part}_1")).collect::<Vec<_>>().join("_");
    vec![
        (
            "backfill",
            written(&json!({ "up": [fill], "down": [{ "backfill": {
            "collection": collection,
            "filter": { field: { "$exists": true } },
            "update": { "$unset": { field: "" } },
            "batch": 1000,
            "pace": "20ms",
        } }] })),
        ),
        (
            "verify",
            written(&json!({
                "up": [failing(collection, lacking, "documents lack the field of the shard key: run the backfill again")],
                "down": [],
            })),
        ),
        (
            "index",
            written(&json!({
                "up": [{ "createIndexes": collection, "indexes": [{ "key": keys, "name": name }] }],
                "down": [{ "dropIndexes": collection, "index": name }],
            })),
        ),
    ]
}

/// A command that fails with `text` when the stages find a document. The text is made of the
/// document's own: the server works constants out before it has seen one.
fn failing(collection: &str, stages: Value, text: &str) -> Value {
    let mut pipeline = stages.as_array().cloned().unwrap_or_default();
    pipeline.push(json!({ "$project": {
        "failed": { "$convert": { "input": { "$concat": [text, { "$substrCP": [{ "$type": "$_id" }, 0, 0] }] }, "to": "int" } }
    } }));
    json!({ "aggregate": collection, "pipeline": pipeline, "cursor": {} })
}

/// A validator, in its safe form: first one that only warns, so that documents that do not pass can
/// be counted and mended; then, as a migration of its own, one that refuses.
pub fn validator(collection: &str, validator: &Value) -> Vec<(&'static str, String)> {
    let set = |level: &str, action: &str| {
        json!({
            "collMod": collection,
            "validator": validator,
            "validationLevel": level,
            "validationAction": action,
        })
    };
    let none = json!({ "collMod": collection, "validator": {}, "validationLevel": "strict", "validationAction": "error" });
    let strangers = json!([{ "$match": { "$nor": [validator] } }, { "$limit": 1 }]);
    vec![
        ("warn", written(&json!({ "up": [set("moderate", "warn")], "down": [none] }))),
        (
            "enforce",
            written(&json!({
                "up": [
                    failing(collection, strangers, "documents do not pass the validator: mend them first"),
                    set("strict", "error"),
                ],
                "down": [set("moderate", "warn")],
            })),
        ),
    ]
}

/// Documents brought up to date in batches.
pub fn backfill(collection: &str, filter: &Value, update: &Value, batch: u64) -> String {
    written(&json!({ "up": [{ "backfill": {
        "collection": collection,
        "filter": filter,
        "update": update,
        "batch": batch,
        "pace": "20ms",
    } }] }))
}

/// A field goes, in batches; its values cannot come back.
pub fn drop_field(collection: &str, field: &str) -> String {
    written(&json!({ "up": [{ "backfill": {
        "collection": collection,
        "filter": { field: { "$exists": true } },
        "update": { "$unset": { field: "" } },
        "batch": 1000,
        "pace": "20ms",
    } }] }))
}

/// A collection goes, with its documents.
pub fn drop_collection(collection: &str) -> String {
    written(&json!({ "up": [{ "drop": collection }] }))
}

/// An index goes: hidden first, so that it can come back at once, and dropped by a migration of its
/// own.
pub fn drop_index(collection: &str, index: &str) -> Vec<(&'static str, String)> {
    let hide = |hidden: bool| json!({ "collMod": collection, "index": { "name": index, "hidden": hidden } });
    vec![
        ("hide", written(&json!({ "up": [hide(true)], "down": [hide(false)] }))),
        ("drop", written(&json!({ "up": [{ "dropIndexes": collection, "index": index }] }))),
    ]
}

fn written(value: &Value) -> String {
    format!("{value:#}\n")
}
