//! Methods of a cursor: what they add to the command, and what only shows its result.

use bson::Bson;
use marula_core::{ErrorKind, Result, nearest};
use oxc_ast::ast::Argument;
use oxc_span::Span;

use super::chain::Link;
use super::value::{Scope, Value};
use super::{Purpose, json};
use crate::command::{Command, Count, CountKind, Find, Operation};

/// Methods that add to a find.
const METHODS: &[&str] = &[
    "sort",
    "limit",
    "skip",
    "hint",
    "collation",
    "project",
    "projection",
    "allowDiskUse",
    "batchSize",
    "comment",
    "maxTimeMS",
    "min",
    "max",
    "returnKey",
    "showRecordId",
    "readConcern",
    "count",
    "size",
];

/// Methods that only show the result in another way, or say where it is read.
const SHOWING: &[&str] = &[
    "toArray",
    "pretty",
    "explain",
    "itcount",
    "next",
    "tryNext",
    "hasNext",
    "readPref",
    "noCursorTimeout",
    "close",
    "isExhausted",
    "objsLeftInBatch",
];

/// Adds the methods called on the result to the command.
pub(super) fn apply<'e>(
    scope: &Scope<'_>,
    command: &mut Command,
    mut rest: impl Iterator<Item = Link<'e>>,
) -> Result<()> {
    while let Some(link) = rest.next() {
        let (name, at) = match link {
            Link::Name(name, at) => (name, at),
            Link::Call(_, at) => return Err(scope.source.usage("this cannot be called", at)),
        };
        let (arguments, span) = match rest.next() {
            Some(Link::Call(arguments, span)) => (arguments, span),
            _ => return Err(scope.source.not_constant("looking up a property", at)),
        };
        if SHOWING.contains(&name.as_str()) {
            continue;
        }
        if !METHODS.contains(&name.as_str()) {
            return Err(unknown(scope, &name, at));
        }
        let argument = match arguments.first().and_then(Argument::as_expression) {
            Some(inner) => Some(scope.value(inner)?),
            None => None,
        };
        let known = match &mut command.operation {
            Operation::Find(find) => match name.as_str() {
                "count" | "size" => {
                    command.operation = Operation::Count(counted(find, name == "size"));
                    true
                }
                name => on_find(scope, find, name, argument, span)?,
            },
            Operation::Aggregate(aggregate) => {
                match (name.as_str(), argument.map(Value::into_bson)) {
                    ("hint", hint) => aggregate.hint = hint,
                    ("collation", Some(Bson::Document(collation))) => {
                        aggregate.collation = Some(collation);
                    }
                    ("allowDiskUse", value) => {
                        aggregate
                            .options
                            .insert("allowDiskUse", value.unwrap_or(Bson::Boolean(true)));
                    }
                    ("maxTimeMS" | "comment", Some(value)) => {
                        aggregate.options.insert(name.as_str(), value);
                    }
                    ("batchSize", Some(value)) => {
                        aggregate.options.insert("cursor", bson::doc! { "batchSize": value });
                    }
                    _ => return Err(unknown(scope, &name, at)),
                }
                true
            }
            _ => false,
        };
        if !known {
            return Err(unknown(scope, &name, at));
        }
    }
    Ok(())
}

fn on_find(
    scope: &Scope<'_>,
    find: &mut Find,
    name: &str,
    argument: Option<Value>,
    span: Span,
) -> Result<bool> {
    let wrong = |what: &str| scope.source.usage(format!("{name}() takes {what}"), span);
    let document = |argument: Option<Value>| match argument {
        None | Some(Value::Undefined | Value::Bson(Bson::Null)) => Ok(None),
        Some(Value::Bson(Bson::Document(document))) => {
            Ok(Some(document).filter(|document| !document.is_empty()))
        }
        Some(_) => Err(wrong("a document, {…}")),
    };
    let number = |argument: Option<Value>| match argument.map(Value::into_bson) {
        None | Some(Bson::Null) => Ok(None),
        Some(value) => crate::plan::number(&value).map(Some).ok_or_else(|| wrong("a whole number")),
    };
    match name {
        "sort" => {
            find.sort = match argument.map(Value::into_bson) {
                None | Some(Bson::Null) => None,
                Some(value) => json::sort_of(value)
                    .ok_or_else(|| wrong("a document such as {at: -1}"))
                    .map(|sort| Some(sort).filter(|sort| !sort.is_empty()))?,
            };
        }
        "limit" => find.limit = number(argument)?,
        "skip" => find.skip = number(argument)?,
        "hint" => {
            find.hint = argument
                .map(Value::into_bson)
                .map(|hint| match hint {
                    hint @ (Bson::String(_) | Bson::Document(_)) => Ok(hint),
                    _ => Err(wrong("an index's name or keys")),
                })
                .transpose()?;
        }
        "collation" => find.collation = document(argument)?,
        "project" | "projection" => find.projection = document(argument)?,
        "allowDiskUse" => {
            let value = argument.map_or(Bson::Boolean(true), Value::into_bson);
            find.options.insert("allowDiskUse", value);
        }
        "min" | "max" => {
            if let Some(bound) = document(argument)? {
                find.options.insert(name, bound);
            }
        }
        "batchSize" | "maxTimeMS" => {
            if let Some(value) = number(argument)? {
                find.options.insert(name, crate::command::integer(value));
            }
        }
        "comment" => {
            if let Some(value) = argument {
                find.options.insert(name, value.into_bson());
            }
        }
        "readConcern" => {
            let value = match argument.map(Value::into_bson) {
                Some(level @ Bson::String(_)) => Bson::Document(bson::doc! { "level": level }),
                Some(value @ Bson::Document(_)) => value,
                _ => return Err(wrong("a level such as \"majority\"")),
            };
            find.options.insert(name, value);
        }
        "returnKey" | "showRecordId" => {
            let value = argument.map_or(Bson::Boolean(true), Value::into_bson);
            find.options.insert(name, value);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `find(…).count()` counts what the find would give; only `size()` minds skip and limit.
fn counted(find: &Find, bounded: bool) -> Count {
    Count {
        kind: CountKind::Command,
        filter: find.filter.clone(),
        skip: find.skip.filter(|_| bounded),
        limit: find.limit.filter(|_| bounded),
        hint: find.hint.clone(),
        collation: find.collation.clone(),
        options: bson::Document::new(),
    }
}

fn unknown(scope: &Scope<'_>, name: &str, at: Span) -> marula_core::Error {
    let message = format!("{name}() on a result is not understood here");
    let known = METHODS.iter().chain(SHOWING).copied();
    let error = scope.source.error(ErrorKind::Refused, message, at);
    match (scope.source.purpose, nearest(name, known).first()) {
        (Purpose::Query, Some(near)) => error.hint(format!("did you mean {near}()?")),
        (Purpose::Query, None) => error.hint("leave it out: only the command itself is explained"),
        (Purpose::Migration, _) => {
            error.hint("leave it out: a migration runs the command, and nobody reads its result")
        }
    }
}
