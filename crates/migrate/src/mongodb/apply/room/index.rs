//! How large an index will be, from the documents that are there.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use super::{Need, SAMPLE, Stats, counted};
use crate::mongodb::apply::Ground;
use crate::mongodb::apply::send::number;

/// The place of the document, and the cell's own head.
const HEAD: f64 = 5.0;
/// Keys of more megabytes than this are sorted on the disk, where the server does not say otherwise.
const IN_MEMORY: i64 = 200;
/// What compression leaves of keys that are sorted on the disk.
const SPILLED: f64 = 0.5;

/// What the indexes of a `createIndexes` need that are not there yet.
pub(super) async fn need(ground: &Ground, command: &Document) -> Option<Need> {
    let name = command.get_str("createIndexes").ok()?;
    let stats = Stats::of(ground, None, name).await.filter(|stats| stats.count > 0.0)?;
    let there = ground.collection(name).list_index_names().await.unwrap_or_default();
    let (mut stays, mut passes, mut called) = (0.0, 0.0, Vec::new());
    for index in command.get_array("indexes").ok()?.iter().filter_map(Bson::as_document) {
        let own = index.get_str("name").unwrap_or("of no name");
        if there.iter().any(|there| there == own) {
            continue;
        }
        let size = size(ground, name, &stats, index).await?;
        stays += size.index;
        // The builds of one command share the memory.
        passes += size.keys;
        called.push(own);
    }
    if called.is_empty() {
        return None;
    }
    let passes = if passes > in_memory(ground).await { passes * SPILLED } else { 0.0 };
    let word = if called.len() == 1 { "the index" } else { "the indexes" };
    Some(Need { what: format!("{word} {} of {name}", called.join(", ")), stays, passes })
}

/// How many bytes of keys the server sorts without its disk.
async fn in_memory(ground: &Ground) -> f64 {
    let name = "maxIndexBuildMemoryUsageMegabytes";
    let admin = ground.session.client().database("admin");
    let reply = admin.run_command(doc! { "getParameter": 1, name: 1 }).await;
    let said = reply.map_or(0, |reply| number(&reply, name));
    (if said > 0 { said } else { IN_MEMORY }) as f64 * 1_048_576.0
}

struct Size {
    /// The index.
    index: f64,
    /// Its keys before they are packed.
    keys: f64,
}

async fn size(ground: &Ground, name: &str, stats: &Stats, index: &Document) -> Option<Size> {
    let parts = index.get_document("key").ok()?;
    let mut look = Vec::new();
    if let Ok(partial) = index.get_document("partialFilterExpression") {
        look.push(doc! { "$match": partial.clone() });
    }
    look.push(doc! { "$sample": { "size": SAMPLE } });
    let documents = ground.collection(name);
    let minute = std::time::Duration::from_secs(60);
    let mut cursor = documents.aggregate(look).max_time(minute).await.ok()?;
    let (mut seen, mut entries, mut bytes) = (0.0, 0.0, 0.0);
    let (mut known, mut different) = (BTreeSet::new(), BTreeSet::new());
    let sparse = index.get_bool("sparse").unwrap_or(false);
    while cursor.advance().await.ok()? {
        let document: Document = cursor.deserialize_current().ok()?;
        // A sample may hold one twice.
        let id = doc! { "": document.get("_id")?.clone() };
        if !known.insert(bson::serialize_to_vec(&id).ok()?) {
            continue;
        }
        seen += 1.0;
        if sparse && !parts.keys().any(|path| !values(&document, path).is_empty()) {
            continue;
        }
        let (many, size) = key(&document, parts);
        entries += many;
        bytes += size;
        let own: Document = parts
            .keys()
            .map(|path| {
                (path.clone(), Bson::Array(values(&document, path).into_iter().cloned().collect()))
            })
            .collect();
        different.insert(bson::serialize_to_vec(&own).ok()?);
    }
    if entries == 0.0 {
        return Some(Size { index: 0.0, keys: 0.0 });
    }
    let all = match index.get_document("partialFilterExpression") {
        Ok(partial) => counted(ground, name, partial.clone()).await?,
        Err(_) => stats.count,
    };
    let entries_in_all = all * entries / seen;
    // Of a key that stands there again only what differs is kept.
    let kept = different.len() as f64 / seen;
    Some(Size {
        index: entries_in_all * (HEAD + bytes / entries * kept.min(1.0)),
        keys: entries_in_all * (HEAD + bytes / entries),
    })
}

/// How many entries a document has in an index, and how many bytes they hold.
fn key(document: &Document, parts: &Document) -> (f64, f64) {
    let (mut many, mut size) = (1.0_f64, 0.0);
    for (path, kind) in parts {
        let special = kind.as_str().unwrap_or_default();
        if special == "text" || path.contains("$**") {
            // A word, or a path with its value, is an entry.
            let (words, bytes) = inside(&Bson::Document(document.clone()), special == "text");
            many = many.max(words);
            size += bytes;
            continue;
        }
        let found = values(document, path);
        let each = match special {
            "hashed" | "2dsphere" | "2d" => 9.0 * found.len().max(1) as f64,
            _ => found.iter().map(|value| width(value)).sum::<f64>().max(1.0),
        };
        many = many.max(found.len() as f64);
        size += each;
    }
    (many, size)
}

/// The values at a path, those inside arrays one by one.
fn values<'a>(document: &'a Document, path: &str) -> Vec<&'a Bson> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let Some(value) = document.get(first) else { return Vec::new() };
    let each: Vec<&Bson> = match value {
        Bson::Array(items) => items.iter().collect(),
        other => vec![other],
    };
    match rest {
        None => each,
        Some(rest) => each
            .into_iter()
            .filter_map(Bson::as_document)
            .flat_map(|inner| values(inner, rest))
            .collect(),
    }
}

/// How many bytes a value takes in a key.
fn width(value: &Bson) -> f64 {
    match value {
        Bson::String(text) => text.len() as f64 + 2.0,
        Bson::ObjectId(_) => 13.0,
        Bson::DateTime(_) | Bson::Timestamp(_) => 9.0,
        Bson::Int32(_) | Bson::Int64(_) => 4.0,
        Bson::Double(_) | Bson::Decimal128(_) => 9.0,
        Bson::Binary(binary) => binary.bytes.len() as f64 + 3.0,
        Bson::Document(inner) => {
            bson::serialize_to_vec(inner).map_or(16.0, |bytes| bytes.len() as f64)
        }
        _ => 1.0,
    }
}

/// The words of all texts, or all values with their paths: how many, and their bytes.
fn inside(value: &Bson, text: bool) -> (f64, f64) {
    match value {
        Bson::Document(fields) => {
            let all = fields.iter().map(|(name, value)| {
                let (many, bytes) = inside(value, text);
                (many, if text { bytes } else { bytes + many * name.len() as f64 })
            });
            all.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        }
        Bson::Array(items) => {
            let all = items.iter().map(|item| inside(item, text));
            all.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        }
        Bson::String(own) if text => {
            let words = own.split_whitespace().count() as f64;
            (words, own.len() as f64 + words * 12.0)
        }
        _ if text => (0.0, 0.0),
        other => (1.0, width(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_as_an_index_holds_them() {
        let document = doc! { "a": 5, "tags": ["x", "yy"], "items": [{ "n": 1 }, { "n": 2 }, {}], "t": "two words" };
        assert_eq!(key(&document, &doc! { "a": 1 }), (1.0, 4.0));
        assert_eq!(key(&document, &doc! { "none": 1 }), (1.0, 1.0));
        assert_eq!(key(&document, &doc! { "a": 1, "tags": 1 }), (2.0, 4.0 + 3.0 + 4.0));
        assert_eq!(key(&document, &doc! { "items.n": 1 }), (2.0, 8.0));
        assert_eq!(key(&document, &doc! { "a": "hashed" }), (1.0, 9.0));
        let (words, _) = key(&document, &doc! { "_fts": "text" });
        assert_eq!(words, 4.0);
    }
}
