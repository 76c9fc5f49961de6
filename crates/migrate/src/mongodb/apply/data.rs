//! What would fail in the middle because of the documents that are there: looked for before.

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};

use super::Ground;
use super::pieces::{Batched, How};
use super::send::{self, number};

/// The largest document a server takes, in bytes.
const LARGEST: i64 = 16 << 20;

/// Looks for documents that a step would fail on.
pub(super) async fn check(ground: &Ground, how: &How) -> Result<()> {
    match how {
        How::Batches(batched) => match &batched.update {
            Some(update) => of_update(ground, batched, update).await,
            None => Ok(()),
        },
        How::Outside(command) => match send::name(command) {
            "createIndexes" => unique(ground, command).await,
            "collMod" => validator(ground, command).await,
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn found(what: String, hint: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{what}; it was not begun"))
        .hint(hint)
        .hint("or pass the look at the data over: --no-data-check")
}

async fn first(
    ground: &Ground,
    collection: &str,
    stages: Vec<Document>,
) -> Result<Option<Document>> {
    let map = |error| ground.session.map(error);
    let documents = ground.collection(collection);
    let mut cursor = documents.aggregate(stages).allow_disk_use(true).await.map_err(map)?;
    match cursor.advance().await.map_err(map)? {
        true => cursor.deserialize_current().map(Some).map_err(map),
        false => Ok(None),
    }
}

fn shown(id: Option<&Bson>) -> String {
    id.map_or_else(|| "?".into(), |id| id.clone().into_relaxed_extjson().to_string())
}

/// The update as stages that give the same document, where that is certain.
pub(super) fn stages_of(update: &Bson) -> Option<Vec<Document>> {
    match update {
        Bson::Array(stages) => stages.iter().map(|stage| stage.as_document().cloned()).collect(),
        Bson::Document(operators) => {
            let mut stages = Vec::new();
            for (operator, fields) in operators {
                let fields = fields.as_document()?;
                if fields.keys().any(|field| field.contains('.')) {
                    return None;
                }
                match operator.as_str() {
                    "$set" => {
                        let set: Document = fields
                            .iter()
                            .map(|(field, value)| {
                                (field.clone(), Bson::Document(doc! { "$literal": value.clone() }))
                            })
                            .collect();
                        stages.push(doc! { "$set": set });
                    }
                    "$unset" => {
                        let gone: Vec<String> = fields.keys().cloned().collect();
                        stages.push(doc! { "$unset": gone });
                    }
                    _ => return None,
                }
            }
            Some(stages)
        }
        _ => None,
    }
}

async fn of_update(ground: &Ground, batched: &Batched, update: &Bson) -> Result<()> {
    let name = &batched.collection;
    let growth =
        bson::serialize_to_vec(&doc! { "u": update.clone() }).map_or(0, |bytes| bytes.len());
    let stages = stages_of(update);
    // What a pipeline makes of a document can be anything; operators add what they hold.
    let limit = match (&stages, update) {
        (Some(_), Bson::Array(_)) => LARGEST / 4,
        _ => LARGEST - i64::try_from(growth).unwrap_or(0) - 1024,
    };
    let matching = doc! { "$match": batched.filter.clone() };
    let big = doc! { "$match": { "$expr": { "$gt": [{ "$bsonSize": "$$ROOT" }, limit] } } };
    let size = doc! { "$project": { "size": { "$bsonSize": "$$ROOT" } } };
    let mut look = vec![matching.clone(), big];
    let exact = stages.is_some();
    look.extend(stages.clone().unwrap_or_default());
    look.push(size);
    look.push(doc! { "$match": { "size": { "$gt": if exact { LARGEST } else { limit } } } });
    look.push(doc! { "$limit": 1 });
    let too_large = |id: String| {
        found(
            format!("the document {id} of {name} would grow past 16 MB"),
            "make it smaller, or leave it out with the filter",
        )
    };
    match first(ground, name, look).await {
        Ok(None) => {}
        Ok(Some(document)) => return Err(too_large(shown(document.get("_id")))),
        Err(error)
            if error.message().contains("too large")
                || error.server_code() == Some("BSONObjectTooLarge") =>
        {
            return Err(too_large("?".into()));
        }
        Err(error) => {
            return Err(error.hint(
                "this is what the update does to the documents that are there; it was not begun",
            ));
        }
    }
    let Some(stages) = stages else { return Ok(()) };
    // The whole update over all documents, without writing: an expression that throws, throws here.
    let mut look = vec![matching];
    look.extend(stages);
    let validator = validator_of(ground, name).await?;
    let dry = match &validator {
        Some(validator) => {
            look.push(doc! { "$match": { "$nor": [validator.clone()] } });
            look.push(doc! { "$limit": 1 });
            look.push(doc! { "$project": { "_id": 1 } });
            first(ground, name, look).await
        }
        None => {
            look.push(doc! { "$group": { "_id": Bson::Null, "n": { "$max": { "$bsonSize": "$$ROOT" } } } });
            first(ground, name, look).await.map(|_| None)
        }
    };
    match dry {
        Ok(None) => Ok(()),
        Ok(Some(document)) => {
            let id = shown(document.get("_id"));
            Err(found(
                format!("the validator of {name} would reject the document {id} after the change"),
                "let the update mend it, or set validationLevel to moderate first",
            ))
        }
        Err(error) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "a document of {name} would end the change with an error: {}; it was not begun",
                error.message()
            ),
        )
        .hint("give the conversion onError and onNull, or leave such documents out with the filter")
        .hint("or pass the look at the data over: --no-data-check")),
    }
}

/// The validator that updates of documents must pass, if it is strict and refuses.
async fn validator_of(ground: &Ground, name: &str) -> Result<Option<Document>> {
    let map = |error| ground.session.map(error);
    let list = doc! { "listCollections": 1, "filter": { "name": name } };
    let reply = ground.session.database().run_command(list).await.map_err(map)?;
    let batch =
        reply.get_document("cursor").ok().and_then(|cursor| cursor.get_array("firstBatch").ok());
    let options = batch
        .and_then(|batch| batch.first()?.as_document()?.get_document("options").ok())
        .cloned()
        .unwrap_or_default();
    Ok(refusing(&options))
}

fn refusing(options: &Document) -> Option<Document> {
    let strict = options.get_str("validationLevel").unwrap_or("strict") == "strict";
    let error = options.get_str("validationAction").unwrap_or("error") == "error";
    let validator =
        options.get_document("validator").ok().filter(|validator| !validator.is_empty());
    validator.filter(|_| strict && error).cloned()
}

/// A validator that is being set, and documents it would reject.
async fn validator(ground: &Ground, command: &Document) -> Result<()> {
    let Ok(name) = command.get_str("collMod") else { return Ok(()) };
    let Some(validator) = refusing(command) else { return Ok(()) };
    let look = vec![
        doc! { "$match": { "$nor": [validator] } },
        doc! { "$group": { "_id": Bson::Null, "n": { "$sum": 1 }, "one": { "$first": "$_id" } } },
    ];
    let Some(document) = first(ground, name, look).await? else { return Ok(()) };
    let (n, one) = (number(&document, "n"), shown(document.get("one")));
    Err(found(
        format!(
            "the new validator of {name} rejects {n} documents that are there, such as {one}: every update to them would fail"
        ),
        "mend them with a backfill first, or set validationLevel to moderate",
    ))
}

/// A unique index that is to be built, and documents that agree.
async fn unique(ground: &Ground, command: &Document) -> Result<()> {
    let Ok(name) = command.get_str("createIndexes") else { return Ok(()) };
    let indexes = command.get_array("indexes").ok().map(Vec::as_slice).unwrap_or_default();
    for index in indexes.iter().filter_map(Bson::as_document) {
        let Ok(keys) = index.get_document("key") else { continue };
        // Of what is inside arrays each element counts: that is for the build to find.
        let plain = index.get_bool("unique").unwrap_or(false) && !index.contains_key("collation");
        if !plain
            || keys
                .values()
                .any(|kind| !matches!(kind, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_)))
        {
            continue;
        }
        let mut look = Vec::new();
        if let Ok(partial) = index.get_document("partialFilterExpression") {
            look.push(doc! { "$match": partial.clone() });
        }
        if index.get_bool("sparse").unwrap_or(false) {
            let any: Vec<Document> =
                keys.keys().map(|key| doc! { key: { "$exists": true } }).collect();
            look.push(doc! { "$match": { "$or": any } });
        }
        let parts: Vec<Bson> = keys
            .keys()
            .map(|key| bson::bson!({ "$ifNull": [format!("${key}"), Bson::Null] }))
            .collect();
        look.push(doc! { "$group": { "_id": parts, "n": { "$sum": 1 }, "one": { "$first": "$_id" }, "two": { "$last": "$_id" } } });
        look.push(doc! { "$match": { "n": { "$gt": 1 } } });
        look.push(doc! { "$limit": 1 });
        if let Some(document) = first(ground, name, look).await? {
            let n = number(&document, "n");
            let (one, two) = (shown(document.get("one")), shown(document.get("two")));
            return Err(found(
                format!(
                    "{n} documents of {name} agree in {keys}, such as {one} and {two}: the unique index would fail"
                ),
                "make them differ, or delete all but one of each",
            ));
        }
    }
    Ok(())
}
