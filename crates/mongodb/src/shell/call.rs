//! Methods of a collection.

use std::iter::Peekable;

use bson::{Bson, Document, doc};
use marula_core::{Result, nearest};
use oxc_ast::ast::Argument;
use oxc_span::Span;

use super::chain::Link;
use super::cursor;
use super::json;
use super::value::{Scope, Value};
use crate::command::{
    Aggregate, CollMod, Command, Count, CountKind, CreateIndexes, Delete, Distinct, DropIndex,
    Find, FindAndModify, Insert, Operation, Update,
};

/// The methods that are understood.
pub(super) const METHODS: &[&str] = &[
    "find",
    "findOne",
    "aggregate",
    "countDocuments",
    "estimatedDocumentCount",
    "count",
    "distinct",
    "updateOne",
    "updateMany",
    "update",
    "replaceOne",
    "deleteOne",
    "deleteMany",
    "remove",
    "findOneAndUpdate",
    "findOneAndReplace",
    "findOneAndDelete",
    "findAndModify",
    "insertOne",
    "insertMany",
    "insert",
    "createIndex",
    "createIndexes",
    "dropIndex",
    "hideIndex",
    "unhideIndex",
    "drop",
    "explain",
];

/// Where a method is called.
pub(super) struct Place {
    /// The database, when the chain names one.
    pub database: Option<String>,
    /// The collection.
    pub collection: String,
}

/// What a call takes, by position. Each is taken once.
struct Given<'s, 't> {
    scope: &'s Scope<'t>,
    values: Vec<Option<Value>>,
    span: Span,
}

impl Given<'_, '_> {
    fn document(&mut self, at: usize, what: &str) -> Result<Document> {
        match self.bson(at) {
            None | Some(Bson::Null) => Ok(Document::new()),
            Some(Bson::Document(document)) => Ok(document),
            Some(_) => {
                Err(self.scope.source.usage(format!("{what} is a document, {{…}}"), self.span))
            }
        }
    }

    fn bson(&mut self, at: usize) -> Option<Bson> {
        match self.values.get_mut(at).and_then(Option::take) {
            None | Some(Value::Undefined) => None,
            Some(value) => Some(value.into_bson()),
        }
    }

    fn wanted(&mut self, at: usize, what: &str) -> Result<Bson> {
        self.bson(at)
            .ok_or_else(|| self.scope.source.usage(format!("{what} is missing"), self.span))
    }

    /// Keys of indexes, one document or several.
    fn keys(&mut self, at: usize) -> Result<Vec<Document>> {
        let found = self.documents(at, "the argument");
        found.map_err(|_| {
            self.scope
                .source
                .usage("the keys of an index are a document", self.span)
                .hint("write them as {email: 1}, and several as {a: 1, b: -1}")
        })
    }

    fn documents(&mut self, at: usize, what: &str) -> Result<Vec<Document>> {
        let value = self.bson(at);
        let wrong =
            || self.scope.source.usage(format!("{what} is an array of documents"), self.span);
        match value {
            Some(Bson::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Bson::Document(document) => Ok(document),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(Bson::Document(document)) => Ok(vec![document]),
            _ => Err(wrong()),
        }
    }
}

/// The command that a method call on a collection, and the methods called on its result, mean.
pub(super) fn collection<'e>(
    scope: &Scope<'_>,
    place: Place,
    name: &str,
    at: Span,
    arguments: &'e [Argument<'e>],
    span: Span,
    mut rest: Peekable<impl Iterator<Item = Link<'e>>>,
) -> Result<Command> {
    let (mut name, mut at) = (name.to_string(), at);
    let (mut arguments, mut span) = (arguments, span);
    // `db.orders.explain("executionStats").find(…)`: the wrapper says nothing about the command.
    while name == "explain" {
        match (rest.next(), rest.next()) {
            (Some(Link::Name(next, next_at)), Some(Link::Call(next_arguments, next_span))) => {
                (name, at, arguments, span) = (next, next_at, next_arguments, next_span);
            }
            _ => {
                return Err(scope
                    .source
                    .usage("explain() is followed by a method, such as .find({…})", span));
            }
        }
    }
    if !METHODS.contains(&name.as_str()) {
        let near = nearest(&name, METHODS.iter().copied());
        return Err(scope.source.no_method(
            format!("{name}() is not a command that is understood here"),
            &name,
            near.first().map(|near| format!("did you mean {near}()?")),
            "find, aggregate, countDocuments, distinct, updateMany and deleteMany can be explained",
            at,
        ));
    }
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.as_expression() {
            Some(inner) => values.push(Some(scope.value(inner)?)),
            None => return Err(scope.source.not_constant("a spread argument", span)),
        }
    }
    let operation = operation(&name, &mut Given { scope, values, span })?;
    let mut command = Command { database: place.database, collection: place.collection, operation };
    cursor::apply(scope, &mut command, rest)?;
    Ok(command)
}

fn operation(name: &str, given: &mut Given<'_, '_>) -> Result<Operation> {
    Ok(match name {
        "find" | "findOne" => {
            let filter = given.document(0, "the filter")?;
            let projection = Some(given.document(1, "the projection")?).filter(|p| !p.is_empty());
            let mut options = given.document(2, "the options")?;
            json::drop_envelope(&mut options);
            let in_options = json::take_document(&mut options, "projection")?;
            Operation::Find(Find {
                filter,
                projection: projection.or(in_options),
                sort: json::take_sort(&mut options, "sort")?,
                skip: json::take_integer(&mut options, "skip")?,
                limit: json::take_integer(&mut options, "limit")?,
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                one: name == "findOne",
                options,
            })
        }
        "aggregate" => {
            // The old form gives the stages one by one.
            let listed = matches!(given.values.first(), Some(Some(Value::Bson(Bson::Array(_)))));
            let (pipeline, mut options) = if listed {
                (given.documents(0, "the pipeline")?, given.document(1, "the options")?)
            } else {
                let mut stages = Vec::new();
                for at in 0..given.values.len() {
                    stages.push(given.document(at, "a stage")?);
                }
                (stages, Document::new())
            };
            json::drop_envelope(&mut options);
            options.remove("explain");
            Operation::Aggregate(Aggregate {
                pipeline,
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                options,
            })
        }
        "countDocuments" | "count" | "estimatedDocumentCount" => {
            let kind = match name {
                "countDocuments" => CountKind::Documents,
                "count" => CountKind::Command,
                _ => CountKind::Estimated,
            };
            let estimated = kind == CountKind::Estimated;
            let filter =
                if estimated { Document::new() } else { given.document(0, "the filter")? };
            let mut options = given.document(usize::from(!estimated), "the options")?;
            json::drop_envelope(&mut options);
            Operation::Count(Count {
                kind,
                filter,
                skip: json::take_integer(&mut options, "skip")?,
                limit: json::take_integer(&mut options, "limit")?,
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                options,
            })
        }
        "distinct" => {
            let Bson::String(key) = given.wanted(0, "the field")? else {
                return Err(given.scope.source.usage("the field is a name in quotes", given.span));
            };
            let filter = given.document(1, "the filter")?;
            let mut options = given.document(2, "the options")?;
            json::drop_envelope(&mut options);
            Operation::Distinct(Distinct {
                key,
                filter,
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                options,
            })
        }
        "updateOne" | "updateMany" | "update" | "replaceOne" => {
            let filter = given.document(0, "the filter")?;
            let update = json::update_of(given.wanted(1, "the update")?)?;
            let mut options = given.document(2, "the options")?;
            json::drop_envelope(&mut options);
            let multi = json::take_bool(&mut options, "multi");
            Operation::Update(Update {
                filter,
                update,
                multi: name == "updateMany" || (name == "update" && multi),
                upsert: json::take_bool(&mut options, "upsert"),
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                array_filters: json::take_array(&mut options, "arrayFilters")?,
                options,
            })
        }
        "deleteOne" | "deleteMany" | "remove" => {
            let filter = given.document(0, "the filter")?;
            // remove(filter, true) is the old way to remove one.
            let just_one = match given.values.get(1) {
                Some(Some(Value::Bson(Bson::Boolean(yes)))) => *yes,
                _ => false,
            };
            let mut options =
                if just_one { Document::new() } else { given.document(1, "the options")? };
            json::drop_envelope(&mut options);
            let just_one = json::take_bool(&mut options, "justOne") || just_one;
            Operation::Delete(Delete {
                filter,
                multi: name == "deleteMany" || (name == "remove" && !just_one),
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                options,
            })
        }
        "findAndModify" => {
            let mut command = doc! { "findAndModify": "" };
            command.extend(given.document(0, "the command")?);
            json::modify(command)?
        }
        "findOneAndUpdate" | "findOneAndReplace" | "findOneAndDelete" => {
            let filter = given.document(0, "the filter")?;
            let removes = name == "findOneAndDelete";
            let update = match removes {
                true => None,
                false => Some(json::update_of(given.wanted(1, "the update")?)?),
            };
            let mut options = given.document(if removes { 1 } else { 2 }, "the options")?;
            json::drop_envelope(&mut options);
            let after = options.remove("returnDocument").is_some_and(
                |value| matches!(&value, Bson::String(text) if text.eq_ignore_ascii_case("after")),
            );
            let original = options.remove("returnOriginal") == Some(Bson::Boolean(false));
            let projection = json::take_document(&mut options, "projection")?;
            Operation::FindAndModify(FindAndModify {
                filter,
                sort: json::take_sort(&mut options, "sort")?,
                projection: match projection {
                    Some(projection) => Some(projection),
                    None => json::take_document(&mut options, "fields")?,
                },
                update,
                new: json::take_bool(&mut options, "returnNewDocument")
                    || json::take_bool(&mut options, "new")
                    || after
                    || original,
                upsert: json::take_bool(&mut options, "upsert"),
                hint: options.remove("hint"),
                collation: json::take_document(&mut options, "collation")?,
                array_filters: json::take_array(&mut options, "arrayFilters")?,
                options,
            })
        }
        "insertOne" | "insertMany" | "insert" => Operation::Insert(Insert {
            documents: given.documents(0, "what is inserted")?,
            one: name == "insertOne",
        }),
        "createIndex" => {
            let [keys] = <[Document; 1]>::try_from(given.keys(0)?).map_err(|_| {
                let what = "createIndex() makes one index: its keys are one document";
                given.scope.source.usage(what, given.span)
            })?;
            let options = given.document(1, "the options")?;
            Operation::CreateIndexes(CreateIndexes::one(keys, options))
        }
        "createIndexes" => {
            let given_keys = given.keys(0)?;
            let options = given.document(1, "the options")?;
            // A driver gives whole specifications: in no pattern of keys has one a document.
            let whole = |of: &Document| of.get_document("key").is_ok();
            if !options.is_empty() && given_keys.iter().any(whole) {
                return Err(given
                    .scope
                    .source
                    .usage("options beside whole specifications are not read", given.span)
                    .hint("write what is for an index into its own: {key: {…}, unique: true}"));
            }
            let one = |mut keys: Document| match keys.get_document("key").cloned() {
                Ok(inner) => {
                    keys.remove("key");
                    CreateIndexes::one(inner, keys)
                }
                Err(_) => CreateIndexes::one(keys, options.clone()),
            };
            let indexes = given_keys.into_iter().flat_map(|keys| one(keys).indexes).collect();
            Operation::CreateIndexes(CreateIndexes { indexes })
        }
        "dropIndex" => Operation::DropIndex(DropIndex { index: given.wanted(0, "the index")? }),
        "hideIndex" | "unhideIndex" => {
            let field = match given.wanted(0, "the index")? {
                Bson::String(name) => doc! { "name": name },
                keys => doc! { "keyPattern": keys },
            };
            let mut index = field;
            index.insert("hidden", name == "hideIndex");
            Operation::CollMod(CollMod { options: doc! { "index": index } })
        }
        _ => Operation::Drop,
    })
}
