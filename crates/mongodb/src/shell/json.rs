//! Commands as documents: `{"aggregate": "orders", "pipeline": […]}`, as the server, its logs
//! and its profiler write them.

use bson::{Bson, Document};
use marula_core::{Error, ErrorKind, Result, nearest};

use crate::command::{
    Aggregate, CollMod, Command, Count, CountKind, CreateCollection, CreateIndexes, Delete,
    Distinct, DropIndex, Find, FindAndModify, Insert, Operation, Update,
};

/// The commands that are understood.
const COMMANDS: &[&str] = &[
    "find",
    "aggregate",
    "count",
    "distinct",
    "update",
    "delete",
    "findAndModify",
    "insert",
    "createIndexes",
    "dropIndexes",
    "collMod",
    "create",
    "drop",
    "explain",
];

/// Fields that belong to the session a command was sent in, not to the command.
const ENVELOPE: &[&str] = &[
    "lsid",
    "$clusterTime",
    "$readPreference",
    "$client",
    "$configTime",
    "$topologyTime",
    "$audit",
    "$tenant",
    "signature",
    "txnNumber",
    "autocommit",
    "startTransaction",
    "apiVersion",
    "apiStrict",
    "apiDeprecationErrors",
    "readPreference",
    "shardVersion",
    "databaseVersion",
    "mayBypassWriteBlocking",
];

/// Reads a command from JSON, extended JSON or a shell literal.
pub(super) fn parse(text: &str) -> Result<Command> {
    match super::parse_json(text)? {
        Bson::Document(document) => from_document(document),
        Bson::Array(_) => Err(super::marked(
            ErrorKind::Usage,
            "a pipeline alone does not say which collection it reads".into(),
            text,
            0,
            1,
        )
        .hint("name the collection: db.COLLECTION.aggregate([…])")),
        _ => Err(Error::new(ErrorKind::Syntax, "this is not a command")),
    }
}

/// The command a document stands for. Extended JSON inside must be decoded already.
///
/// # Errors
/// `Unsupported` for commands that are not understood, `Syntax` where a field has the wrong type.
pub fn from_document(mut document: Document) -> Result<Command> {
    let database = match document.remove("$db") {
        Some(Bson::String(name)) if !name.contains(['\0', '.', '/']) => Some(name),
        None => None,
        Some(_) => return Err(wrong("$db", "a database's name")),
    };
    drop_envelope(&mut document);
    let Some((name, target)) = document.iter().next() else {
        return Err(Error::new(ErrorKind::Usage, "the command is empty")
            .hint("write one, such as {\"find\": \"orders\", \"filter\": {…}}"));
    };
    let (name, target) = (name.clone(), target.clone());
    if name == "explain" {
        let Bson::Document(inner) = target else {
            return Err(wrong("explain", "a command"));
        };
        if inner.contains_key("explain") {
            return Err(Error::new(ErrorKind::Refused, "an explain cannot be explained"));
        }
        let mut command = from_document(inner)?;
        command.database = command.database.or(database);
        return Ok(command);
    }
    if !COMMANDS.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Err(unknown(&name, &document));
    }
    let Bson::String(collection) = target else {
        return Err(wrong(&name, "a collection's name"));
    };
    if collection.is_empty() || collection.contains(['\0', '$']) {
        return Err(wrong(&name, "a collection's name, without $ and null"));
    }
    document.remove(&name);
    let operation = operation(&name, document)?;
    Ok(Command { database, collection, operation })
}

fn operation(name: &str, mut rest: Document) -> Result<Operation> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "find" => {
            let mut find = Find {
                filter: take_document(&mut rest, "filter")?.unwrap_or_default(),
                projection: take_document(&mut rest, "projection")?,
                sort: take_sort(&mut rest, "sort")?,
                skip: take_integer(&mut rest, "skip")?,
                limit: take_integer(&mut rest, "limit")?,
                hint: take_hint(&mut rest),
                collation: take_document(&mut rest, "collation")?,
                one: false,
                options: Document::new(),
            };
            if find.limit == Some(1) && rest.get("singleBatch") == Some(&Bson::Boolean(true)) {
                rest.remove("singleBatch");
                find.limit = None;
                find.one = true;
            }
            find.options = rest;
            Operation::Find(find)
        }
        "aggregate" => {
            let Some(Bson::Array(stages)) = rest.remove("pipeline") else {
                return Err(wrong("pipeline", "an array of stages"));
            };
            let pipeline = documents(stages, "pipeline")?;
            rest.remove("explain");
            if rest.get_document("cursor").is_ok_and(Document::is_empty) {
                rest.remove("cursor");
            }
            Operation::Aggregate(Aggregate {
                pipeline,
                hint: take_hint(&mut rest),
                collation: take_document(&mut rest, "collation")?,
                options: rest,
            })
        }
        "count" => Operation::Count(Count {
            kind: CountKind::Command,
            filter: take_document(&mut rest, "query")?.unwrap_or_default(),
            skip: take_integer(&mut rest, "skip")?,
            limit: take_integer(&mut rest, "limit")?,
            hint: take_hint(&mut rest),
            collation: take_document(&mut rest, "collation")?,
            options: without(rest, "fields"),
        }),
        "distinct" => {
            let Some(Bson::String(key)) = rest.remove("key") else {
                return Err(wrong("key", "a field's name"));
            };
            Operation::Distinct(Distinct {
                key,
                filter: take_document(&mut rest, "query")?.unwrap_or_default(),
                hint: take_hint(&mut rest),
                collation: take_document(&mut rest, "collation")?,
                options: rest,
            })
        }
        "update" => {
            let mut one = only(&mut rest, "updates")?;
            rest.remove("ordered");
            Operation::Update(Update {
                filter: take_document(&mut one, "q")?.unwrap_or_default(),
                update: update_of(
                    one.remove("u").ok_or_else(|| wrong("u", "an update document"))?,
                )?,
                multi: take_bool(&mut one, "multi"),
                upsert: take_bool(&mut one, "upsert"),
                hint: take_hint(&mut one),
                collation: take_document(&mut one, "collation")?,
                array_filters: take_array(&mut one, "arrayFilters")?,
                options: rest,
            })
        }
        "delete" => {
            let mut one = only(&mut rest, "deletes")?;
            rest.remove("ordered");
            Operation::Delete(Delete {
                filter: take_document(&mut one, "q")?.unwrap_or_default(),
                multi: take_integer(&mut one, "limit")?.unwrap_or(0) == 0,
                hint: take_hint(&mut one),
                collation: take_document(&mut one, "collation")?,
                options: rest,
            })
        }
        "findandmodify" => modify(rest)?,
        "insert" => {
            let Some(Bson::Array(items)) = rest.remove("documents") else {
                return Err(wrong("documents", "an array of documents"));
            };
            Operation::Insert(Insert { documents: documents(items, "documents")?, one: false })
        }
        "createindexes" => {
            let Some(Bson::Array(items)) = rest.remove("indexes") else {
                return Err(wrong("indexes", "an array of index specifications"));
            };
            Operation::CreateIndexes(CreateIndexes { indexes: documents(items, "indexes")? })
        }
        "dropindexes" => Operation::DropIndex(DropIndex {
            index: rest.remove("index").ok_or_else(|| wrong("index", "a name or keys"))?,
        }),
        "collmod" => Operation::CollMod(CollMod { options: rest }),
        "create" => Operation::CreateCollection(CreateCollection { options: rest }),
        _ => Operation::Drop,
    })
}

/// The fields of a `findAndModify` command, its name already taken off or empty.
pub(super) fn modify(mut rest: Document) -> Result<Operation> {
    rest.remove("findAndModify");
    rest.remove("findandmodify");
    let removes = take_bool(&mut rest, "remove");
    let update = rest.remove("update").map(update_of).transpose()?;
    if removes == update.is_some() {
        return Err(wrong("update", "given, or 'remove' is true"));
    }
    Ok(Operation::FindAndModify(FindAndModify {
        filter: take_document(&mut rest, "query")?.unwrap_or_default(),
        sort: take_sort(&mut rest, "sort")?,
        projection: take_document(&mut rest, "fields")?,
        update,
        new: take_bool(&mut rest, "new"),
        upsert: take_bool(&mut rest, "upsert"),
        hint: take_hint(&mut rest),
        collation: take_document(&mut rest, "collation")?,
        array_filters: take_array(&mut rest, "arrayFilters")?,
        options: rest,
    }))
}

fn unknown(name: &str, document: &Document) -> Error {
    let error = Error::new(
        ErrorKind::Refused,
        format!("'{name}' is not a command that is understood here"),
    );
    // A filter or an explain output pasted where a command is wanted.
    if document.contains_key("queryPlanner") || document.contains_key("stages") {
        return error.hint("this looks like a saved explain: give it as --plan FILE");
    }
    match nearest(name, COMMANDS.iter().copied()).first() {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint("a command begins with its name: {\"find\": \"orders\", …}"),
    }
}

fn wrong(field: &str, what: &str) -> Error {
    Error::new(ErrorKind::Syntax, format!("'{field}' must be {what}"))
        .hint("correct the command and try again")
}

fn only(rest: &mut Document, field: &str) -> Result<Document> {
    match rest.remove(field) {
        Some(Bson::Array(mut items)) => match (items.len(), items.pop()) {
            (1, Some(Bson::Document(one))) => Ok(one),
            (count, _) => Err(Error::new(
                ErrorKind::Refused,
                format!("'{field}' holds {count} statements, and one is wanted"),
            )
            .hint("give them one at a time")),
        },
        // The profiler and the log write one statement bare: {q, u, multi}.
        None if rest.contains_key("q") => Ok(std::mem::take(rest)),
        _ => Err(wrong(field, "an array with one statement")),
    }
}

fn documents(items: Vec<Bson>, field: &str) -> Result<Vec<Document>> {
    items
        .into_iter()
        .map(|item| match item {
            Bson::Document(document) => Ok(document),
            _ => Err(wrong(field, "an array of documents")),
        })
        .collect()
}

fn without(mut document: Document, field: &str) -> Document {
    document.remove(field);
    document
}

/// Takes out what belongs to the session: identifiers, cluster times, and for writes the write
/// concern, which an explain has no use for.
pub(super) fn drop_envelope(document: &mut Document) {
    for field in ENVELOPE {
        document.remove(field);
    }
    let write = ["update", "delete", "findAndModify", "findandmodify"];
    if write.iter().any(|name| document.contains_key(name)) {
        document.remove("writeConcern");
    }
}

pub(super) fn take_document(from: &mut Document, field: &str) -> Result<Option<Document>> {
    match from.remove(field) {
        None | Some(Bson::Null | Bson::Undefined) => Ok(None),
        Some(Bson::Document(document)) if document.is_empty() => Ok(None),
        Some(Bson::Document(document)) => Ok(Some(document)),
        Some(_) => Err(wrong(field, "a document")),
    }
}

pub(super) fn take_sort(from: &mut Document, field: &str) -> Result<Option<Document>> {
    match from.remove(field) {
        None | Some(Bson::Null) => Ok(None),
        Some(value) => match sort_of(value) {
            Some(sort) => Ok(Some(sort).filter(|sort| !sort.is_empty())),
            None => Err(wrong(field, "a document such as {at: -1}")),
        },
    }
}

/// A sort as a document; drivers also take pairs: `[["at", -1]]`.
pub(super) fn sort_of(value: Bson) -> Option<Document> {
    match value {
        Bson::Document(sort) => Some(sort),
        Bson::String(path) => Some(bson::doc! { path: 1 }),
        Bson::Array(pairs) => pairs
            .into_iter()
            .map(|pair| match pair {
                Bson::Array(pair) => match <[Bson; 2]>::try_from(pair) {
                    Ok([Bson::String(path), direction]) => Some((path, direction)),
                    _ => None,
                },
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

pub(super) fn take_integer(from: &mut Document, field: &str) -> Result<Option<i64>> {
    match from.remove(field) {
        None | Some(Bson::Null) => Ok(None),
        Some(value) => match crate::plan::number(&value) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(field, "a whole number")),
        },
    }
}

pub(super) fn take_bool(from: &mut Document, field: &str) -> bool {
    match from.remove(field) {
        Some(Bson::Boolean(yes)) => yes,
        Some(value) => crate::plan::number(&value).is_some_and(|number| number != 0),
        None => false,
    }
}

pub(super) fn take_array(from: &mut Document, field: &str) -> Result<Option<Vec<Bson>>> {
    match from.remove(field) {
        None | Some(Bson::Null) => Ok(None),
        Some(Bson::Array(items)) => Ok(Some(items)),
        Some(_) => Err(wrong(field, "an array")),
    }
}

fn take_hint(from: &mut Document) -> Option<Bson> {
    from.remove("hint").filter(|hint| match hint {
        Bson::Document(keys) => !keys.is_empty(),
        Bson::String(name) => !name.is_empty(),
        _ => false,
    })
}

/// An update: operators, a document, or stages.
pub(super) fn update_of(value: Bson) -> Result<Bson> {
    match value {
        Bson::Document(_) => Ok(value),
        Bson::Array(stages) => {
            let stages = documents(stages, "the update")?;
            Ok(Bson::Array(stages.into_iter().map(Bson::Document).collect()))
        }
        _ => Err(wrong("the update", "a document or an array of stages")),
    }
}

/// Turns extended JSON (`{$oid: …}`, `{$numberLong: …}`) into the values it stands for.
pub(super) fn decode(value: Bson) -> Bson {
    match value {
        Bson::Array(items) => Bson::Array(items.into_iter().map(decode).collect()),
        Bson::Document(document) => {
            let wrapped = document.len() <= 2
                && document.keys().any(|key| {
                    matches!(
                        key.as_str(),
                        "$oid"
                            | "$date"
                            | "$numberLong"
                            | "$numberInt"
                            | "$numberDouble"
                            | "$numberDecimal"
                            | "$binary"
                            | "$uuid"
                            | "$timestamp"
                            | "$regularExpression"
                            | "$minKey"
                            | "$maxKey"
                            | "$symbol"
                            | "$code"
                            | "$dbPointer"
                            | "$undefined"
                    )
                });
            if wrapped
                && let json @ serde_json::Value::Object(_) =
                    Bson::Document(document.clone()).into_relaxed_extjson()
                && let Ok(decoded) = Bson::try_from(json)
            {
                return decoded;
            }
            let inner = document.into_iter().map(|(key, value)| (key, decode(value)));
            Bson::Document(inner.collect())
        }
        other => other,
    }
}
