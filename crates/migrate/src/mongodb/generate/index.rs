//! Indexes made and dropped.

use marula_core::{Collection, Error, ErrorKind, Result, nearest};
use serde_json::{Map, Value, json};

use super::field::named;
use super::written;

/// An index on `fields` of a collection.
///
/// # Errors
/// `Usage` for fields that cannot be, or that are named twice.
pub fn add_index(collection: &str, fields: &[String], unique: bool) -> Result<String> {
    if fields.iter().all(|field| field == "_id") {
        return Err(Error::new(ErrorKind::Usage, "every collection has an index on _id")
            .hint("name other fields"));
    }
    let (keys, name) = keys(fields)?;
    let mut index = json!({ "key": keys, "name": name });
    if unique {
        index["unique"] = json!(true);
    }
    Ok(written(&json!({
        "up": [{ "createIndexes": collection, "indexes": [index] }],
        "down": [{ "dropIndexes": collection, "index": name }],
    })))
}

/// The keys of an index that is ascending in all its fields, and its name.
pub(super) fn keys(fields: &[String]) -> Result<(Map<String, Value>, String)> {
    let mut keys = Map::new();
    for field in fields {
        let kind = field.rsplit_once(':').map(|(_, kind)| kind);
        if let Some(kind) = kind
            && ["1", "-1", "text", "hashed", "2d", "2dsphere"].contains(&kind)
        {
            let what = format!("'{field}' asks for an index of the kind {kind}");
            return Err(Error::new(ErrorKind::Usage, what).hint(
                "what is written here is ascending; others: marula migrate new NAME, and in it \
                 \"db.COLLECTION.createIndex({field: -1}, {name: '…'})\"",
            ));
        }
        // All fields, or all below one.
        if field != "$**" {
            named(field.strip_suffix(".$**").unwrap_or(field))?;
        }
        if keys.insert(field.clone(), json!(1)).is_some() {
            return Err(Error::new(ErrorKind::Usage, format!("{field} is named twice"))
                .hint("name each field of the index once"));
        }
    }
    let name = fields.iter().map(|field| format!("{field}_1")).collect::<Vec<_>>().join("_");
    Ok((keys, name))
}

/// An index goes: hidden first, so that it can come back at once, and dropped by a migration of its
/// own. Of a collection that is known it can be made again.
///
/// # Errors
/// `Usage` for the index on `_id` and for all at once, `NotFound` for one that is not there.
pub fn drop_index(
    collection: &str,
    index: &str,
    known: Option<&Collection>,
) -> Result<Vec<(&'static str, String)>> {
    if index == "_id_" || index == "*" {
        let what = match index {
            "*" => "indexes are dropped one by one",
            _ => "the index on _id cannot be dropped",
        };
        return Err(Error::new(ErrorKind::Usage, what)
            .hint(format!("name one: marula migrate drop index {collection}.status_1")));
    }
    let again = known.map(|known| definition(known, index)).transpose()?;
    let was_hidden = again.as_ref().is_some_and(|again| again["hidden"] == json!(true));
    let hide = |hidden: bool| json!({ "collMod": collection, "index": { "name": index, "hidden": hidden } });
    let mut drop = json!({
        "options": { "hold": true },
        "up": [{ "dropIndexes": collection, "index": index }],
    });
    if let Some(mut again) = again {
        // As it was before this step: the step before hid it.
        again["hidden"] = json!(true);
        drop["down"] = json!([{ "createIndexes": collection, "indexes": [again] }]);
    }
    Ok(vec![
        ("hide", written(&json!({ "up": [hide(true)], "down": [hide(was_hidden)] }))),
        ("drop", written(&drop)),
    ])
}

/// What makes an index again, as `createIndexes` takes it.
fn definition(known: &Collection, index: &str) -> Result<Value> {
    let name = &known.name;
    let Some(found) = known.indexes.iter().find(|one| one.name == index) else {
        let error = Error::new(ErrorKind::NotFound, format!("{name} has no index {index}"));
        let names = known.indexes.iter().map(|one| one.name.as_str());
        return Err(match nearest(index, names).first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint("see what is there with marula inspect"),
        });
    };
    let mut again = found.specification.clone();
    if let Some(own) = again.as_object_mut() {
        for counted in ["v", "ns", "background"] {
            own.remove(counted);
        }
    }
    match again.get_mut("collation").and_then(Value::as_object_mut) {
        // Its version is the server's own.
        Some(collation) => {
            collation.remove("version");
        }
        // What is listed without one compares byte by byte; what is made without one takes the
        // collection's.
        None if known.options.get("collation").is_some() => {
            again["collation"] = json!({ "locale": "simple" });
        }
        None => {}
    }
    Ok(again)
}
