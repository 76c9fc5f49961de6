//! What a rule looks at: one command, the collections it meets, the transaction it runs in.

use std::rc::Rc;
use std::sync::LazyLock;

use bson::{Bson, Document};
use marula_core::{Severity, Version};

use super::schema::Schema;
use crate::migration::Backfill;
use crate::rule::Draft;

/// One command where it stands.
pub struct Context {
    /// The command, as the server takes it; of a backfill the update it stands for.
    pub command: Document,
    /// The declared backfill, when it is one.
    pub backfill: Option<Backfill>,
    /// What is known of the collections before it.
    pub schema: Rc<Schema>,
    /// Whether the file runs in one transaction.
    pub transaction: bool,
    /// The server's version; the newest known when none was given.
    pub version: Version,
    /// The file, by its number in this run.
    pub file: usize,
    /// Whether it is run by `marula migrate apply`, which limits how long a command waits for its
    /// lock.
    pub limited: bool,
}

/// One update of an `update` command.
pub struct Update<'a> {
    /// Which documents.
    pub filter: &'a Document,
    /// Operators, a document, or stages.
    pub update: &'a Bson,
    /// Whether all that match.
    pub multi: bool,
}

static NOTHING: LazyLock<Document> = LazyLock::new(Document::new);

impl crate::rule::Meets for Context {
    const ENGINE: marula_core::Engine = marula_core::Engine::Mongodb;
}

impl Context {
    /// The command's name.
    pub fn name(&self) -> &str {
        self.command.keys().next().map(String::as_str).unwrap_or_default()
    }

    /// The collection; empty for a command on the database.
    pub fn collection(&self) -> &str {
        match self.command.values().next() {
            Some(Bson::String(name)) => name,
            _ => "",
        }
    }

    /// Whether it is that command.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Whether the same file made the collection.
    pub fn is_new(&self, name: &str) -> bool {
        self.schema.collections.get(name).is_some_and(|known| known.born == Some(self.file))
    }

    /// The updates of an `update` or `findAndModify`.
    pub fn updates(&self) -> Vec<Update<'_>> {
        if !self.is("update") {
            return Vec::new();
        }
        documents(&self.command, "updates")
            .filter_map(|one| {
                Some(Update {
                    filter: one.get_document("q").unwrap_or(&NOTHING),
                    update: one.get("u")?,
                    multi: one.get_bool("multi").unwrap_or(false),
                })
            })
            .collect()
    }

    /// The filters of deletes that remove all that match.
    pub fn deletes(&self) -> Vec<&Document> {
        if !self.is("delete") {
            return Vec::new();
        }
        documents(&self.command, "deletes")
            .filter(|one| matches!(one.get("limit"), Some(Bson::Int32(0) | Bson::Int64(0))))
            .map(|one| one.get_document("q").unwrap_or(&NOTHING))
            .collect()
    }

    /// The indexes a `createIndexes` makes.
    pub fn indexes(&self) -> Vec<&Document> {
        if self.is("createIndexes") {
            documents(&self.command, "indexes").collect()
        } else {
            vec![]
        }
    }

    /// The index a `collMod` changes.
    pub fn changed_index(&self) -> Option<&Document> {
        if self.is("collMod") { self.command.get_document("index").ok() } else { None }
    }
}

/// The documents of an array.
pub fn documents<'a>(of: &'a Document, key: &str) -> impl Iterator<Item = &'a Document> {
    of.get_array(key).into_iter().flatten().filter_map(Bson::as_document)
}

/// Every key at every depth, with its value.
pub fn each_key<'a>(value: &'a Bson, visit: &mut dyn FnMut(&'a str, &'a Bson)) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Bson::Document(document) => {
                for (key, value) in document {
                    visit(key, value);
                    open.push(value);
                }
            }
            Bson::Array(all) => open.extend(all),
            _ => {}
        }
    }
}

/// Whether a filter names `_id`, or any key by a plain value, so that few documents match.
pub fn is_narrow(filter: &Document) -> bool {
    filter.contains_key("_id")
}

/// A draft on the command's collection.
pub fn found(context: &Context, severity: Severity, title: String, why: &str) -> Draft {
    Draft::plain(severity, title, why).on(context.collection())
}
