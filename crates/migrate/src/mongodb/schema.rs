//! What is known of the collections a command meets.

use std::collections::{HashMap, HashSet};

use bson::{Bson, Document};
use marula_core::DocumentCatalog;

use super::definition::same_keys;
use crate::rule::Size;

/// Collections by name.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// What is known of each.
    pub collections: HashMap<String, Collection>,
}

/// One collection, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// The file that made it, by its number in this run; `None` when it was there before.
    pub born: Option<usize>,
    /// Its indexes: name, keys, options that tell two of them apart.
    pub indexes: Vec<(String, Document, Document)>,
    /// The indexes on which prepareUnique is set, by name.
    pub prepared: HashSet<String>,
    /// How large it is.
    pub size: Option<Size>,
}

impl Collection {
    /// Whether prepareUnique was set on the index a collMod names, by name or by keys.
    pub fn is_prepared(&self, index: &Document) -> bool {
        self.named(index).is_some_and(|name| self.prepared.contains(name))
    }

    /// The name of the index a collMod changes.
    fn named<'a>(&'a self, index: &'a Document) -> Option<&'a str> {
        if let Ok(name) = index.get_str("name") {
            return Some(name);
        }
        let keys = index.get_document("keyPattern").ok()?;
        self.indexes.iter().find(|(_, own, _)| same_keys(own, keys)).map(|(name, ..)| name.as_str())
    }
}

/// The options of an index that make it another one.
pub fn options_of(index: &Document) -> Document {
    index
        .iter()
        .filter(|(key, _)| {
            ["unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "collation"]
                .contains(&key.as_str())
        })
        .filter(|(_, value)| **value != Bson::Boolean(false))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

impl Schema {
    /// The collections of a target.
    pub fn from_catalog(catalog: &DocumentCatalog) -> Schema {
        let mut schema = Schema::default();
        for known in &catalog.collections {
            let indexes = known.indexes.iter().map(|index| {
                let keys = index.keys.iter().filter_map(|(path, order)| {
                    Some((path.clone(), Bson::try_from(order.clone()).ok()?))
                });
                let mut options = Document::new();
                if index.unique {
                    options.insert("unique", true);
                }
                if index.sparse {
                    options.insert("sparse", true);
                }
                (index.name.clone(), keys.collect(), options)
            });
            let size = Some(Size { rows: known.documents as f64, bytes: known.bytes });
            let collection =
                Collection { indexes: indexes.collect(), size, ..Collection::default() };
            schema.collections.insert(known.name.clone(), collection);
        }
        schema
    }

    /// After a command ran.
    pub fn apply(&mut self, command: &Document, file: Option<usize>) {
        let Some((name, Bson::String(collection))) = command.iter().next() else { return };
        match name.as_str() {
            "create" => {
                let made = Collection { born: file, ..Collection::default() };
                self.collections.entry(collection.clone()).or_insert(made);
            }
            "createIndexes" => {
                let known = self.collections.entry(collection.clone()).or_default();
                for index in command.get_array("indexes").into_iter().flatten() {
                    let Bson::Document(index) = index else { continue };
                    let keys = index.get_document("key").cloned().unwrap_or_default();
                    let name = index.get_str("name").unwrap_or_default().to_string();
                    known.indexes.push((name, keys, options_of(index)));
                }
            }
            "collMod" => {
                let known = self.collections.entry(collection.clone()).or_default();
                let Ok(index) = command.get_document("index") else { return };
                let Some(name) = known.named(index).map(str::to_string) else { return };
                match index.get_bool("prepareUnique") {
                    Ok(true) => known.prepared.insert(name),
                    Ok(false) => known.prepared.remove(&name),
                    Err(_) => false,
                };
            }
            "dropIndexes" => {
                let known = self.collections.entry(collection.clone()).or_default();
                match command.get("index") {
                    Some(Bson::String(all)) if all == "*" => {
                        known.indexes.retain(|(name, ..)| name == "_id_");
                    }
                    Some(Bson::String(gone)) => known.indexes.retain(|(name, ..)| name != gone),
                    Some(Bson::Array(gone)) => known
                        .indexes
                        .retain(|(name, ..)| !gone.iter().any(|gone| gone.as_str() == Some(name))),
                    Some(Bson::Document(gone)) => {
                        known.indexes.retain(|(_, keys, _)| !same_keys(keys, gone))
                    }
                    _ => {}
                }
            }
            "drop" => {
                self.collections.remove(collection);
            }
            _ => {}
        }
    }
}
