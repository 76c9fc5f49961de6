//! Another type for a field's values.

use marula_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::field::{and, check, path};
use super::{batches, checked, fails, written};

/// The types values are converted to, as both `$type` and `$convert` call them, each with those it
/// is made from. What is not named here has no value of the other type that means the same: every
/// text, date, list and id is `true` for `$convert`, and an id becomes the date it was made on.
const TYPES: [(&str, &[&str]); 8] = [
    ("bool", &["int", "long", "double", "decimal"]),
    ("date", &["long", "double", "decimal"]),
    ("decimal", &["int", "long", "double", "string"]),
    ("double", &["int", "long", "decimal", "string"]),
    ("int", &["long", "double", "decimal", "string"]),
    ("long", &["int", "double", "decimal", "string", "date"]),
    ("objectId", &["string"]),
    ("string", &["int", "long", "double", "decimal", "objectId"]),
];

/// A field's values as another type, in place and in batches. Converted is what comes back to the
/// same value; the rest stays as it is, and makes the second migration fail.
///
/// # Errors
/// `Usage` for a type there is no conversion to, and for a field that cannot be changed.
pub fn change_type(collection: &str, field: &str, to: &str) -> Result<Vec<(&'static str, String)>> {
    check(field)?;
    let Some((_, from)) = TYPES.iter().find(|(name, _)| *name == to) else {
        let names = TYPES.map(|(name, _)| name);
        let error = Error::new(ErrorKind::Usage, format!("values are not converted to '{to}'"));
        return Err(match marula_core::nearest(to, names).first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint(format!("name one of these types: {}", names.join(", "))),
        });
    };
    let own = path(field);
    let there = json!({ field: { "$exists": true } });
    let update = json!([{ "$set": { field: {
        "$convert": { "input": own, "to": to, "onError": own, "onNull": null }
    } } }]);
    let converted = batches(collection, and(there.clone(), vec![returns(&own, to, from)]), update);
    // Of a list $type tells "array": as a query it would look at the elements.
    let kind = json!({ "$type": own });
    let other = json!({ "$not": [{ "$in": [kind, [to, "null", "undefined"]] }] });
    let left = json!([
        { "$match": and(there, vec![other]) },
        { "$group": { "_id": kind, "n": { "$sum": 1 } } },
        { "$sort": { "n": -1, "_id": 1 } },
        { "$group": {
            "_id": null,
            "found": { "$sum": "$n" },
            "kinds": { "$push": { "$concat": [{ "$toString": "$n" }, " ", "$_id"] } },
        } },
    ]);
    let listed = json!({ "$reduce": {
        "input": "$kinds",
        "initialValue": "",
        "in": { "$concat": [
            "$$value",
            { "$cond": [{ "$eq": ["$$value", ""] }, "", ", "] },
            "$$this",
        ] },
    } });
    let said = json!([
        { "$toString": "$found" },
        " documents: ",
        listed,
        format!(" could not become {to} without loss; find them by $type, and convert them by a backfill"),
    ]);
    Ok(vec![
        ("convert", written(&json!({ "up": [converted] }))),
        ("verify", checked(vec![fails(collection, left, said)])),
    ])
}

/// What the reader should know of [`change_type`].
pub const RETYPED: &str = "only values that come back the same from the new type are converted; \
                           the verify tells how many of which type stayed";

/// The expression that holds where a value becomes the same again when it is converted and back.
fn returns(own: &str, to: &str, from: &[&str]) -> Value {
    let convert = |input: Value, to: Value| json!({ "$convert": { "input": input, "to": to, "onError": null, "onNull": null } });
    let kind = json!({ "$type": own });
    let made = convert(json!(own), json!(to));
    let same = json!({ "$eq": [convert(made.clone(), kind.clone()), own] });
    let mut branches = vec![json!({ "case": { "$in": [kind, from] }, "then": same })];
    match to {
        // Written as text a moment is always this long; what is read as one may be shorter.
        "date" => {
            let full = convert(made, json!("string"));
            let day = json!({ "$concat": [own, "T00:00:00.000Z"] });
            let whole =
                json!({ "$replaceOne": { "input": own, "find": "Z", "replacement": ".000Z" } });
            branches.push(json!({
                "case": { "$eq": [kind, "string"] },
                "then": { "$in": [full, [own, day, whole]] },
            }));
        }
        "string" => {
            // No text is `false` when it is read as bool; a truth is told by its text all the same.
            branches.push(json!({ "case": { "$eq": [kind, "bool"] }, "then": true }));
            // The years that are written with four digits; others the server refuses to write.
            let moment = |ms: &str| json!({ "$date": { "$numberLong": ms } });
            branches.push(json!({
                "case": { "$and": [
                    { "$eq": [kind, "date"] },
                    { "$gte": [own, moment("-62167219200000")] },
                    { "$lte": [own, moment("253402300799999")] },
                ] },
                "then": same,
            }));
        }
        _ => {}
    }
    json!({ "$switch": { "branches": branches, "default": false } })
}
