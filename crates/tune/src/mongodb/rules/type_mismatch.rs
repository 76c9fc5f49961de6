use bson::Bson;
use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::predicate::{Kind, Predicate};
use crate::{Draft, Rule};

/// So many documents have to hold the field before anything is said of its type.
const LEAST: u64 = 50;

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "type-mismatch",
        engine: Engine::Mongodb,
        title: "a value is compared with fields of another type",
        severity: Severity::High,
        since: None,
        page: "A string never equals a number, and an interval of strings holds no number: MongoDB \
               compares values of one type only. `{total: \"12\"}` finds nothing where totals are \
               numbers; `{at: {$gte: \"2024-01-01\"}}` finds nothing where `at` is a date; and no \
               error is given, and an index does not help.\n\nGive the value in the type of the \
               field: a number, `ISODate(…)`, `ObjectId(…)`. Where documents hold both types, make \
               them one, and let a validator keep them so.",
        source: "the order of BSON types; explain output of 4.4 to 6.0",
        examples: &[
            Example {
                name: "a number in quotes",
                setup: numbered!("orders", 1000, "total: {$mod: ['$i', 50]}"),
                statement: "db.orders.find({total: '12'})",
                fires: true,
            },
            Example {
                name: "a date in quotes",
                setup: numbered!(
                    "orders",
                    1000,
                    "at: {$add: [ISODate('2024-01-01'), {$multiply: ['$i', 3600000]}]}"
                ),
                statement: "db.orders.countDocuments({at: {$gte: '2024-01-20'}})",
                fires: true,
            },
            Example {
                name: "a number",
                setup: numbered!("orders", 1000, "total: {$mod: ['$i', 50]}"),
                statement: "db.orders.find({total: 12.0})",
                fires: false,
            },
            Example {
                name: "some documents hold it so",
                setup: numbered!(
                    "orders",
                    1000,
                    "total: {$cond: [{$lt: ['$i', 500]}, {$toString: '$i'}, '$i']}"
                ),
                statement: "db.orders.find({total: '12'})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    // What finds something has nothing of the wrong type in the way.
    let nothing = context.plan.summary.returned.is_none_or(|returned| returned == 0);
    let leaf = context.nodes().into_iter().find(|(_, node)| node.children.is_empty());
    let Some((path, node)) = leaf else {
        return Vec::new();
    };
    let counts = context
        .command
        .as_ref()
        .is_some_and(|command| command.contains_key("aggregate") || command.contains_key("count"));
    if context.plan.executed && !nothing && !counts {
        return Vec::new();
    }
    let mut found = Vec::new();
    for access in context.accesses(|_| true) {
        let known = context.collection(&access.collection);
        let Some(schema) = known.and_then(|known| known.schema.as_ref()) else { continue };
        for predicate in &access.filter.all {
            let asked = asked(predicate);
            let Some(&wanted) = asked.first().filter(|first| asked.iter().all(|b| b == *first))
            else {
                continue;
            };
            let Some(field) = profile(&predicate.path, Some(schema)) else { continue };
            if array_in(&predicate.path, Some(schema)).is_some() || field.present < LEAST {
                continue;
            }
            let held: Vec<&String> = field.types.keys().filter(|kind| *kind != "null").collect();
            if held.is_empty() || held.iter().any(|kind| bracket(kind) == wanted) {
                continue;
            }
            let held: Vec<&str> = held.into_iter().map(String::as_str).collect();
            found.push(draft(
                (&path, node),
                1.0,
                format!(
                    "{} of {} is compared with a {wanted}, and none of {} documents holds one",
                    predicate.path,
                    access.collection,
                    count(schema.sampled as f64)
                ),
                vec![
                    Evidence::text("asked for", wanted),
                    Evidence::text("held", held.join(", ")),
                    Evidence::number("documents looked at", schema.sampled as f64, None),
                ],
                "Values of another type never match, whatever index there is. Give the value in \
                 the type of the field.",
                Vec::new(),
            ));
        }
    }
    found
}

/// The kinds of the values a predicate compares with; empty where it compares with none, or with
/// what matches more than one kind.
fn asked(predicate: &Predicate) -> Vec<&'static str> {
    // An aggregation's expression orders values of all types.
    if predicate.expression || predicate.element {
        return Vec::new();
    }
    if !matches!(predicate.kind, Kind::Equality | Kind::In(_) | Kind::Range) {
        return Vec::new();
    }
    let Some(value) = predicate.filter.get(&predicate.path) else { return Vec::new() };
    let values: Vec<&Bson> = match value {
        Bson::Document(operators) if operators.keys().any(|key| key.starts_with('$')) => {
            let mut values = Vec::new();
            for (operator, value) in operators {
                match (operator.as_str(), value) {
                    ("$in", Bson::Array(list)) => values.extend(list),
                    ("$eq" | "$gt" | "$gte" | "$lt" | "$lte", value) => values.push(value),
                    _ => return Vec::new(),
                }
            }
            values
        }
        value => vec![value],
    };
    let kinds: Option<Vec<&'static str>> = values.into_iter().map(kind).collect();
    kinds.unwrap_or_default()
}

/// What a value is compared as; `None` for what is compared in other ways.
fn kind(value: &Bson) -> Option<&'static str> {
    Some(match value {
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => "number",
        Bson::String(_) => "string",
        Bson::DateTime(_) => "date",
        Bson::ObjectId(_) => "objectId",
        Bson::Boolean(_) => "boolean",
        _ => return None,
    })
}

/// What values of a type, as the schema names it, are compared as.
fn bracket(kind: &str) -> &str {
    match kind {
        "int" | "long" | "double" | "decimal" => "number",
        "string" | "symbol" => "string",
        "bool" => "boolean",
        other => other,
    }
}
