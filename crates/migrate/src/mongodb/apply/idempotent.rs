//! Whether a change may be run twice: asked where there are no transactions.

use bson::{Bson, Document};

use super::send::{name, number};

/// Why an update may not run twice on the same document; `None` when it may.
pub(super) fn update(filter: &Document, update: &Bson) -> Option<String> {
    match update {
        Bson::Document(operators) if operators.keys().all(|key| !key.starts_with('$')) => None,
        Bson::Document(operators) => {
            if leaves_out(filter, operators) {
                return None;
            }
            operators.iter().find_map(|(operator, fields)| match operator.as_str() {
                "$set" | "$unset" | "$setOnInsert" | "$min" | "$max" | "$addToSet" | "$pull"
                | "$pullAll" | "$rename" | "$currentDate" => None,
                _ => {
                    let fields = fields.as_document().map(|fields| fields.keys().cloned());
                    let fields: Vec<String> = fields.into_iter().flatten().collect();
                    Some(format!("{operator} changes {} each time", fields.join(", ")))
                }
            })
        }
        Bson::Array(stages) => {
            let stages: Vec<&Document> = stages.iter().filter_map(Bson::as_document).collect();
            let sets = sets(&stages);
            if excluded(filter, &sets) {
                return None;
            }
            pipeline(&stages)
        }
        _ => Some("it is neither operators nor stages".into()),
    }
}

/// What the stages set: field, expression.
fn sets(stages: &[&Document]) -> Vec<(String, Bson)> {
    let mut sets = Vec::new();
    for stage in stages {
        for key in ["$set", "$addFields"] {
            if let Ok(fields) = stage.get_document(key) {
                sets.extend(fields.iter().map(|(field, value)| (field.clone(), value.clone())));
            }
        }
    }
    sets
}

/// Stages give the same when no expression reads what a stage sets.
fn pipeline(stages: &[&Document]) -> Option<String> {
    let mut written: Vec<String> = Vec::new();
    for stage in stages {
        for (operator, value) in *stage {
            match (operator.as_str(), value) {
                ("$set" | "$addFields", Bson::Document(fields)) => {
                    written.extend(fields.keys().cloned());
                }
                ("$unset", Bson::String(field)) => written.push(field.clone()),
                ("$unset", Bson::Array(fields)) => {
                    written.extend(fields.iter().filter_map(|f| f.as_str().map(String::from)));
                }
                _ => {
                    return Some(format!(
                        "it cannot be seen what {operator} makes of what it made"
                    ));
                }
            }
        }
    }
    let overlap = |a: &str, b: &str| {
        let (a, b) = (format!("{a}."), format!("{b}."));
        a.starts_with(&b) || b.starts_with(&a)
    };
    for (field, value) in sets(stages) {
        let mut read = Vec::new();
        reads(&value, &mut read);
        if let Some(same) = read.iter().find(|read| written.iter().any(|w| overlap(w, read))) {
            return Some(match same.is_empty() {
                true => format!("{field} is made from the whole document"),
                false => format!("{field} is made from {same}, which it changes"),
            });
        }
    }
    None
}

/// The fields an expression reads; an empty one is the whole document.
fn reads(value: &Bson, out: &mut Vec<String>) {
    match value {
        Bson::String(text) if text.starts_with("$$ROOT") || text.starts_with("$$CURRENT") => {
            out.push(text.split_once('.').map_or(String::new(), |(_, path)| path.to_string()));
        }
        Bson::String(text) if text.starts_with('$') && !text.starts_with("$$") => {
            out.push(text[1..].to_string());
        }
        Bson::Array(all) => all.iter().for_each(|one| reads(one, out)),
        Bson::Document(inner) if inner.contains_key("$literal") => {}
        Bson::Document(inner) => inner.iter().for_each(|(_, one)| reads(one, out)),
        _ => {}
    }
}

/// Whether a document that was changed no longer matches.
fn leaves_out(filter: &Document, operators: &Document) -> bool {
    let Ok(set) = operators.get_document("$set") else { return false };
    let sets: Vec<(String, Bson)> =
        set.iter().map(|(field, value)| (field.clone(), value.clone())).collect();
    excluded(filter, &sets)
}

fn excluded(filter: &Document, sets: &[(String, Bson)]) -> bool {
    let value_of = |field: &str| sets.iter().find(|(name, _)| name == field).map(|(_, v)| v);
    filter.iter().any(|(field, condition)| {
        if field == "$and" {
            let all = condition.as_array().map(Vec::as_slice).unwrap_or_default();
            return all.iter().filter_map(Bson::as_document).any(|one| excluded(one, sets));
        }
        let Some(value) = value_of(field) else { return false };
        let constant = !matches!(value, Bson::String(text) if text.starts_with('$'))
            && !matches!(value, Bson::Document(_) | Bson::Array(_));
        match condition {
            Bson::Document(operators) => {
                // What is set is there, unless the expression gives nothing.
                constant
                    && (operators.get_bool("$exists").is_ok_and(|exists| !exists)
                        || operators.get("$ne") == Some(value))
            }
            Bson::Null => constant && *value != Bson::Null,
            other => constant && other != value && scalar(other),
        }
    })
}

fn scalar(value: &Bson) -> bool {
    matches!(value, Bson::String(_) | Bson::Boolean(_) | Bson::Int32(_) | Bson::Int64(_))
}

/// Why a command may not run twice; `None` when it may.
pub(super) fn command(command: &Document) -> Option<String> {
    let by_id = |filter: Option<&Document>| {
        filter.is_some_and(|filter| {
            filter.get("_id").is_some_and(
                |id| !matches!(id, Bson::Document(d) if d.keys().any(|k| k.starts_with('$'))),
            )
        })
    };
    let some = "it changes one of several documents, and the second time perhaps another";
    match name(command) {
        // What has no _id gets one that is always the same, and what is there is passed over.
        "insert" => None,
        "update" => command.get_array("updates").ok()?.iter().find_map(|one| {
            let one = one.as_document()?;
            let filter = one.get_document("q").ok();
            if !one.get_bool("multi").unwrap_or(false) && !by_id(filter) {
                return Some(format!("{some}: name its _id"));
            }
            update(&filter.cloned().unwrap_or_default(), one.get("u")?)
        }),
        "delete" => command.get_array("deletes").ok()?.iter().find_map(|one| {
            let one = one.as_document()?;
            let all = number(one, "limit") == 0;
            (!all && !by_id(one.get_document("q").ok())).then(|| format!("{some}: name its _id"))
        }),
        "findAndModify" => {
            let filter = command.get_document("query").ok();
            if !by_id(filter) {
                return Some(format!("{some}: name its _id"));
            }
            update(&filter.cloned().unwrap_or_default(), command.get("update")?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::{bson, doc};

    use super::*;

    #[test]
    fn what_may_run_twice_is_told_from_what_may_not() {
        for (filter, change, fine) in [
            (doc! {}, bson!({ "$set": { "a": 1 } }), true),
            (doc! {}, bson!({ "$inc": { "a": 1 } }), false),
            (
                doc! { "a": { "$exists": false } },
                bson!({ "$set": { "a": 1 }, "$inc": { "n": 1 } }),
                true,
            ),
            (doc! { "v": 1 }, bson!({ "$set": { "v": 2 }, "$push": { "log": "x" } }), true),
            (doc! { "v": 1 }, bson!({ "$set": { "v": 1 }, "$push": { "log": "x" } }), false),
            (doc! {}, bson!([{ "$set": { "total": { "$multiply": ["$price", "$n"] } } }]), true),
            (doc! {}, bson!([{ "$set": { "price": { "$multiply": ["$price", 2] } } }]), false),
            (doc! {}, bson!([{ "$set": { "a": "$b.c" } }, { "$unset": "b" }]), false),
            (doc! { "v": 1 }, bson!([{ "$set": { "a": { "$add": ["$a", 1] }, "v": 2 } }]), true),
        ] {
            let why = update(&filter, &change);
            assert_eq!(why.is_none(), fine, "{filter} {change}: {why:?}");
        }
        assert!(command(&doc! { "update": "c", "updates": [{ "q": { "a": 1 }, "u": { "$set": { "b": 1 } } }] }).is_some());
        assert!(command(&doc! { "update": "c", "updates": [{ "q": { "_id": 1 }, "u": { "$set": { "b": 1 } } }] }).is_none());
    }
}
