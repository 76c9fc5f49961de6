//! Collections without their documents: options, indexes, sizes.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{ErrorKind, Result};
use marula_mongodb::Session;

/// A collection as the source has it.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub name: String,
    /// `collection`, `view` or `timeseries`.
    pub kind: String,
    /// Options of the `create` command.
    pub options: Document,
    /// All but the one on `_id`, as `listIndexes` gives them.
    pub indexes: Vec<Document>,
    pub documents: u64,
    /// Uncompressed.
    pub bytes: u64,
}

impl Shape {
    pub fn is_view(&self) -> bool {
        self.kind == "view"
    }

    /// Whether documents must come in their order, in one stream.
    pub fn is_capped(&self) -> bool {
        self.options.get_bool("capped").unwrap_or(false)
    }

    pub fn is_timeseries(&self) -> bool {
        self.kind == "timeseries"
    }
}

/// Reads the named collections and what their views read.
pub(super) async fn read(source: &Session, names: &[String]) -> Result<Vec<Shape>> {
    let mut open: Vec<String> = names.to_vec();
    let mut seen = BTreeSet::new();
    let mut shapes = Vec::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(shape) = read_one(source, &name).await? else { continue };
        if shape.is_view() {
            open.extend(shape.options.get_str("viewOn").map(str::to_owned));
            if let Ok(pipeline) = shape.options.get_array("pipeline") {
                pipeline.iter().for_each(|stage| foreign(stage, &mut open));
            }
        }
        shapes.push(shape);
    }
    Ok(shapes)
}

/// Collections that stages of a view's pipeline read.
fn foreign(stage: &Bson, found: &mut Vec<String>) {
    match stage {
        Bson::Document(document) => {
            for (key, value) in document {
                match (key.as_str(), value) {
                    ("from" | "coll" | "$unionWith", Bson::String(name)) => {
                        found.push(name.clone());
                    }
                    _ => foreign(value, found),
                }
            }
        }
        Bson::Array(values) => values.iter().for_each(|value| foreign(value, found)),
        _ => {}
    }
}

async fn read_one(source: &Session, name: &str) -> Result<Option<Shape>> {
    let database = source.database();
    let mut listed = database
        .run_cursor_command(doc! { "listCollections": 1, "filter": { "name": name } })
        .await
        .map_err(|error| source.map(error))?;
    let Some(about) = listed.try_next().await.map_err(|error| source.map(error))? else {
        return Ok(None);
    };
    let mut shape = Shape {
        name: name.to_owned(),
        kind: about.get_str("type").unwrap_or("collection").to_owned(),
        options: about.get_document("options").cloned().unwrap_or_default(),
        indexes: Vec::new(),
        documents: 0,
        bytes: 0,
    };
    if shape.is_view() {
        return Ok(Some(shape));
    }
    let mut indexes = database
        .run_cursor_command(doc! { "listIndexes": name })
        .await
        .map_err(|error| source.map(error))?;
    while let Some(mut index) = indexes.try_next().await.map_err(|error| source.map(error))? {
        let clustered = index.get_bool("clustered").unwrap_or(false);
        if index.get_str("name").ok() != Some("_id_") && !clustered {
            // Servers up to 4.2 tell the namespace, which is the source's.
            index.remove("ns");
            // The simple collation is listed as none, and none would take the collection's.
            if shape.options.contains_key("collation") && !index.contains_key("collation") {
                index.insert("collation", doc! { "locale": "simple" });
            }
            shape.indexes.push(index);
        }
    }
    // Sizes need a right that not every reader has: without them all is copied.
    if let Ok(stats) = database.run_command(doc! { "collStats": name }).await {
        shape.bytes = number(&stats, "size");
        shape.documents = number(&stats, "count");
        if shape.is_timeseries() {
            let inner = stats.get_document("timeseries").ok();
            shape.documents = inner.map_or(0, |inner| number(inner, "numMeasurementsCommitted"));
        }
    }
    Ok(Some(shape))
}

fn number(document: &Document, key: &str) -> u64 {
    match document.get(key) {
        Some(Bson::Int32(n)) => u64::try_from(*n).unwrap_or(0),
        Some(Bson::Int64(n)) => u64::try_from(*n).unwrap_or(0),
        Some(Bson::Double(n)) if *n > 0.0 => *n as u64,
        _ => 0,
    }
}

/// Creates the collection or view, empty, with its options.
pub(super) async fn create(lab: &Session, shape: &Shape, notes: &mut Vec<String>) -> Result<()> {
    let mut command = doc! { "create": &shape.name };
    for (key, value) in &shape.options {
        // What the server adds by itself, and refuses to be told.
        if !matches!(key.as_str(), "uuid" | "autoIndexId" | "flags" | "encryptedFields") {
            command.insert(key, value.clone());
        }
    }
    let made = lab.database().run_command(command).await.map_err(|error| lab.map(error));
    let Err(error) = made else { return Ok(()) };
    if matches!(error.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable) {
        return Err(error);
    }
    if shape.is_view() {
        notes.push(format!("the view {} could not be made in the lab: {error}", shape.name));
        return Ok(());
    }
    Err(error.at(shape.name.clone()).with_kind(ErrorKind::Lab))
}

/// Builds the collection's indexes. One that the lab refuses is named.
pub(super) async fn build_indexes(
    lab: &Session,
    shape: &Shape,
    notes: &mut Vec<String>,
) -> Result<()> {
    if shape.indexes.is_empty() {
        return Ok(());
    }
    let all = doc! { "createIndexes": &shape.name, "indexes": shape.indexes.clone() };
    if lab.database().run_command(all).await.is_ok() {
        return Ok(());
    }
    for index in &shape.indexes {
        let one = doc! { "createIndexes": &shape.name, "indexes": [index.clone()] };
        if let Err(error) = lab.database().run_command(one).await.map_err(|e| lab.map(e)) {
            if matches!(error.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable) {
                return Err(error);
            }
            let name = index.get_str("name").unwrap_or("?");
            notes.push(format!("index {name} of {} is missing in the lab: {error}", shape.name));
        }
    }
    Ok(())
}
