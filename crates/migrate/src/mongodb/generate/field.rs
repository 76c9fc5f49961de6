//! Fields as a migration names them: what they can be called, and in which documents they can be
//! reached.

use marula_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

/// Refuses what no field can be called, and `_id`, which no document can change.
pub(super) fn check(field: &str) -> Result<()> {
    named(field)?;
    if field == "_id" || field.starts_with("_id.") {
        let what = format!("{field} cannot be changed: a document keeps its _id");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("name another field, or write the documents anew under another _id"));
    }
    Ok(())
}

/// Refuses what no field can be called.
pub(super) fn named(field: &str) -> Result<()> {
    let why = match () {
        () if field.split('.').any(str::is_empty) => "a part of it is empty",
        () if field.split('.').any(|part| part.starts_with('$')) => {
            "what begins with $ is an operator"
        }
        () if field.contains('\0') => "it has a zero byte in it",
        () => return Ok(()),
    };
    Err(Error::new(ErrorKind::Usage, format!("'{field}' is no field's name: {why}"))
        .hint("write it like status, or address.city for a field of a document in the document"))
}

/// How an expression reads a field.
pub(super) fn path(field: &str) -> String {
    format!("${field}")
}

/// The expressions that hold where all that stands on the way to the fields is a document, or is
/// not there. Elsewhere a pipeline that sets the field makes each element of a list anew, and puts
/// a document in place of any other value.
pub(super) fn reachable(fields: &[&str]) -> Vec<Value> {
    let mut asked: Vec<Value> = Vec::new();
    for field in fields {
        for (at, _) in field.match_indices('.') {
            let kind = json!({ "$type": path(&field[..at]) });
            let one = json!({ "$in": [kind, ["object", "missing"]] });
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
    }
    asked
}

/// The stages that find the documents of `filter` in which one of the fields cannot be reached;
/// `None` when there can be none.
pub(super) fn unreachable(filter: Value, fields: &[&str]) -> Option<Value> {
    let asked = reachable(fields);
    let not = json!({ "$not": [{ "$and": asked }] });
    (!asked.is_empty()).then(|| json!([{ "$match": and(filter, vec![not]) }]))
}

/// A filter that asks these expressions, too.
pub(super) fn and(mut filter: Value, mut asked: Vec<Value>) -> Value {
    match asked.len() {
        0 => {}
        1 => filter["$expr"] = asked.remove(0),
        _ => filter["$expr"] = json!({ "$and": asked }),
    }
    filter
}

/// The documents whose field is exactly what an expression gives: no list with such an element, and
/// no number of another type.
pub(super) fn exactly(field: &str, value: &Value) -> Value {
    let own = path(field);
    let same = json!({ "$eq": [own, value] });
    let kind = json!({ "$eq": [{ "$type": own }, { "$type": value }] });
    and(json!({ field: { "$exists": true } }), vec![same, kind])
}
