//! What a command does, with everything it is given.

use bson::{Bson, Document};

use super::index_name;

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
