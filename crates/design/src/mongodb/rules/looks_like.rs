//! Texts that were meant to be something else: one question, and a rule for each answer.

use super::support::*;

/// Findings about texts that all look alike.
fn texts_that_look(
    catalog: &DocumentCatalog,
    like: &[Looks],
    to: &str,
    title: &str,
    why: &str,
) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, _, profile)| {
            only_texts(profile) && looks(texts(profile)).is_some_and(|found| like.contains(&found))
        })
        .filter(|(_, path, _)| like != [Looks::Number] || !names::is_code(last(path)))
        .map(|(collection, path, profile)| {
            let example = texts(profile).first().map_or(String::new(), ToString::to_string);
            convert(Severity::Medium, collection, path, to, title, why).word("such as", example)
        })
        .collect()
}

/// Dates as texts
pub static DATE: Check = rule(
    "date-as-string",
    "Dates as texts",
    Severity::Medium,
    "Ranges compare letters, a TTL index removes nothing, date operators fail, and a text takes three \
     times the space of a date. Use ISODate.",
    "MongoDB manual, TTL indexes: only dates expire",
    &[
        bad(
            "texts",
            numbered!(
                "visits",
                "20",
                "at: {$dateToString: {date: {$toDate: {$multiply: [\"$i\", {$toLong: 86400000}]}}, format: \"%Y-%m-%d\"}}"
            ),
        ),
        good(
            "dates",
            numbered!("visits", "20", "at: {$toDate: {$multiply: [\"$i\", {$toLong: 86400000}]}}"),
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::Date, Looks::Timestamp],
            "date",
            "holds dates as texts",
            "Ranges compare letters, and date operators fail on them.",
        )
    },
);

/// Numbers as texts
pub static NUMBER: Check = rule(
    "number-as-string",
    "Numbers as texts",
    Severity::Medium,
    "\"10\" sorts before \"9\", `$sum` takes them for 0 without a word, and no range means what it says. \
     Use numbers.\n\nCodes of digits (with zeros in front, a plus, or called a code) are texts, and \
     left alone.",
    "$sum ignores what is no number",
    &[
        bad("texts", numbered!("readings", "20", "value: {$toString: {$multiply: [\"$i\", 1.5]}}")),
        good(
            "codes",
            numbered!("places", "20", "postal_code: {$toString: {$add: [\"$i\", 10000]}}"),
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::Number],
            "decimal",
            "holds numbers as texts",
            "\"10\" sorts before \"9\", and $sum takes it for 0.",
        )
    },
);

/// ObjectIds as texts
pub static OBJECT_ID: Check = rule(
    "object-id-as-string",
    "ObjectIds as texts",
    Severity::Medium,
    "A text of 24 digits never equals the ObjectId it spells: joins find nothing. It takes twice the \
     space, too.",
    "comparisons by type",
    &[
        bad(
            "texts",
            numbered!(
                "orders",
                "20",
                "customer: {$concat: [\"64b7f0c2a1b2c3d4e5f607\", {$toString: {$add: [\"$i\", 10]}}]}"
            ),
        ),
        good(
            "ObjectIds",
            numbered!(
                "orders",
                "20",
                "customer: {$toObjectId: {$concat: [\"64b7f0c2a1b2c3d4e5f607\", {$toString: {$add: [\"$i\", 10]}}]}}"
            ),
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::ObjectId],
            "objectId",
            "holds ObjectIds as texts",
            "They never equal the ObjectIds they spell.",
        )
    },
);

/// Yes and no as texts
pub static BOOLEAN: Check = rule(
    "boolean-as-string",
    "Yes and no as texts",
    Severity::Low,
    "\"Y\", \"y\" and \"yes\" are three values for one, and every text but the empty one is true to \
     `$cond`: \"N\" too. Use booleans.",
    "$cond: only false, null, 0 and undefined are false",
    &[
        bad(
            "Y and N",
            numbered!("users", "20", "active: {$cond: [{$mod: [\"$i\", 3]}, \"Y\", \"N\"]}"),
        ),
        good("booleans", numbered!("users", "20", "active: {$gt: [{$mod: [\"$i\", 3]}, 0]}")),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::Boolean],
            "bool",
            "says yes and no in words",
            "To $cond every one of them is true.",
        )
    },
);

/// JSON as texts
pub static JSON: Check = rule(
    "json-as-string",
    "JSON as texts",
    Severity::Medium,
    "A document inside of a text cannot be asked, indexed or changed in part. Store it as a document.",
    GUIDANCE,
    &[
        bad(
            "texts",
            numbered!("events", "20", "body: {$concat: ['{\"n\": ', {$toString: \"$i\"}, '}']}"),
        ),
        good("documents", numbered!("events", "20", "body: {n: \"$i\"}")),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::Json],
            "object",
            "holds JSON as texts",
            "Nothing inside of it can be asked for.",
        )
    },
);

/// Several values in one text
pub static LIST: Check = rule(
    "list-in-string",
    "Several values in one text",
    Severity::Medium,
    "\"red,blue\" is two values; a regular expression over it reads every key. An array is what it wants \
     to be: a multikey index finds each element.",
    GUIDANCE,
    &[
        bad(
            "tags",
            numbered!("posts", "20", "tags: {$concat: [\"red,blue,t\", {$toString: \"$i\"}]}"),
        ),
        good(
            "an array",
            numbered!(
                "posts",
                "20",
                "tags: [\"red\", \"blue\", {$concat: [\"t\", {$toString: \"$i\"}]}]"
            ),
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            &[Looks::List],
            "array",
            "holds several values in one text",
            "No index finds one of them.",
        )
    },
);
