//! The least or greatest value of all documents is the first in its order: an index gives it with
//! one key.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite, one_kind};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::pipeline::{is_constant, stage};
use crate::mongodb::predicate::field_path;

/// Its name among the rewrites.
pub const ID: &str = "least-first";

/// Puts a `$sort` and `$limit: 1` before a `$group` that takes one least or greatest value of all.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let matches = pipeline.iter().take_while(|stage| stage.contains_key("$match")).count();
    let Some(("$group", Bson::Document(group))) = pipeline.get(matches).and_then(stage) else {
        return Err(None);
    };
    if !group.get("_id").is_some_and(is_constant) || group.len() != 2 {
        return Err(None);
    }
    let taken = group.iter().find(|(field, _)| *field != "_id");
    let operator = taken.and_then(|(_, value)| value.as_document()?.iter().next());
    let (least, path) = match operator.map(|(operator, value)| (operator.as_str(), value)) {
        Some(("$min", value)) => (true, field_path(value)),
        Some(("$max", value)) => (false, field_path(value)),
        _ => return Err(None),
    };
    let Some(path) = path else { return Err(None) };
    let Some(schema) = facts.schema else {
        return Err(Some("the documents could not be sampled".into()));
    };
    let Some(field) = profile(path, Some(schema)) else {
        return Err(Some(format!("no document of the {} sampled has '{path}'", schema.sampled)));
    };
    if array_in(path, Some(schema)).is_some() {
        return Err(Some(format!("'{path}' holds arrays, which sort by one of their elements")));
    }
    let empty = |name: &String| matches!(name.as_str(), "null" | "undefined");
    if least && (field.missing() > 0 || field.types.keys().any(empty)) {
        return Err(Some(format!(
            "'{path}' is null or missing in some documents, which $min passes over and a sort does not"
        )));
    }
    one_kind(operator.map(|(_, value)| value), facts.schema).map_err(Some)?;
    let mut stages = pipeline.to_vec();
    stages.insert(matches, bson::doc! {"$limit": 1});
    stages.insert(matches, bson::doc! {"$sort": {path: if least { 1 } else { -1 }}});
    let which = if least { "least" } else { "greatest" };
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("take the {which} {path} as the first in its order"),
        pipeline: stages,
        conditions: vec![format!(
            "{path} holds {} in the {} documents sampled",
            if least { "no null, no array, and is never missing" } else { "no array" },
            schema.sampled
        )],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::doc;
    use marula_core::{FieldProfile, InferredSchema, Version};

    use super::*;

    fn answer(operator: &str, types: &[&str], present: u64) -> Answer {
        let types = types.iter().map(|kind| (kind.to_string(), 1)).collect();
        let field = FieldProfile { parents: 9, present, types, ..FieldProfile::default() };
        let fields = BTreeMap::from([("a".to_string(), field)]);
        let schema = InferredSchema { sampled: 9, complete: true, fields, ..Default::default() };
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        let group = doc! {"$group": {"_id": null, "x": {operator: "$a"}}};
        rewrite(&[doc! {"$match": {"b": 1}}, group], facts)
    }

    #[test]
    fn it_is_the_first_in_order_where_none_is_null_or_an_array() {
        let stages = answer("$min", &["int", "string"], 9).map(|rewrite| rewrite.pipeline);
        let sorted = stages.unwrap_or_default();
        assert_eq!(sorted.get(1..3), Some(&[doc! {"$sort": {"a": 1}}, doc! {"$limit": 1}][..]));
        assert!(answer("$min", &["int", "null"], 9).is_err());
        assert!(answer("$min", &["int"], 8).is_err(), "missing in one");
        assert!(answer("$max", &["int", "null"], 8).is_ok(), "null sorts before all values");
        assert!(answer("$max", &["array"], 9).is_err());
        assert!(answer("$sum", &["int"], 9).is_err());
    }
}
