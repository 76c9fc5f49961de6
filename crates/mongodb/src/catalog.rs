//! What a database holds: collections, sizes, indexes with their uses, inferred schemas.

use bson::{Bson, Document, RawDocumentBuf, doc};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use marula_core::{
    Collection, CollectionKind, DocumentCatalog, DocumentIndex, Error, ErrorKind, Json, Result,
    nearest,
};

use crate::Session;
use crate::infer::Inference;
use crate::plan::number;

/// How many collections are asked about at once.
const AT_ONCE: usize = 6;

/// Which collections to read.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All of the database.
    All,
    /// Those of these names; an unknown one is an error with the nearest names.
    Collections(&'a [String]),
}

/// Reads the catalogue. With `sample`, each collection's schema is inferred from so many
/// documents: all of them where there are no more, a random sample otherwise.
///
/// What the user may not see is left out or `None`, and said in the catalogue's notes.
///
/// # Errors
/// `NotFound` for a collection that does not exist, `Denied` when not even names may be read,
/// and what the server says.
pub async fn read(
    session: &Session,
    scope: Scope<'_>,
    sample: Option<u32>,
) -> Result<DocumentCatalog> {
    let mut notes = Vec::new();
    let mut listed = list(session, &mut notes).await?;
    if let Scope::Collections(wanted) = scope {
        for name in wanted {
            if !listed.iter().any(|entry| entry.get_str("name").is_ok_and(|known| known == name)) {
                return Err(unknown(session, name, &listed));
            }
        }
        listed.retain(|entry| {
            entry.get_str("name").is_ok_and(|name| wanted.iter().any(|wanted| wanted == name))
        });
    }
    listed.sort_by(|a, b| a.get_str("name").unwrap_or("").cmp(b.get_str("name").unwrap_or("")));
    let read: Vec<(Collection, Vec<String>)> = stream::iter(listed)
        .map(|entry| collection(session, entry, sample))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut collections = Vec::with_capacity(read.len());
    for (collection, said) in read {
        for note in said {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        collections.push(collection);
    }
    Ok(DocumentCatalog {
        version: session.version(),
        database: session.database().name().to_string(),
        collections,
        notes,
    })
}

/// The error for a collection that does not exist, with the nearest names.
pub fn unknown_collection<'n>(
    session: &Session,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Error {
    let database = session.database().name();
    let known: Vec<&str> = known.into_iter().collect();
    let error =
        Error::new(ErrorKind::NotFound, format!("there is no collection '{name}' in '{database}'"))
            .at(session.spec().to_string());
    let near = nearest(name, known.iter().copied());
    match (near.is_empty(), known.is_empty()) {
        (false, _) => error.hint(format!("did you mean {}?", near.join(", "))),
        (true, true) => error.hint("the database is empty: check its name in the address"),
        (true, false) => error.hint("list the collections with: marula inspect TARGET"),
    }
}

/// The names of the database's collections and views, without the server's own.
///
/// # Errors
/// `Denied` when not even names may be read, and what the server says.
pub async fn names(session: &Session) -> Result<Vec<String>> {
    let listed = list(session, &mut Vec::new()).await?;
    Ok(listed.iter().filter_map(|entry| entry.get_str("name").ok().map(str::to_string)).collect())
}

fn unknown(session: &Session, name: &str, listed: &[Document]) -> Error {
    unknown_collection(session, name, listed.iter().filter_map(|entry| entry.get_str("name").ok()))
}

async fn list(session: &Session, notes: &mut Vec<String>) -> Result<Vec<Document>> {
    let found = match cursor(session, doc! { "listCollections": 1 }).await {
        Err(error) if error.kind() == ErrorKind::Denied => {
            notes.push(
                "the user may not list collections: only those granted one by one are shown, \
                 without their options"
                    .into(),
            );
            let names = doc! {
                "listCollections": 1, "nameOnly": true, "authorizedCollections": true,
            };
            cursor(session, names).await?
        }
        other => other?,
    };
    // The server's own: view definitions, time-series buckets, the profiler.
    Ok(found
        .into_iter()
        .filter(|entry| entry.get_str("name").is_ok_and(|name| !name.starts_with("system.")))
        .collect())
}

async fn cursor(session: &Session, mut command: Document) -> Result<Vec<Document>> {
    command.insert("maxTimeMS", session.max_time());
    let mut running = session.database().run_cursor_command(command);
    if let Some(criteria) = session.criteria() {
        running = running.selection_criteria(criteria);
    }
    let cursor = running.await.map_err(|failure| session.map(failure))?;
    cursor.try_collect().await.map_err(|failure| session.map(failure))
}

async fn collection(
    session: &Session,
    entry: Document,
    sample: Option<u32>,
) -> Result<(Collection, Vec<String>)> {
    let name = entry.get_str("name").unwrap_or_default().to_string();
    let kind = match entry.get_str("type") {
        Ok("view") => CollectionKind::View,
        Ok("timeseries") => CollectionKind::Timeseries,
        _ => CollectionKind::Collection,
    };
    let options = entry.get_document("options").cloned().unwrap_or_default();
    let mut found = Collection {
        name,
        kind,
        options: json(Bson::Document(options)),
        documents: 0,
        bytes: 0,
        storage_bytes: 0,
        index_bytes: 0,
        average_bytes: 0,
        indexes: Vec::new(),
        schema: None,
    };
    let mut notes = Vec::new();
    let mut index_bytes = Document::new();
    if kind != CollectionKind::View {
        match statistics(session, &found.name).await {
            Ok(stats) => {
                index_bytes = fill(&mut found, &stats);
            }
            Err(error) => partial(error, "sizes", &found.name, &mut notes)?,
        }
        match indexes(session, &found.name, &index_bytes, &mut notes).await {
            Ok(indexes) => found.indexes = indexes,
            Err(error) => partial(error, "indexes", &found.name, &mut notes)?,
        }
    }
    if let Some(wanted) = sample {
        match schema(session, &found, wanted).await {
            Ok(schema) => found.schema = Some(schema),
            Err(error) => partial(error, "documents", &found.name, &mut notes)?,
        }
    }
    Ok((found, notes))
}

/// A missing right or a dropped collection makes the catalogue poorer, not impossible.
fn partial(error: Error, what: &str, name: &str, notes: &mut Vec<String>) -> Result<()> {
    match error.kind() {
        ErrorKind::Denied => notes.push(format!("the user may not read the {what} of '{name}'")),
        ErrorKind::NotFound => notes.push(format!("'{name}' was dropped while it was read")),
        ErrorKind::Timeout => {
            notes.push(format!("the {what} of '{name}' could not be read within the time limit"));
        }
        ErrorKind::Server => {
            notes.push(format!("the {what} of '{name}' could not be read: {}", error.message()));
        }
        _ => return Err(error),
    }
    Ok(())
}

async fn statistics(session: &Session, name: &str) -> Result<Document> {
    let pipeline = [
        doc! { "$collStats": { "storageStats": {} } },
        // The storage engine's own counters are many and not needed.
        doc! { "$project": {
            "storageStats.size": 1, "storageStats.count": 1, "storageStats.avgObjSize": 1,
            "storageStats.storageSize": 1, "storageStats.totalIndexSize": 1,
            "storageStats.indexSizes": 1, "storageStats.timeseries": 1,
        } },
    ];
    let command = doc! { "aggregate": name, "pipeline": pipeline.to_vec(), "cursor": {} };
    let parts = cursor(session, command).await?;
    // A sharded collection gives one part per shard.
    let mut total = Document::new();
    for part in parts {
        let Ok(stats) = part.get_document("storageStats") else { continue };
        for key in ["size", "count", "storageSize", "totalIndexSize"] {
            let so_far = total.get(key).and_then(number).unwrap_or(0);
            let more = stats.get(key).and_then(number).unwrap_or(0);
            total.insert(key, so_far.saturating_add(more));
        }
        for (index, size) in stats.get_document("indexSizes").into_iter().flatten() {
            let sizes = total.entry("indexSizes").or_insert(Bson::Document(Document::new()));
            if let Bson::Document(sizes) = sizes {
                let so_far = sizes.get(index).and_then(number).unwrap_or(0);
                sizes.insert(index.as_str(), so_far + number(size).unwrap_or(0));
            }
        }
    }
    Ok(total)
}

fn fill(found: &mut Collection, stats: &Document) -> Document {
    let whole = |key: &str| {
        stats.get(key).and_then(number).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
    };
    found.documents = whole("count");
    found.bytes = whole("size");
    found.storage_bytes = whole("storageSize");
    found.index_bytes = whole("totalIndexSize");
    found.average_bytes = found.bytes.checked_div(found.documents).unwrap_or(0);
    stats.get_document("indexSizes").cloned().unwrap_or_default()
}

async fn indexes(
    session: &Session,
    name: &str,
    bytes: &Document,
    notes: &mut Vec<String>,
) -> Result<Vec<DocumentIndex>> {
    let listed = cursor(session, doc! { "listIndexes": name }).await?;
    let uses = doc! { "aggregate": name, "pipeline": [{ "$indexStats": {} }], "cursor": {} };
    let uses = match cursor(session, uses).await {
        Ok(uses) => Some(uses),
        Err(error) if error.kind() == ErrorKind::Denied => {
            notes.push(
                "the user may not see how often indexes are used: grant clusterMonitor for that"
                    .into(),
            );
            None
        }
        // Time-series collections and old servers do not know the stage.
        Err(error) if error.kind() == ErrorKind::Server => None,
        Err(error) => return Err(error),
    };
    let accesses = |index: &str| {
        // One entry per shard: their sum.
        let counted = uses
            .as_ref()?
            .iter()
            .filter(|entry| entry.get_str("name").is_ok_and(|known| known == index));
        counted
            .filter_map(|entry| entry.get_document("accesses").ok()?.get("ops").and_then(number))
            .reduce(i64::saturating_add)
            .and_then(|ops| u64::try_from(ops).ok())
    };
    Ok(listed.into_iter().map(|specification| index(specification, bytes, accesses)).collect())
}

fn index(
    specification: Document,
    bytes: &Document,
    accesses: impl Fn(&str) -> Option<u64>,
) -> DocumentIndex {
    let name = specification.get_str("name").unwrap_or_default().to_string();
    let flag = |key: &str| match specification.get(key) {
        Some(Bson::Boolean(yes)) => *yes,
        Some(value) => number(value).is_some_and(|number| number != 0),
        None => false,
    };
    let keys = specification.get_document("key").into_iter().flatten();
    DocumentIndex {
        keys: keys.map(|(path, kind)| (path.clone(), json(kind.clone()))).collect(),
        // The index on _id is unique without saying so.
        unique: flag("unique") || name == "_id_",
        sparse: flag("sparse"),
        hidden: flag("hidden"),
        partial: specification.get("partialFilterExpression").cloned().map(json),
        expire_after_seconds: specification.get("expireAfterSeconds").and_then(
            |after| match after {
                Bson::Double(seconds) => Some(*seconds),
                other => number(other).map(|seconds| seconds as f64),
            },
        ),
        collation: specification.get("collation").cloned().map(json),
        bytes: bytes
            .get(&name)
            .and_then(number)
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or(0),
        accesses: accesses(&name),
        specification: json(Bson::Document(specification)),
        name,
    }
}

async fn schema(
    session: &Session,
    collection: &Collection,
    wanted: u32,
) -> Result<marula_core::InferredSchema> {
    let small = collection.kind == CollectionKind::Collection
        && collection.documents > 0
        && collection.documents <= u64::from(wanted);
    let whole = small || collection.kind == CollectionKind::View;
    let first = doc! {
        "find": collection.name.as_str(),
        "limit": i64::from(wanted),
        "batchSize": 1000,
    };
    let random = doc! {
        "aggregate": collection.name.as_str(),
        "pipeline": [{ "$sample": { "size": i64::from(wanted) } }],
        "cursor": { "batchSize": 1000 },
    };
    let documents = if whole {
        documents(session, first).await?
    } else {
        match documents(session, random).await {
            // Large documents may not fit the sort behind a large sample.
            Err(error) if error.kind() == ErrorKind::Server => documents(session, first).await?,
            other => other?,
        }
    };
    let mut inference = Inference::default();
    documents.iter().for_each(|document| inference.add(document));
    let mut schema = inference.finish();
    schema.complete = match collection.kind {
        CollectionKind::View => schema.sampled < u64::from(wanted),
        _ => schema.sampled >= collection.documents,
    };
    Ok(schema)
}

async fn documents(session: &Session, mut command: Document) -> Result<Vec<RawDocumentBuf>> {
    command.insert("maxTimeMS", session.max_time());
    let mut running = session.database().run_cursor_command(command);
    if let Some(criteria) = session.criteria() {
        running = running.selection_criteria(criteria);
    }
    let cursor = running.await.map_err(|failure| session.map(failure))?;
    let cursor = cursor.with_type::<RawDocumentBuf>();
    cursor.try_collect().await.map_err(|failure| session.map(failure))
}

fn json(value: Bson) -> Json {
    value.into_relaxed_extjson()
}
