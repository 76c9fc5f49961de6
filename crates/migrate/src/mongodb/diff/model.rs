//! Collections, views and indexes as they are listed, without what the server counts by itself.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use marula_core::Result;
use marula_mongodb::Session;

/// A database's collections and views, by name.
pub(super) type Model = BTreeMap<String, Namespace>;

/// A collection or a view.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Namespace {
    /// What `create` takes beside the name.
    pub options: Document,
    /// The indexes but for the one on `_id`, by name, as `createIndexes` takes them.
    pub indexes: BTreeMap<String, Document>,
}

impl Namespace {
    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        self.options.contains_key("viewOn")
    }
}

/// The collections other tools keep their histories and locks in.
const HISTORIES: [&str; 4] = ["changelog", "schema_migrations", "mongockChangeLog", "mongockLock"];

/// Reads a database.
pub(super) async fn read(session: &Session) -> Result<Model> {
    let mut model = Model::new();
    for entry in all(session, doc! { "listCollections": 1 }).await? {
        let name = entry.get_str("name").unwrap_or_default().to_string();
        // Where tools, this one among them, keep what they have run is no part of the schema.
        let history = name.starts_with("marula.") || HISTORIES.contains(&name.as_str());
        if name.starts_with("system.") || name.is_empty() || history {
            continue;
        }
        let mut options = entry.get_document("options").cloned().unwrap_or_default();
        options.remove("uuid");
        unversioned(&mut options);
        // What is the same as not being set.
        for (key, usual) in [("validationLevel", "strict"), ("validationAction", "error")] {
            if options.get_str(key).is_ok_and(|value| value == usual) {
                options.remove(key);
            }
        }
        if options.get_document("validator").is_ok_and(Document::is_empty) {
            options.remove("validator");
        }
        // What collMod makes of no limit.
        if options.get("max").map(plain) == Some(Bson::Int64(i64::from(i32::MAX))) {
            options.remove("max");
        }
        let images = options.get_document("changeStreamPreAndPostImages");
        if images.is_ok_and(|images| !images.get_bool("enabled").unwrap_or(true)) {
            options.remove("changeStreamPreAndPostImages");
        }
        let mut namespace = Namespace { options, indexes: BTreeMap::new() };
        if !namespace.is_view() {
            for mut index in all(session, doc! { "listIndexes": &name }).await? {
                let own = index.get_str("name").unwrap_or_default().to_string();
                if own == "_id_" || index.contains_key("clustered") {
                    continue;
                }
                for counted in ["v", "ns", "background"] {
                    index.remove(counted);
                }
                unversioned(&mut index);
                namespace.indexes.insert(own, index);
            }
        }
        model.insert(name, namespace);
    }
    Ok(model)
}

/// A collation's version is the server's own.
fn unversioned(options: &mut Document) {
    if let Ok(collation) = options.get_document_mut("collation") {
        collation.remove("version");
    }
    if let Ok(clustered) = options.get_document_mut("clusteredIndex") {
        clustered.remove("v");
    }
}

/// All documents of a listing command.
async fn all(session: &Session, command: Document) -> Result<Vec<Document>> {
    use futures_util::TryStreamExt;
    let cursor =
        session.database().run_cursor_command(command).await.map_err(|error| session.map(error))?;
    cursor.try_collect().await.map_err(|error| session.map(error))
}

/// A value with its numbers in one form: 1, 1.0 and NumberLong(1) mean the same here.
pub(super) fn plain(value: &Bson) -> Bson {
    match value {
        Bson::Int32(number) => Bson::Int64(i64::from(*number)),
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Bson::Int64(*number as i64)
        }
        Bson::Document(inner) => Bson::Document(plain_document(inner)),
        Bson::Array(items) => Bson::Array(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

/// The same of a document. The order of keys is kept: in an index's key it matters.
pub(super) fn plain_document(document: &Document) -> Document {
    document.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// Whether two settings say the same: fields in any order, but for keys, sorts and pipelines.
pub(super) fn same(a: &Document, b: &Document) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| plain(value) == plain(other)))
}

/// What differs between two databases, each in a line.
pub(super) fn differences(from: &Model, to: &Model) -> Vec<String> {
    let mut all = Vec::new();
    for (name, old) in from {
        let Some(new) = to.get(name) else {
            all.push(format!("collection {name} is too many"));
            continue;
        };
        let keys = old
            .options
            .keys()
            .chain(new.options.keys().filter(|key| !old.options.contains_key(key)));
        for key in keys {
            let (is, should) = (old.options.get(key), new.options.get(key));
            if is.map(plain) != should.map(plain) {
                let shown = |value: Option<&Bson>| {
                    value.map_or("not set".to_string(), |value| {
                        value.clone().into_relaxed_extjson().to_string()
                    })
                };
                all.push(format!(
                    "collection {name}: its {key} is {}, and should be {}",
                    shown(is),
                    shown(should)
                ));
            }
        }
        for (index, spec) in &old.indexes {
            match new.indexes.get(index) {
                None => all.push(format!("index {index} of {name} is too many")),
                Some(other) if !same(spec, other) => {
                    all.push(format!("index {index} of {name} is another"));
                }
                Some(_) => {}
            }
        }
        for index in new.indexes.keys().filter(|index| !old.indexes.contains_key(*index)) {
            all.push(format!("index {index} of {name} is missing"));
        }
    }
    for name in to.keys().filter(|name| !from.contains_key(*name)) {
        all.push(format!("collection {name} is missing"));
    }
    all
}
