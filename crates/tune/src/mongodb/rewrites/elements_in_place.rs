//! Elements that `$unwind` takes apart and a `$group` by `_id` puts together again are summed where
//! they stand.

use bson::{Bson, Document};
use marula_core::InferredSchema;

use super::{Answer, Facts, Rewrite};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::pipeline::{stage, unwind_path};
use crate::mongodb::predicate::field_path;
use crate::mongodb::shape::number;

/// Its name among the rewrites.
pub const ID: &str = "elements-in-place";

/// Writes `$unwind` and `$group` by `_id` as a `$project` over the array.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let matches = pipeline.iter().take_while(|stage| stage.contains_key("$match")).count();
    let Some(("$unwind", unwind)) = pipeline.get(matches).and_then(stage) else { return Err(None) };
    let Some(("$group", Bson::Document(group))) = pipeline.get(matches + 1).and_then(stage) else {
        return Err(None);
    };
    let Some(path) = unwind_path(unwind) else { return Err(None) };
    if group.get("_id").and_then(field_path) != Some("_id") {
        return Err(None);
    }
    let options = unwind.as_document().is_some_and(|given| given.len() > 1);
    if options {
        return Err(Some("$unwind keeps empty arrays or numbers the elements".into()));
    }
    let sampled = only_arrays(path, facts.schema).map_err(Some)?;
    let mut fields = Document::new();
    for (field, value) in group.iter().filter(|(field, _)| *field != "_id") {
        let made = in_place(value, path, facts.schema)
            .ok_or_else(|| Some(format!("'{field}' cannot be computed in place")))?;
        fields.insert(field.clone(), made);
    }
    if fields.is_empty() {
        return Err(None);
    }
    // $unwind drops documents whose array is empty or missing.
    let first = bson::doc! {"$match": {format!("{path}.0"): {"$exists": true}}};
    let mut stages = pipeline[..matches].to_vec();
    stages.push(first);
    stages.push(bson::doc! {"$project": fields});
    stages.extend_from_slice(&pipeline[matches + 2..]);
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("sum the elements of {path} where they stand, without $unwind and $group"),
        pipeline: stages,
        conditions: vec![
            format!("'{path}' is an array, or missing, in all of the {sampled} documents sampled"),
            "_id tells every document from all others".into(),
            "documents whose array is empty or missing are left out, as $unwind does".into(),
        ],
    })
}

/// An accumulator over the elements of `path` as an expression over the array.
fn in_place(value: &Bson, path: &str, schema: Option<&InferredSchema>) -> Option<Bson> {
    let (operator, operand) = value.as_document().filter(|d| d.len() == 1)?.iter().next()?;
    if matches!(operator.as_str(), "$sum") && number(Some(operand)) == Some(1)
        || operator == "$count" && operand.as_document().is_some_and(Document::is_empty)
    {
        return Some(bson::doc! {"$size": format!("${path}")}.into());
    }
    let field = field_path(operand)?;
    let inside = field == path || field.starts_with(&format!("{path}."));
    match operator.as_str() {
        "$sum" | "$avg" | "$min" | "$max" if inside => {
            // Arrays inside the elements are looked into here, and not by an accumulator.
            if nested(field, path, schema) {
                return None;
            }
            Some(bson::doc! {operator.clone(): operand.clone()}.into())
        }
        "$first" | "$last" if !inside && !path.starts_with(&format!("{field}.")) => {
            // A group makes null of what is missing.
            Some(bson::doc! {"$ifNull": [operand.clone(), Bson::Null]}.into())
        }
        _ => None,
    }
}

/// Whether arrays stand inside the elements on the way to `field`.
fn nested(field: &str, path: &str, schema: Option<&InferredSchema>) -> bool {
    let innermost = array_in(field, schema);
    let inside = format!("{path}[]");
    innermost.as_deref() != Some(path)
        || schema.is_some_and(|schema| {
            schema.fields.get(&inside).is_some_and(|profile| profile.types.contains_key("array"))
        })
}

/// In how many documents `path` was seen to be an array or missing; else why that matters.
fn only_arrays(path: &str, schema: Option<&InferredSchema>) -> Result<u64, String> {
    let Some(schema) = schema else { return Err("the documents could not be sampled".into()) };
    let Some(field) = profile(path, Some(schema)) else {
        return Err(format!("no document of the {} sampled has '{path}'", schema.sampled));
    };
    let parent = path.rsplit_once('.').and_then(|(parent, _)| array_in(parent, Some(schema)));
    if parent.is_some() {
        return Err(format!("'{path}' stands inside another array"));
    }
    match field.types.keys().find(|kind| !matches!(kind.as_str(), "array" | "null")) {
        Some(kind) => Err(format!("'{path}' holds {kind} in some documents, not arrays alone")),
        None => Ok(schema.sampled),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use bson::doc;
    use marula_core::{FieldProfile, Version};

    use super::*;

    fn answer(kinds: [&str; 2], group: Document) -> Answer {
        let field = |kind: &str| FieldProfile {
            types: BTreeMap::from([(kind.to_string(), 9)]),
            ..FieldProfile::default()
        };
        let fields = BTreeMap::from([
            ("items".to_string(), field(kinds[0])),
            ("items[].n".to_string(), field(kinds[1])),
            ("city".to_string(), field("string")),
        ]);
        let schema = InferredSchema { sampled: 9, complete: true, fields, ..Default::default() };
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        rewrite(&[doc! {"$unwind": "$items"}, doc! {"$group": group}], facts)
    }

    #[test]
    fn sums_and_counts_are_made_in_place() {
        let group = doc! {"_id": "$_id", "total": {"$sum": "$items.n"}, "n": {"$sum": 1}, "city": {"$first": "$city"}};
        let stages = answer(["array", "int"], group).unwrap().pipeline;
        assert_eq!(stages[0], doc! {"$match": {"items.0": {"$exists": true}}});
        let expected = doc! {"$project": {
            "total": {"$sum": "$items.n"},
            "n": {"$size": "$items"},
            "city": {"$ifNull": ["$city", null]},
        }};
        assert_eq!(stages[1], expected);
    }

    #[test]
    fn what_differs_in_place_is_declined() {
        let sum = || doc! {"_id": "$_id", "total": {"$sum": "$items.n"}};
        assert!(answer(["object", "int"], sum()).is_err(), "one element that is no array");
        assert!(answer(["array", "array"], sum()).is_err());
        let push = doc! {"_id": "$_id", "all": {"$push": "$items.n"}};
        assert!(answer(["array", "int"], push).is_err());
        let other = doc! {"_id": "$city", "total": {"$sum": "$items.n"}};
        assert!(answer(["array", "int"], other).is_err());
    }
}
