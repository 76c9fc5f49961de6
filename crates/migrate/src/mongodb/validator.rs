//! What a collection has for a validator, and what a new one would refuse.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{Error, ErrorKind, Result};
use marula_mongodb::Session;
use serde_json::Value;

/// The options of a collection, `validator` among them, as `listCollections` tells them; `None`
/// when there is no such collection.
///
/// # Errors
/// What the server says.
pub async fn of(session: &Session, collection: &str) -> Result<Option<Value>> {
    let map = |error| session.map(error);
    let list = doc! { "listCollections": 1, "filter": { "name": collection } };
    let mut listed = session.database().run_cursor_command(list).await.map_err(map)?;
    let Some(found) = listed.try_next().await.map_err(map)? else { return Ok(None) };
    let options = found.get_document("options").cloned().unwrap_or_default();
    Ok(Some(Bson::Document(options).into_canonical_extjson()))
}

/// How many documents a validator would refuse.
///
/// # Errors
/// `Syntax` when it is no extended JSON; what the server says of it.
pub async fn refused(session: &Session, collection: &str, validator: &Value) -> Result<u64> {
    let wrong = |what: String| {
        Error::new(ErrorKind::Syntax, format!("the validator is no extended JSON: {what}"))
    };
    let validator = Bson::try_from(validator.clone()).map_err(|error| wrong(error.to_string()))?;
    let documents = session.database().collection::<Document>(collection);
    let strangers = documents.count_documents(doc! { "$nor": [validator] });
    strangers.await.map_err(|error| session.map(error))
}
