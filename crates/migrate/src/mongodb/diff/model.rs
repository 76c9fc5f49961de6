//! Collections, views and indexes as they are listed, without what the server counts by itself.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use marula_core::Result;
use marula_mongodb::Session;

use super::super::definition::{differing, plain, same_options};

/// A database's collections and views, by name.
pub(super) type Model = BTreeMap<String, Namespace>;

/// A collection or a view.
#[derive(Debug, Clone, Default)]
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

    /// Whether both would be made by the same commands.
    pub fn same(&self, other: &Namespace) -> bool {
        same_options(&self.options, &other.options)
            && self.indexes.len() == other.indexes.len()
            && self.indexes.iter().all(|(name, spec)| {
                other.indexes.get(name).is_some_and(|other| same_options(spec, other))
            })
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
                // The simple collation is listed as none, and none would take the collection's.
                if namespace.options.contains_key("collation") && !index.contains_key("collation") {
                    index.insert("collation", doc! { "locale": "simple" });
                }
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

/// What differs between two databases, each in a line.
pub(super) fn differences(from: &Model, to: &Model) -> Vec<String> {
    let mut all = Vec::new();
    for (name, old) in from {
        let Some(new) = to.get(name) else {
            all.push(format!("collection {name} is too many"));
            continue;
        };
        for key in differing(&old.options, &new.options) {
            let shown = |of: &Namespace| {
                of.options.get(key).map_or("not set".to_string(), |value| {
                    value.clone().into_relaxed_extjson().to_string()
                })
            };
            all.push(format!(
                "collection {name}: its {key} is {}, and should be {}",
                shown(old),
                shown(new)
            ));
        }
        for (index, spec) in &old.indexes {
            match new.indexes.get(index) {
                None => all.push(format!("index {index} of {name} is too many")),
                Some(other) if !same_options(spec, other) => {
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
