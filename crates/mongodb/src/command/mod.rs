//! One MongoDB command, parsed: what the shell syntax, a JSON command and a saved explain all
//! come down to.

mod print;
pub mod shape;
mod wire;

use bson::{Bson, Document};

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

/// What is done to the collection. The last seven change something: they exist for the lab, and
/// the guard refuses them on a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `find`, `findOne`.
    Find(Find),
    /// `aggregate`.
    Aggregate(Aggregate),
    /// `countDocuments`, `count`, `estimatedDocumentCount`.
    Count(Count),
    /// `distinct`.
    Distinct(Distinct),
    /// `updateOne`, `updateMany`, `replaceOne`: explained, never run on a target.
    Update(Update),
    /// `deleteOne`, `deleteMany`: explained, never run on a target.
    Delete(Delete),
    /// `findOneAndUpdate`, `findOneAndReplace`, `findOneAndDelete`, `findAndModify`: explained,
    /// never run on a target.
    FindAndModify(FindAndModify),
    /// `insertOne`, `insertMany`.
    Insert(Insert),
    /// `createIndex`, `createIndexes`.
    CreateIndexes(CreateIndexes),
    /// `dropIndex`.
    DropIndex(DropIndex),
    /// `collMod`, `hideIndex`, `unhideIndex`.
    CollMod(CollMod),
    /// `createCollection`.
    CreateCollection(CreateCollection),
    /// `drop`.
    Drop,
}

/// A `find`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Find {
    /// Which documents; empty for all.
    pub filter: Document,
    /// Which fields.
    pub projection: Option<Document>,
    /// In which order.
    pub sort: Option<Document>,
    /// How many documents to pass over.
    pub skip: Option<i64>,
    /// How many documents to give at most; `None` and 0 are no limit.
    pub limit: Option<i64>,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// Whether it was written `findOne`: a limit of one and no cursor.
    pub one: bool,
    /// The other fields of the server's command, by its names (`let`, `allowDiskUse`, `min` …).
    pub options: Document,
}

/// An `aggregate`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aggregate {
    /// The stages, in order.
    pub pipeline: Vec<Document>,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// The other fields of the server's command, by its names (`let`, `allowDiskUse` …).
    pub options: Document,
}

/// Which of the three ways to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CountKind {
    /// `countDocuments`: a pipeline that counts what matches.
    #[default]
    Documents,
    /// `count`: the server's count command.
    Command,
    /// `estimatedDocumentCount`: the metadata's number, without a filter.
    Estimated,
}

/// A count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Count {
    /// Which of the three.
    pub kind: CountKind,
    /// Which documents; empty for all.
    pub filter: Document,
    /// How many documents to pass over.
    pub skip: Option<i64>,
    /// At how many to stop.
    pub limit: Option<i64>,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// The other fields of the server's command, by its names.
    pub options: Document,
}

/// A `distinct`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distinct {
    /// The path whose values are wanted.
    pub key: String,
    /// Which documents; empty for all.
    pub filter: Document,
    /// The index to use (7.1 and newer).
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// The other fields of the server's command, by its names.
    pub options: Document,
}

/// One update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Which documents; empty for all.
    pub filter: Document,
    /// Operators, a whole new document, or an array of stages.
    pub update: Bson,
    /// Whether all matching documents are changed, or the first.
    pub multi: bool,
    /// Whether a document is made when none matches.
    pub upsert: bool,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// What the `$[name]` of the update stand for.
    pub array_filters: Option<Vec<Bson>>,
    /// The other fields of the server's command, by its names (`let`).
    pub options: Document,
}

/// One delete.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delete {
    /// Which documents; empty for all.
    pub filter: Document,
    /// Whether all matching documents are removed, or the first.
    pub multi: bool,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// The other fields of the server's command, by its names (`let`).
    pub options: Document,
}

/// A `findAndModify`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindAndModify {
    /// Which documents; the first in the sort's order is taken.
    pub filter: Document,
    /// In which order.
    pub sort: Option<Document>,
    /// Which fields to give back.
    pub projection: Option<Document>,
    /// Operators, a whole new document, or an array of stages; `None` removes it.
    pub update: Option<Bson>,
    /// Whether the changed document is given back rather than the old.
    pub new: bool,
    /// Whether a document is made when none matches.
    pub upsert: bool,
    /// The index to use: its name, or its keys.
    pub hint: Option<Bson>,
    /// The rules strings are compared by.
    pub collation: Option<Document>,
    /// What the `$[name]` of the update stand for.
    pub array_filters: Option<Vec<Bson>>,
    /// The other fields of the server's command, by its names (`let`).
    pub options: Document,
}

/// An insert.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Insert {
    /// The documents.
    pub documents: Vec<Document>,
    /// Whether it was written `insertOne`.
    pub one: bool,
}

/// Indexes to make.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateIndexes {
    /// Their specifications as the server takes them: `key`, `name` and options.
    pub indexes: Vec<Document>,
}

impl CreateIndexes {
    /// One index on `keys`, named as the server would name it unless `options` has a name.
    pub fn one(keys: Document, options: Document) -> Self {
        let mut specification = bson::doc! { "key": keys };
        specification.extend(options);
        if !specification.contains_key("name")
            && let Ok(keys) = specification.get_document("key")
        {
            let name = index_name(keys);
            specification.insert("name", name);
        }
        CreateIndexes { indexes: vec![specification] }
    }
}

/// An index to drop.
#[derive(Debug, Clone, PartialEq)]
pub struct DropIndex {
    /// Its name, or its keys.
    pub index: Bson,
}

/// A change of a collection's or an index's options.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollMod {
    /// The fields of the server's command: `index: {name, hidden}`, `validator` …
    pub options: Document,
}

/// A collection to make.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateCollection {
    /// The fields of the server's command: `capped`, `timeseries`, `viewOn` …
    pub options: Document,
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
