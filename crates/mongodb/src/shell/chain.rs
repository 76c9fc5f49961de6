//! Chains of calls that begin at `db`.

use marula_core::{ErrorKind, Result, nearest};
use oxc_ast::ast::{Argument, ChainElement, Expression};
use oxc_span::{GetSpan, Span};

use super::value::{Scope, Value};
use super::{Purpose, call, instead};
use crate::command::{Command, CreateCollection, Operation};

/// Methods of `db` itself that are understood.
pub(super) const DATABASE_METHODS: &[&str] = &[
    "getSiblingDB",
    "getSisterDB",
    "getCollection",
    "runCommand",
    "adminCommand",
    "createCollection",
    "createView",
    "dropDatabase",
    "aggregate",
    "getName",
    "getMongo",
    "eval",
    "watch",
];

/// One step of a chain.
pub(super) enum Link<'e> {
    /// `.name`, or `["name"]`.
    Name(String, Span),
    /// `(arguments)`.
    Call(&'e [Argument<'e>], Span),
}

/// Whether the expression is a chain that begins at `db`.
pub(super) fn begins_at_db(expression: &Expression<'_>) -> bool {
    let mut at = expression;
    loop {
        at = match at {
            Expression::CallExpression(call) => &call.callee,
            Expression::StaticMemberExpression(member) => &member.object,
            Expression::ComputedMemberExpression(member) => &member.object,
            Expression::ParenthesizedExpression(inner) => &inner.expression,
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => &call.callee,
                ChainElement::StaticMemberExpression(member) => &member.object,
                ChainElement::ComputedMemberExpression(member) => &member.object,
                _ => return false,
            },
            Expression::Identifier(name) => return name.name == "db",
            _ => return false,
        };
    }
}

/// The command a chain means.
pub(super) fn command(scope: &Scope<'_>, expression: &Expression<'_>) -> Result<Command> {
    let expression = unwrap_printing(expression);
    let span = expression.span();
    if !begins_at_db(expression) {
        return Err(not_a_command(scope, expression));
    }
    let links = links(scope, expression)?;
    let mut steps = links.into_iter().peekable();
    let mut database = None;
    let mut collection: Option<String> = None;
    while let Some(link) = steps.next() {
        let (name, at) = match link {
            Link::Name(name, at) => (name, at),
            Link::Call(_, at) => return Err(scope.source.usage("this cannot be called", at)),
        };
        let Some(Link::Call(..)) = steps.peek() else {
            // `db.shop.orders`: names with dots are written as they are.
            collection = Some(match collection {
                Some(before) => format!("{before}.{name}"),
                None => name,
            });
            continue;
        };
        let Some(Link::Call(arguments, call_span)) = steps.next() else { continue };
        if let Some(collection) = &collection {
            let place = call::Place { database, collection: checked(scope, collection, at)? };
            return call::collection(scope, place, &name, at, arguments, call_span, steps);
        }
        match name.as_str() {
            "getSiblingDB" | "getSisterDB" => {
                database = Some(one_string(scope, arguments, call_span)?);
            }
            "getCollection" => collection = Some(one_string(scope, arguments, call_span)?),
            "getMongo" => database = None,
            "getDB" => database = Some(one_string(scope, arguments, call_span)?),
            "runCommand" | "adminCommand" => {
                let document = match arguments.first().and_then(Argument::as_expression) {
                    Some(inner) => scope.document(inner, "a command")?,
                    None => return Err(scope.source.usage("the command is missing", call_span)),
                };
                let mut command = super::json::from_document(document)
                    .map_err(|error| at_place(scope, error, call_span))?;
                command.database = command.database.or(database);
                return Ok(command);
            }
            "createCollection" => {
                let collection = one_string(scope, arguments, call_span)?;
                let options = match arguments.get(1).and_then(Argument::as_expression) {
                    Some(inner) => scope.document(inner, "the options")?,
                    None => bson::Document::new(),
                };
                let collection = checked(scope, &collection, at)?;
                let operation = Operation::CreateCollection(CreateCollection { options });
                return Ok(Command { database, collection, operation });
            }
            other => {
                let known = DATABASE_METHODS.iter().chain(call::METHODS).copied();
                let near = nearest(other, known).first().copied();
                let near = near.filter(|near| call::METHODS.contains(near));
                return Err(scope.source.no_method(
                    format!("db.{other}() is not a command that is understood here"),
                    other,
                    near.map(|near| format!("did you mean db.COLLECTION.{near}()?")),
                    "write a call on a collection, such as db.orders.find({…})",
                    at,
                ));
            }
        }
    }
    Err(scope
        .source
        .error(ErrorKind::Syntax, "nothing is done with the collection", span)
        .hint("call a method on it, such as .find({…}) or .aggregate([…])"))
}

fn at_place(scope: &Scope<'_>, error: marula_core::Error, span: Span) -> marula_core::Error {
    let mut placed = scope.source.error(error.kind(), error.message(), span);
    // What is no command for a query may be one for a migration, as it stands.
    if scope.source.purpose == Purpose::Migration && error.kind() == ErrorKind::Refused {
        return placed.hint(instead::COMMAND);
    }
    for hint in error.hints() {
        placed = placed.hint(hint.clone());
    }
    placed
}

/// `printjson(db.orders.find())` and its kin only show the result.
fn unwrap_printing<'e>(expression: &'e Expression<'e>) -> &'e Expression<'e> {
    let mut at = expression;
    loop {
        at = match at {
            Expression::ParenthesizedExpression(inner) => &inner.expression,
            Expression::AwaitExpression(inner) => &inner.argument,
            Expression::CallExpression(call) => match (&call.callee, call.arguments.as_slice()) {
                (Expression::Identifier(name), [argument])
                    if matches!(name.name.as_str(), "print" | "printjson" | "tojson") =>
                {
                    match argument.as_expression() {
                        Some(inner) => inner,
                        None => return at,
                    }
                }
                _ => return at,
            },
            _ => return at,
        };
    }
}

/// The steps after `db`, in order.
fn links<'e>(scope: &Scope<'_>, expression: &'e Expression<'e>) -> Result<Vec<Link<'e>>> {
    let mut found = Vec::new();
    let mut at = expression;
    loop {
        at = match at {
            Expression::CallExpression(call) => {
                found.push(Link::Call(&call.arguments, call.span));
                &call.callee
            }
            Expression::StaticMemberExpression(member) => {
                let name = &member.property;
                found.push(Link::Name(name.name.to_string(), name.span));
                &member.object
            }
            Expression::ComputedMemberExpression(member) => {
                match scope.value(&member.expression)? {
                    Value::Bson(bson::Bson::String(name)) => {
                        found.push(Link::Name(name, member.expression.span()));
                    }
                    _ => {
                        return Err(scope
                            .source
                            .not_constant("taking an element of a result", member.span));
                    }
                }
                &member.object
            }
            Expression::ParenthesizedExpression(inner) => &inner.expression,
            Expression::Identifier(_) => break,
            other => return Err(scope.source.not_constant("optional chaining", other.span())),
        };
    }
    found.reverse();
    Ok(found)
}

/// The name itself, unless no collection can have it.
fn checked(scope: &Scope<'_>, name: &str, at: Span) -> Result<String> {
    if name.is_empty() || name.contains(['\0', '$']) {
        return Err(scope
            .source
            .usage("a collection's name is not empty and holds neither $ nor null", at));
    }
    Ok(name.to_string())
}

pub(super) fn one_string(
    scope: &Scope<'_>,
    arguments: &[Argument<'_>],
    span: Span,
) -> Result<String> {
    match arguments.first().and_then(Argument::as_expression).map(|inner| scope.value(inner)) {
        Some(Ok(Value::Bson(bson::Bson::String(text)))) if !text.contains('\0') => Ok(text),
        Some(Err(error)) => Err(error),
        _ => Err(scope.source.usage("a name in quotes is wanted here", span)),
    }
}

fn not_a_command(scope: &Scope<'_>, expression: &Expression<'_>) -> marula_core::Error {
    let span = expression.span();
    let error = scope.source.error(
        ErrorKind::Refused,
        format!("'{}' is not a call on db", scope.source.excerpt(span)),
        span,
    );
    match expression {
        Expression::ArrayExpression(_) => {
            error.hint("name the collection: db.COLLECTION.aggregate([…])")
        }
        _ if scope.source.purpose == Purpose::Migration => error
            .hint("write a call on a collection, such as db.users.updateMany({…}, {$set: {…}})"),
        _ => error.hint("write a call on a collection, such as db.orders.find({…})"),
    }
}
