//! What may be sent to a target: an allowlist of commands, options and stages. Nothing that
//! writes or runs code passes, however deep it is nested.

mod options;
mod stages;
mod views;

use bson::{Bson, Document};
use marula_core::{Error, ErrorKind, Result};

use crate::{Command, Operation};

pub use views::check_in_catalog;

/// Passes a command that reads, or that can be explained without changing anything: an update
/// or a delete passes too, and is explained but never run.
///
/// # Errors
/// `Refused`, naming what is not allowed and where it stands.
pub fn check(command: &Command) -> Result<()> {
    if command.collection.is_empty() || command.collection.contains(['\0', '$']) {
        return Err(refused("a collection's name is not empty and holds neither $ nor null"));
    }
    if let Some(database) = &command.database
        && (database.is_empty() || database.contains(['\0', '/', '\\', '.', ' ', '"', '$']))
    {
        return Err(refused(format!("'{database}' is no database's name")));
    }
    let name = command.name();
    match &command.operation {
        Operation::Find(find) => {
            document(&find.filter, "the filter")?;
            maybe(find.projection.as_ref(), "the projection")?;
            maybe(find.sort.as_ref(), "the sort")?;
            maybe(find.collation.as_ref(), "the collation")?;
            find.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &find.options, options::FIND)
        }
        Operation::Aggregate(aggregate) => {
            stages::check(&aggregate.pipeline, stages::READING, "the pipeline")?;
            maybe(aggregate.collation.as_ref(), "the collation")?;
            aggregate.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &aggregate.options, options::AGGREGATE)
        }
        Operation::Count(count) => {
            document(&count.filter, "the filter")?;
            maybe(count.collation.as_ref(), "the collation")?;
            count.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &count.options, options::COUNT)
        }
        Operation::Distinct(distinct) => {
            document(&distinct.filter, "the filter")?;
            maybe(distinct.collation.as_ref(), "the collation")?;
            distinct.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &distinct.options, options::COUNT)
        }
        Operation::Update(update) => {
            document(&update.filter, "the filter")?;
            self::update(&update.update)?;
            maybe(update.collation.as_ref(), "the collation")?;
            list(update.array_filters.as_deref(), "arrayFilters")?;
            update.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &update.options, options::WRITE)
        }
        Operation::Delete(delete) => {
            document(&delete.filter, "the filter")?;
            maybe(delete.collation.as_ref(), "the collation")?;
            delete.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &delete.options, options::WRITE)
        }
        Operation::FindAndModify(modify) => {
            document(&modify.filter, "the filter")?;
            maybe(modify.sort.as_ref(), "the sort")?;
            maybe(modify.projection.as_ref(), "the projection")?;
            modify.update.as_ref().map_or(Ok(()), update)?;
            maybe(modify.collation.as_ref(), "the collation")?;
            list(modify.array_filters.as_deref(), "arrayFilters")?;
            modify.hint.as_ref().map_or(Ok(()), |hint| value(hint, "the hint"))?;
            options::check(name, &modify.options, options::WRITE)
        }
        _ => Err(refused(format!("{name} changes the database and is not sent to a target"))
            .hint("run it yourself once it is proved")),
    }
}

/// Operators that write, run code, or look at other people's work. As keys they are refused
/// wherever they stand: no server takes them as a field's name.
const FORBIDDEN: &[&str] = &[
    "$out",
    "$merge",
    "$function",
    "$accumulator",
    "$where",
    "$eval",
    "$mapReduce",
    "$currentOp",
    "$listSessions",
    "$listLocalSessions",
    "$changeStream",
    "$changeStreamSplitLargeEvent",
    "$backupCursor",
    "$backupCursorExtend",
    "$mergeCursors",
];

/// Looks at every key and value below.
fn document(found: &Document, place: &str) -> Result<()> {
    let mut open: Vec<&Document> = vec![found];
    let mut values: Vec<&Bson> = Vec::new();
    loop {
        if let Some(next) = open.pop() {
            for (key, inner) in next {
                if FORBIDDEN.contains(&key.as_str()) || key.starts_with("$_internal") {
                    return Err(forbidden(key, place));
                }
                values.push(inner);
            }
        }
        match values.pop() {
            Some(Bson::Document(inner)) => open.push(inner),
            Some(Bson::Array(items)) => values.extend(items),
            Some(Bson::JavaScriptCode(_) | Bson::JavaScriptCodeWithScope(_)) => {
                return Err(refused(format!("JavaScript code in {place} is not sent to a target"))
                    .hint("write it with $expr and aggregation operators"));
            }
            Some(_) => {}
            None if open.is_empty() => return Ok(()),
            None => {}
        }
    }
}

fn value(found: &Bson, place: &str) -> Result<()> {
    match found {
        Bson::Document(inner) => document(inner, place),
        Bson::Array(items) => items.iter().try_for_each(|item| value(item, place)),
        Bson::JavaScriptCode(_) | Bson::JavaScriptCodeWithScope(_) => {
            Err(refused(format!("JavaScript code in {place} is not sent to a target")))
        }
        _ => Ok(()),
    }
}

fn maybe(found: Option<&Document>, place: &str) -> Result<()> {
    found.map_or(Ok(()), |found| document(found, place))
}

fn list(found: Option<&[Bson]>, place: &str) -> Result<()> {
    found.unwrap_or_default().iter().try_for_each(|item| value(item, place))
}

/// Operators, a whole document, or stages: only those that change the document itself.
fn update(found: &Bson) -> Result<()> {
    match found {
        Bson::Array(items) => {
            let list: Vec<Document> = items.iter().filter_map(Bson::as_document).cloned().collect();
            stages::check(&list, stages::UPDATING, "the update")
        }
        other => value(other, "the update"),
    }
}

fn forbidden(key: &str, place: &str) -> Error {
    let error = refused(format!("{key} in {place} is not sent to a target"));
    match key {
        "$out" | "$merge" => {
            error.hint("leave it out: some servers run it even when they only explain the pipeline")
        }
        "$function" | "$accumulator" | "$where" => {
            error.hint("write it with $expr and aggregation operators: they run no code")
        }
        _ => error.hint("leave it out: only what reads a collection's data is sent"),
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, message)
}
