//! The command as a person writes it: mongosh syntax, broken into lines where it is long.
//! Whatever is printed here, [`crate::shell::parse`] reads back to the same command.

mod scalar;
mod value;

use std::fmt::Write;

use bson::{Bson, Document};

use super::{Command, CountKind, Operation};
use scalar::{is_identifier, quoted};
use value::write_value;
pub use value::{print_document, print_value};

impl Command {
    /// Mongosh text on as few lines as fit within 96 columns.
    pub fn to_shell(&self) -> String {
        let mut out = receiver(self);
        let name = self.name();
        match &self.operation {
            Operation::Find(find) => {
                let mut arguments = Vec::new();
                let others = without(&find.options, &[]);
                if !find.filter.is_empty() || find.projection.is_some() || find.one {
                    arguments.push(Bson::Document(find.filter.clone()));
                }
                arguments.extend(find.projection.clone().map(Bson::Document));
                if find.one || !others.is_empty() {
                    // What has no cursor method is given as the third argument.
                    let mut options = others;
                    if find.one {
                        put(&mut options, "sort", find.sort.clone());
                        put(&mut options, "skip", find.skip);
                        put(&mut options, "hint", find.hint.clone());
                        put(&mut options, "collation", find.collation.clone());
                    }
                    if !options.is_empty() {
                        if arguments.is_empty() {
                            arguments.push(Bson::Document(Document::new()));
                        }
                        if arguments.len() == 1 {
                            arguments.push(Bson::Document(Document::new()));
                        }
                        arguments.push(Bson::Document(options));
                    }
                }
                call(&mut out, name, &arguments);
                if !find.one {
                    method(&mut out, "sort", find.sort.clone().map(Bson::Document));
                    method(&mut out, "skip", find.skip.map(super::wire::integer));
                    method(&mut out, "limit", find.limit.map(super::wire::integer));
                    method(&mut out, "hint", find.hint.clone());
                    method(&mut out, "collation", find.collation.clone().map(Bson::Document));
                }
            }
            Operation::Aggregate(aggregate) => {
                let pipeline =
                    aggregate.pipeline.iter().cloned().map(Bson::Document).collect::<Vec<_>>();
                let mut options = aggregate.options.clone();
                put(&mut options, "hint", aggregate.hint.clone());
                put(&mut options, "collation", aggregate.collation.clone());
                finish(&mut out, name, vec![Bson::Array(pipeline)], options);
            }
            Operation::Count(count) => {
                let mut options = count.options.clone();
                put(&mut options, "skip", count.skip);
                put(&mut options, "limit", count.limit);
                put(&mut options, "hint", count.hint.clone());
                put(&mut options, "collation", count.collation.clone());
                let mut arguments = Vec::new();
                let estimated = count.kind == CountKind::Estimated;
                if !estimated && (!count.filter.is_empty() || !options.is_empty()) {
                    arguments.push(Bson::Document(count.filter.clone()));
                }
                finish(&mut out, name, arguments, options);
            }
            Operation::Distinct(distinct) => {
                let mut options = distinct.options.clone();
                put(&mut options, "hint", distinct.hint.clone());
                put(&mut options, "collation", distinct.collation.clone());
                let mut arguments = vec![Bson::String(distinct.key.clone())];
                if !distinct.filter.is_empty() || !options.is_empty() {
                    arguments.push(Bson::Document(distinct.filter.clone()));
                }
                finish(&mut out, name, arguments, options);
            }
            Operation::Update(update) => {
                let mut options = update.options.clone();
                put(&mut options, "upsert", update.upsert.then_some(true));
                put(&mut options, "hint", update.hint.clone());
                put(&mut options, "collation", update.collation.clone());
                put(&mut options, "arrayFilters", update.array_filters.clone());
                let arguments = vec![Bson::Document(update.filter.clone()), update.update.clone()];
                finish(&mut out, name, arguments, options);
            }
            Operation::Delete(delete) => {
                let mut options = delete.options.clone();
                put(&mut options, "hint", delete.hint.clone());
                put(&mut options, "collation", delete.collation.clone());
                finish(&mut out, name, vec![Bson::Document(delete.filter.clone())], options);
            }
            Operation::FindAndModify(modify) => {
                let mut options = modify.options.clone();
                put(&mut options, "sort", modify.sort.clone());
                put(&mut options, "projection", modify.projection.clone());
                put(&mut options, "returnNewDocument", modify.new.then_some(true));
                put(&mut options, "upsert", modify.upsert.then_some(true));
                put(&mut options, "hint", modify.hint.clone());
                put(&mut options, "collation", modify.collation.clone());
                put(&mut options, "arrayFilters", modify.array_filters.clone());
                let mut arguments = vec![Bson::Document(modify.filter.clone())];
                arguments.extend(modify.update.clone());
                finish(&mut out, name, arguments, options);
            }
            Operation::Insert(insert) => {
                let documents = insert.documents.iter().cloned().map(Bson::Document);
                let arguments = match insert.one {
                    true => documents.collect(),
                    false => vec![Bson::Array(documents.collect())],
                };
                call(&mut out, name, &arguments);
            }
            Operation::CreateIndexes(create) => match create.indexes.as_slice() {
                [one] => {
                    let keys = one.get("key").cloned().unwrap_or(Bson::Null);
                    finish(&mut out, name, vec![keys], without(one, &["key"]));
                }
                _ => {
                    return format!(
                        "{}.runCommand({})",
                        database(self),
                        print_document(&self.to_command())
                    );
                }
            },
            Operation::DropIndex(drop) => call(&mut out, name, std::slice::from_ref(&drop.index)),
            Operation::CollMod(_) => {
                return format!(
                    "{}.runCommand({})",
                    database(self),
                    print_document(&self.to_command())
                );
            }
            Operation::CreateCollection(create) => {
                out = database(self);
                let mut arguments = vec![Bson::String(self.collection.clone())];
                if !create.options.is_empty() {
                    arguments.push(Bson::Document(create.options.clone()));
                }
                call(&mut out, name, &arguments);
            }
            Operation::Drop => call(&mut out, name, &[]),
        }
        out
    }
}

fn database(command: &Command) -> String {
    match &command.database {
        Some(name) => format!("db.getSiblingDB({})", quoted(name)),
        None => "db".to_string(),
    }
}

fn receiver(command: &Command) -> String {
    let mut out = database(command);
    let name = &command.collection;
    // A name that is also a method of `db` would not reach the collection.
    let plain = name.split('.').all(is_identifier) && !name.split('.').any(crate::shell::is_method);
    if plain {
        let _ = write!(out, ".{name}");
    } else {
        let _ = write!(out, ".getCollection({})", quoted(name));
    }
    out
}

fn put(options: &mut Document, key: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        options.insert(key, value);
    }
}

fn without(document: &Document, keys: &[&str]) -> Document {
    document
        .iter()
        .filter(|(key, _)| !keys.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn finish(out: &mut String, name: &str, mut arguments: Vec<Bson>, options: Document) {
    if !options.is_empty() {
        arguments.push(Bson::Document(options));
    }
    call(out, name, &arguments);
}

fn method(out: &mut String, name: &str, argument: Option<Bson>) {
    if let Some(argument) = argument {
        call(out, name, &[argument]);
    }
}

fn call(out: &mut String, name: &str, arguments: &[Bson]) {
    let _ = write!(out, ".{name}(");
    for (number, argument) in arguments.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write_value(out, argument, 0);
    }
    out.push(')');
}
