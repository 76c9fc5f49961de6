//! Documents for collections of which only options and indexes are known.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{Progress, Result};
use marula_mongodb::Session;

/// Documents of one insert.
const BATCH: u64 = 1000;

/// Puts `count` documents into each of the collections that has none; gives how many there are.
pub(super) async fn documents(
    session: &Session,
    collections: &BTreeSet<String>,
    count: u64,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<u64> {
    let map = |error| session.map(error);
    let mut total = 0;
    for name in collections.iter().filter(|name| !name.is_empty()) {
        let collection = session.database().collection::<Document>(name);
        let there = collection.estimated_document_count().await.map_err(map)?;
        total += there;
        if there > 0 {
            continue;
        }
        progress.step(&format!("making up documents of {name}"));
        let mut keys: BTreeSet<String> = BTreeSet::new();
        let indexes = collection.list_indexes().await;
        if let Ok(mut indexes) = indexes {
            while let Some(index) = indexes.try_next().await.map_err(map)? {
                keys.extend(index.keys.keys().cloned());
            }
        }
        let mut made = 0;
        while made < count {
            let end = (made + BATCH).min(count);
            let batch: Vec<Document> = (made..end).map(|n| document(n as i64, &keys)).collect();
            let insert = collection.insert_many(batch).bypass_document_validation(true);
            if let Err(error) = insert.await.map_err(map) {
                notes.push(format!("{name} has {made} documents, no more could be made: {error}"));
                break;
            }
            made = end;
        }
        total += made;
    }
    Ok(total)
}

fn document(n: i64, keys: &BTreeSet<String>) -> Document {
    let at = bson::DateTime::from_millis(1_600_000_000_000 + n * 60_000);
    let mut made = doc! {
        "_id": n,
        "name": format!("name {}", n % 1000),
        "email": format!("u{n}@example.org"),
        "n": n,
        "created_at": at,
        "tags": ["a", format!("t{}", n % 50)],
    };
    for key in keys.iter().filter(|key| !key.starts_with('$')) {
        if !made.contains_key(key.as_str()) {
            put(&mut made, key, Bson::Int64(n));
        }
    }
    made
}

/// Puts a value at a dotted path.
fn put(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        None => {
            document.insert(path, value);
        }
        Some((first, rest)) => {
            let mut inner = match document.remove(first) {
                Some(Bson::Document(inner)) => inner,
                _ => Document::new(),
            };
            // Paths are short: the server takes no document deeper than 100.
            if rest.matches('.').count() < 100 {
                put(&mut inner, rest, value);
            }
            document.insert(first, inner);
        }
    }
}
