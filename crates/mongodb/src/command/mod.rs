//! One MongoDB command, parsed: what the shell syntax, a JSON command and a saved explain all
//! come down to.

mod operation;
mod print;
pub mod shape;
mod wire;

use bson::{Bson, Document};

pub use operation::{
    Aggregate, CollMod, Count, CountKind, CreateCollection, CreateIndexes, Delete, Distinct,
    DropIndex, Find, FindAndModify, Insert, Operation, Update,
};
pub use print::{print_document, print_value};
pub(crate) use wire::integer;

/// One command on one collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The database, when the text names one (`db.getSiblingDB("x")`, `$db`); otherwise the
    /// session's.
    pub database: Option<String>,
    /// The collection or view.
    pub collection: String,
    /// What is done to it.
    pub operation: Operation,
}

impl Command {
    /// A command on `collection` of the session's database.
    pub fn new(collection: impl Into<String>, operation: Operation) -> Self {
        Command { database: None, collection: collection.into(), operation }
    }

    /// What a person calls it: `find`, `aggregate`, `updateMany` …
    pub fn name(&self) -> &'static str {
        match &self.operation {
            Operation::Find(find) if find.one => "findOne",
            Operation::Find(_) => "find",
            Operation::Aggregate(_) => "aggregate",
            Operation::Count(count) => match count.kind {
                CountKind::Documents => "countDocuments",
                CountKind::Command => "count",
                CountKind::Estimated => "estimatedDocumentCount",
            },
            Operation::Distinct(_) => "distinct",
            Operation::Update(update) if update.multi => "updateMany",
            Operation::Update(update) if is_replacement(&update.update) => "replaceOne",
            Operation::Update(_) => "updateOne",
            Operation::Delete(delete) if delete.multi => "deleteMany",
            Operation::Delete(_) => "deleteOne",
            Operation::FindAndModify(modify) => match &modify.update {
                None => "findOneAndDelete",
                Some(update) if is_replacement(update) => "findOneAndReplace",
                Some(_) => "findOneAndUpdate",
            },
            Operation::Insert(insert) if insert.one => "insertOne",
            Operation::Insert(_) => "insertMany",
            Operation::CreateIndexes(create) if create.indexes.len() == 1 => "createIndex",
            Operation::CreateIndexes(_) => "createIndexes",
            Operation::DropIndex(_) => "dropIndex",
            Operation::CollMod(_) => "collMod",
            Operation::CreateCollection(_) => "createCollection",
            Operation::Drop => "drop",
        }
    }

    /// Whether running it changes data or structure.
    pub fn writes(&self) -> bool {
        !matches!(
            self.operation,
            Operation::Find(_)
                | Operation::Aggregate(_)
                | Operation::Count(_)
                | Operation::Distinct(_)
        )
    }

    /// The filter that chooses documents, where the operation has one of its own: not for
    /// pipelines.
    pub fn filter(&self) -> Option<&Document> {
        match &self.operation {
            Operation::Find(find) => Some(&find.filter),
            Operation::Count(count) => Some(&count.filter),
            Operation::Distinct(distinct) => Some(&distinct.filter),
            Operation::Update(update) => Some(&update.filter),
            Operation::Delete(delete) => Some(&delete.filter),
            Operation::FindAndModify(modify) => Some(&modify.filter),
            _ => None,
        }
    }

    /// The collation it asks for.
    pub fn collation(&self) -> Option<&Document> {
        match &self.operation {
            Operation::Find(find) => find.collation.as_ref(),
            Operation::Aggregate(aggregate) => aggregate.collation.as_ref(),
            Operation::Count(count) => count.collation.as_ref(),
            Operation::Distinct(distinct) => distinct.collation.as_ref(),
            Operation::Update(update) => update.collation.as_ref(),
            Operation::Delete(delete) => delete.collation.as_ref(),
            Operation::FindAndModify(modify) => modify.collation.as_ref(),
            _ => None,
        }
    }

    /// The collections it reads, its own first, each once: also those of `$lookup`,
    /// `$graphLookup` and `$unionWith`, however deep.
    pub fn collections(&self) -> Vec<String> {
        let mut found = vec![self.collection.clone()];
        match &self.operation {
            Operation::Aggregate(aggregate) => {
                for stage in &aggregate.pipeline {
                    collections_of_stage(stage, &mut found);
                }
            }
            // Find expressions cannot name another collection.
            _ => return found,
        }
        found
    }
}

fn collections_of_stage(stage: &Document, found: &mut Vec<String>) {
    let mut open: Vec<&Document> = vec![stage];
    while let Some(document) = open.pop() {
        for (key, value) in document {
            let named = match (key.as_str(), value) {
                ("$lookup" | "$graphLookup", Bson::Document(body)) => body.get_str("from").ok(),
                ("$unionWith", Bson::String(name)) => Some(name.as_str()),
                ("$unionWith", Bson::Document(body)) => body.get_str("coll").ok(),
                _ => None,
            };
            if let Some(name) = named
                && !found.iter().any(|known| known == name)
            {
                found.push(name.to_string());
            }
            match value {
                Bson::Document(body) => open.push(body),
                Bson::Array(items) => open.extend(items.iter().filter_map(Bson::as_document)),
                _ => {}
            }
        }
    }
}

/// The name the server gives an index on `keys`: `status_1_at_-1`.
pub fn index_name(keys: &Document) -> String {
    let mut name = String::new();
    for (path, direction) in keys {
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(path);
        name.push('_');
        match direction {
            Bson::String(kind) => name.push_str(kind),
            Bson::Int32(n) => name.push_str(&n.to_string()),
            Bson::Int64(n) => name.push_str(&n.to_string()),
            Bson::Double(n) => name.push_str(&n.to_string()),
            other => name.push_str(&other.to_string()),
        }
    }
    name
}

pub(crate) fn is_replacement(update: &Bson) -> bool {
    matches!(update, Bson::Document(document)
        if !document.keys().next().is_some_and(|key| key.starts_with('$')))
}
