//! New migrations in their safe form.

mod field;
mod index;
mod rename;
mod retype;

use marula_core::Result;
use serde_json::{Value, json};

pub use index::{add_index, drop_index};
pub use rename::{RENAMED, rename_field};
pub use retype::{RETYPED, change_type};

use field::{check, exactly, unreachable};

/// A field with a value, in batches, wherever it is missing.
///
/// # Errors
/// `Usage` for a field that cannot be.
pub fn add_field(collection: &str, field: &str, value: &Value) -> Result<String> {
    check(field)?;
    let missing = json!({ field: { "$exists": false } });
    let mut up = Vec::new();
    if let Some(stages) = unreachable(missing.clone(), &[field]) {
        let told = format!(
            "they hold a list or a plain value where {field} needs a document around it: mend them \
             first"
        );
        up.push(failing(collection, stages, &told));
    }
    up.push(batches(collection, missing, json!({ "$set": { field: value } })));
    // What had another value, or got one since, is not ours to take away.
    let own = exactly(field, &json!({ "$literal": value }));
    let down = batches(collection, own, json!({ "$unset": { field: "" } }));
    Ok(written(&json!({ "up": up, "down": [down] })))
}

/// What the reader should know of [`add_field`].
pub const ADDED: &str = "the way back takes the field from every document that has exactly this value \
                         in it, also from those that had it before";

/// A field for a shard key: filled in batches, verified, indexed; the key itself is changed through
/// a mongos. `value` is an expression.
///
/// # Errors
/// `Usage` for a field, or a key, that cannot be.
pub fn shard_key_field(
    collection: &str,
    field: &str,
    value: &Value,
    key: &[String],
) -> Result<Vec<(&'static str, String)>> {
    check(field)?;
    let (keys, name) = index::keys(key)?;
    let missing = json!({ field: { "$exists": false } });
    let open = field::and(missing.clone(), field::reachable(&[field]));
    let fill = batches(collection, open, json!([{ "$set": { field: value } }]));
    let unset = batches(collection, exactly(field, value), json!({ "$unset": { field: "" } }));
    let lacking = json!([{ "$match": missing }]);
    let told = "they lack the field of the shard key: run the backfill again, or give it to them \
                where a list or a plain value is in its way";
    Ok(vec![
        ("backfill", written(&json!({ "up": [fill], "down": [unset] }))),
        ("verify", checked(vec![failing(collection, lacking, told)])),
        (
            "index",
            written(&json!({
                "up": [{ "createIndexes": collection, "indexes": [{ "key": keys, "name": name }] }],
                "down": [{ "dropIndexes": collection, "index": name }],
            })),
        ),
    ])
}

/// A change of documents, batch by batch.
fn batches(collection: &str, filter: Value, update: Value) -> Value {
    json!({ "backfill": {
        "collection": collection,
        "filter": filter,
        "update": update,
        "batch": 1000,
        "pace": "20ms",
    } })
}

/// A migration that looks, and changes nothing that has to be taken back: its way back is there, so
/// that those before it can be taken back, and does nothing.
fn checked(up: Vec<Value>) -> String {
    written(&json!({ "up": up, "down": [{ "ping": 1 }] }))
}

/// A command that fails when the stages find a document: with how many there are, and `text`. The
/// server has no other way to fail than a conversion that cannot be done.
fn failing(collection: &str, stages: Value, text: &str) -> Value {
    let mut stages = stages;
    if let Some(stages) = stages.as_array_mut() {
        stages.push(json!({ "$count": "found" }));
    }
    fails(collection, stages, json!([{ "$toString": "$found" }, " documents: ", text]))
}

/// The same with a text in parts, made from what the stages leave.
fn fails(collection: &str, stages: Value, said: Value) -> Value {
    let mut pipeline = stages.as_array().cloned().unwrap_or_default();
    pipeline.push(json!({ "$project": {
        "failed": { "$convert": { "input": { "$concat": said }, "to": "int" } }
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
///
/// # Errors
/// `Usage` for a field that cannot be.
pub fn drop_field(collection: &str, field: &str) -> Result<String> {
    check(field)?;
    let there = json!({ field: { "$exists": true } });
    let mut up = Vec::new();
    if let Some(stages) = unreachable(there.clone(), &[field]) {
        let told = format!("they hold {field} inside a list, where it is not looked for");
        up.push(failing(collection, stages, &told));
    }
    up.push(batches(collection, there, json!({ "$unset": { field: "" } })));
    Ok(written(&json!({ "up": up })))
}

/// A collection goes, with its documents.
pub fn drop_collection(collection: &str) -> String {
    written(&json!({ "up": [{ "drop": collection }] }))
}

fn written(value: &Value) -> String {
    format!("{value:#}\n")
}
