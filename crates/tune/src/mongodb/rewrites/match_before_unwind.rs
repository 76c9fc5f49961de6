//! A `$match` on elements behind `$unwind` is copied before it, so that documents without such
//! an element are never unwound. The original stays.

use bson::{Bson, Document};
use marula_core::InferredSchema;

use super::{Answer, Facts, MAX_CONDITIONS, Rewrite, conjunction, conjuncts};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::pipeline::{Paths, effect, filter_paths, stage, unwind_path};

/// Its name among the rewrites.
pub const ID: &str = "match-before-unwind";

/// Copies what is safe of the first `$match` behind an `$unwind`.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let mut reason = None;
    for (at, document) in pipeline.iter().enumerate() {
        let Some(("$unwind", value)) = stage(document) else { continue };
        let Some(path) = unwind_path(value) else { continue };
        match copy(pipeline, at, path, facts) {
            Ok(rewrite) => return Ok(rewrite),
            Err(why) => reason = reason.or(why),
        }
    }
    Err(reason)
}

fn copy(pipeline: &[Document], at: usize, path: &str, facts: Facts) -> Answer {
    let mut wanted: Vec<Document> = Vec::new();
    let mut declined: Option<String> = None;
    // What only exists behind the $unwind.
    let mut made = Paths::of(array_index(&pipeline[at]));
    // The arrays unwound on the way.
    let mut unwound: Vec<&str> = Vec::new();
    for document in &pipeline[at + 1..] {
        let Some((name, value)) = stage(document) else { break };
        let one_to_one = matches!(
            name,
            "$match" | "$unwind" | "$addFields" | "$set" | "$unset" | "$lookup" | "$sort"
        );
        if !one_to_one {
            break;
        }
        if let ("$match", Bson::Document(filter)) = (name, value) {
            for condition in conjuncts(filter) {
                let paths = filter_paths(&condition);
                // Conditions on other paths the server moves itself.
                if !paths.all && !paths.touches(path) {
                    continue;
                }
                if let Some(read) = paths.named.iter().find(|read| made.touches(read)) {
                    declined = declined.or(Some(format!("'{read}' is made behind the $unwind")));
                    continue;
                }
                let nested = unwound.iter().filter(|other| paths.touches(other));
                if let Some(Err(why)) =
                    nested.map(|other| inner_elements(other, facts.schema)).find(Result::is_err)
                {
                    declined = declined.or(Some(why));
                    continue;
                }
                match positive(&condition) {
                    Ok(()) => wanted.push(condition),
                    Err(why) => declined = declined.or(Some(why)),
                }
            }
        } else if name == "$unwind" {
            unwound.extend(unwind_path(value));
            made.extend(Paths::of(array_index(document)));
        } else {
            let writes = effect(document).writes;
            if writes.touches(path) {
                break;
            }
            made.extend(writes);
        }
    }
    for before in &pipeline[..at] {
        let Some((name, _)) = stage(before) else { continue };
        if name == "$unwind" || !effect(before).writes.touches(path) {
            continue;
        }
        // $lookup, $unwind and $match become one stage on every server.
        let coalesced = matches!(name, "$lookup" | "$graphLookup") || wanted.is_empty();
        return Err((!coalesced).then(|| {
            format!("'{path}' is made by {name}, so what it holds is not known beforehand")
        }));
    }
    let earlier: Vec<Document> = pipeline[..at]
        .iter()
        .filter_map(|document| match stage(document) {
            Some(("$match", Bson::Document(filter))) => Some(conjuncts(filter)),
            _ => None,
        })
        .flatten()
        .collect();
    wanted.truncate(MAX_CONDITIONS);
    wanted.retain(|condition| !earlier.contains(condition));
    if wanted.is_empty() {
        return Err(declined);
    }
    let sampled = match elements(path, facts.schema) {
        Ok(sampled) => sampled,
        Err(why) => return Err(Some(why)),
    };
    let mut conditions = vec![
        "the copied conditions are positive: a document without a matching element cannot pass \
         the original $match, which stays"
            .to_string(),
        format!("'{path}' holds no array inside the array in the {sampled} documents sampled"),
    ];
    if let Some(declined) = declined {
        conditions.push(format!("not copied: {declined}"));
    }
    let mut rewritten = pipeline.to_vec();
    let shown: Vec<String> =
        wanted.iter().flat_map(Document::keys).map(|key| key.to_string()).collect();
    rewritten.insert(at, bson::doc! {"$match": conjunction(wanted)});
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("copy the $match on {} before the $unwind of {path}", shown.join(", ")),
        pipeline: rewritten,
        conditions,
    })
}

/// The field an `$unwind` puts the element's number into.
fn array_index(document: &Document) -> Option<&str> {
    let (_, value) = stage(document)?;
    value.as_document()?.get_str("includeArrayIndex").ok()
}

/// Whether no array was seen inside the array at `path`, which may stand in another array; why
/// that matters, if one was.
fn inner_elements(path: &str, schema: Option<&InferredSchema>) -> Result<(), String> {
    let nested = schema.is_some_and(|schema| {
        schema.fields.iter().any(|(spelled, field)| {
            field.types.contains_key("array")
                && spelled.ends_with("[]")
                && spelled.replace("[]", "") == path
        })
    });
    match nested {
        true => Err(format!("'{path}' holds arrays inside the array, where the copy finds less")),
        false => Ok(()),
    }
}

/// In how many documents the array at `path` was seen to hold no arrays itself; if it was not,
/// why that matters.
fn elements(path: &str, schema: Option<&InferredSchema>) -> Result<u64, String> {
    let Some(schema) = schema else {
        return Err(format!(
            "the documents could not be sampled, so whether '{path}' holds arrays inside the \
             array is not known"
        ));
    };
    if profile(path, Some(schema)).is_none() {
        return Err(format!("no document of the {} sampled has '{path}'", schema.sampled));
    }
    let parent = path.rsplit_once('.').map(|(parent, _)| parent);
    if parent.is_some_and(|parent| array_in(parent, Some(schema)).is_some()) {
        return Err(format!("'{path}' stands inside another array"));
    }
    let inside = format!("{path}[]");
    let nested = schema.fields.iter().any(|(spelled, field)| {
        *spelled == inside && field.types.contains_key("array")
            || spelled.starts_with(&format!("{inside}[]"))
    });
    match nested {
        true => Err(format!("'{path}' holds arrays inside the array, where the copy finds less")),
        false => Ok(schema.sampled),
    }
}

/// Whether a condition on an element implies the same condition on the whole array; if not, why.
fn positive(condition: &Document) -> Result<(), String> {
    for (key, value) in condition {
        match (key.as_str(), value) {
            ("$and" | "$or", Bson::Array(parts)) => {
                for part in parts.iter().filter_map(Bson::as_document) {
                    positive(part)?;
                }
            }
            (operator, _) if operator.starts_with('$') => {
                return Err(format!("{operator} sees the array itself before the $unwind"));
            }
            (path, Bson::Document(operators))
                if operators.keys().next().is_some_and(|key| key.starts_with('$')) =>
            {
                for (operator, value) in operators {
                    positive_operator(path, operator, value)?;
                }
            }
            (path, value) => scalar(path, value)?,
        }
    }
    Ok(())
}

fn positive_operator(path: &str, operator: &str, value: &Bson) -> Result<(), String> {
    match operator {
        "$eq" | "$gt" | "$gte" | "$lt" | "$lte" => scalar(path, value),
        "$in" => match value.as_array() {
            Some(values) => values.iter().try_for_each(|value| scalar(path, value)),
            None => Err(format!("$in on '{path}' has no list")),
        },
        "$regex" | "$options" => Ok(()),
        _ => Err(format!("{operator} on '{path}' also holds for documents the copy would lose")),
    }
}

/// Null also matches what is missing; MinKey and MaxKey match every type; a whole array is
/// compared differently before and after the `$unwind`.
fn scalar(path: &str, value: &Bson) -> Result<(), String> {
    match value {
        Bson::Null | Bson::Undefined => {
            Err(format!("null on '{path}' also matches what is missing"))
        }
        Bson::MinKey | Bson::MaxKey => {
            Err(format!("MinKey and MaxKey on '{path}' match every type"))
        }
        Bson::Array(_) => Err(format!("'{path}' is compared with a whole array")),
        Bson::Document(_) => Err(format!("'{path}' is compared with a whole document")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
