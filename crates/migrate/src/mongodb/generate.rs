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
        // What had another value, or got one since, is not ours to take away.
        "down": [{ "backfill": {
            "collection": collection,
            "filter": { field: value },
            "update": { "$unset": { field: "" } },
            "batch": 1000,
            "pace": "20ms",
        } }],
    }))
}

/// What the reader should know of [`add_field`].
pub const ADDED: &str = "the way back takes the field from every document that has this value in it, \
                         also from those that had it before";

/// Another name for a field, in batches: three migrations. The new field beside the old one, then
/// (when the application writes both) what was written meanwhile, then the old field goes where the
/// new one has its value.
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
    let (old_path, new_path) = (format!("${old}"), format!("${new}"));
    let same = |field: &str| json!({ field: { "$exists": true }, "$expr": { "$eq": [old_path, new_path] } });
    let unset = |field: &str| {
        json!({ "backfill": {
            "collection": collection,
            "filter": same(field),
            "update": { "$unset": { field: "" } },
            "batch": 1000,
            "pace": "20ms",
        } })
    };
    let differing = json!([
        { "$match": { old: { "$exists": true }, "$expr": { "$ne": [old_path, new_path] } } },
    ]);
    let told = "the new field has another value than the old one: let the application write both, or \
                settle which is right";
    vec![
        ("copy", written(&json!({ "up": [fill(old, new)], "down": [unset(new)] }))),
        (
            "verify",
            written(&json!({
                "up": [fill(old, new), failing(collection, differing.clone(), told)],
                "down": [],
            })),
        ),
        (
            "contract",
            written(&json!({
                "options": { "hold": true },
                "up": [failing(collection, differing, told), unset(old)],
                "down": [fill(new, old)],
            })),
        ),
    ]
}

/// What the reader should know of [`rename_field`].
pub const RENAMED: [&str; 2] = [
    "deploy what writes both fields before the verify, and what uses the new one alone before the \
     contract: nothing in MongoDB keeps them the same",
    "a document in which the two differ stops the verify and the contract: neither value is thrown \
     away",
];

/// A field's values as another type, in place and in batches; what cannot be converted stays as it
/// is, and makes the second migration fail.
pub fn change_type(collection: &str, field: &str, to: &str) -> Vec<(&'static str, String)> {
    let other = json!({ "$exists": true, "$not": { "$type": to }, "$ne": null });
    let path = format!("${field}");
    let convert =
        json!({ "$convert": { "input": path, "to": to, "onError": path, "onNull": null } });
    // A whole number holds neither a fraction nor a truth: such values stay, and are told of.
    let mut filter = json!({ field: other.clone() });
    if ["int", "long"].contains(&to) {
        let kind = json!({ "$type": path });
        filter["$expr"] = json!({ "$or": [
            { "$not": [{ "$in": [kind, ["double", "decimal", "bool"]] }] },
            { "$eq": [convert, path] },
        ] });
    }
    let converted = json!({ "backfill": {
        "collection": collection,
        "filter": filter,
        "update": [{ "$set": { field: convert } }],
        "batch": 1000,
        "pace": "20ms",
    } });
    let left = json!([{ "$match": { field: other } }]);
    vec![
        ("convert", written(&json!({ "up": [converted] }))),
        (
            "verify",
            written(&json!({
                "up": [failing(collection, left, "they could not be converted without loss, find them by $type")],
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
    let lacking = json!([{ "$match": missing }]);
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
                "up": [failing(collection, lacking, "they lack the field of the shard key: run the backfill again")],
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

/// A command that fails when the stages find a document: with how many there are, and `text`. The
/// server has no other way to fail than a conversion that cannot be done.
fn failing(collection: &str, stages: Value, text: &str) -> Value {
    let mut pipeline = stages.as_array().cloned().unwrap_or_default();
    pipeline.push(json!({ "$count": "found" }));
    let said = json!({ "$concat": [{ "$toString": "$found" }, " documents: ", text] });
    pipeline.push(json!({ "$project": {
        "failed": { "$convert": { "input": said, "to": "int" } }
    } }));
    json!({ "aggregate": collection, "pipeline": pipeline, "cursor": {} })
}

/// A validator, in its safe form: first one that only warns, so that documents that do not pass can
/// be counted and mended; then, as a migration of its own, one that refuses.
///
/// `before` is what the collection has now, as `listCollections` tells its options: the way back
/// leads there.
pub fn validator(
    collection: &str,
    validator: &Value,
    before: Option<&Value>,
) -> Vec<(&'static str, String)> {
    let set = |level: &str, action: &str| {
        json!({
            "collMod": collection,
            "validator": validator,
            "validationLevel": level,
            "validationAction": action,
        })
    };
    let had = |name: &str, usual: Value| {
        before.and_then(|options| options.get(name)).cloned().unwrap_or(usual)
    };
    let none = json!({
        "collMod": collection,
        "validator": had("validator", json!({})),
        "validationLevel": had("validationLevel", json!("strict")),
        "validationAction": had("validationAction", json!("error")),
    });
    let strangers = json!([{ "$match": { "$nor": [validator] } }]);
    vec![
        ("warn", written(&json!({ "up": [set("moderate", "warn")], "down": [none] }))),
        (
            "enforce",
            written(&json!({
                "up": [
                    failing(collection, strangers, "they do not pass the validator, mend them first"),
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
        (
            "drop",
            written(
                &json!({ "options": { "hold": true }, "up": [{ "dropIndexes": collection, "index": index }] }),
            ),
        ),
    ]
}

fn written(value: &Value) -> String {
    format!("{value:#}\n")
}
