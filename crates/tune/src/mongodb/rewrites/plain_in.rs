//! `{$expr: {$in: ["$a", [1, 2]]}}` as `{a: {$in: [1, 2]}}`, which an index can look for.

use bson::{Bson, Document};
use marula_core::InferredSchema;

use super::{Answer, Facts, Rewrite, conjunction, conjuncts};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::pipeline::{is_constant, stage};
use crate::mongodb::predicate::field_path;

/// Its name among the rewrites.
pub const ID: &str = "plain-in";

/// Writes what is safe of the leading `$match` stages plainly.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let mut reason = None;
    for (at, document) in pipeline.iter().enumerate() {
        let Some(("$match", Bson::Document(filter))) = stage(document) else { break };
        let mut written = Vec::new();
        let mut kept = Vec::new();
        for condition in conjuncts(filter) {
            match plain(&condition, facts.schema) {
                Ok(Some((path, plain))) => {
                    written.push(path);
                    kept.push(plain);
                }
                Ok(None) => kept.push(condition),
                Err(why) => {
                    reason = reason.or(Some(why));
                    kept.push(condition);
                }
            }
        }
        if written.is_empty() {
            continue;
        }
        let mut stages = pipeline.to_vec();
        stages[at] = bson::doc! {"$match": conjunction(kept)};
        let sampled = facts.schema.map_or(0, |schema| schema.sampled);
        return Ok(Rewrite {
            ids: vec![ID],
            title: format!("look for {} with $in instead of $expr", written.join(", ")),
            pipeline: stages,
            conditions: vec![
                format!("{} holds no array in the {sampled} documents sampled", written.join(", ")),
                "the list holds neither null nor regular expressions nor arrays".into(),
            ],
        });
    }
    Err(reason)
}

/// The condition written plainly, and its path; nothing for other conditions.
fn plain(
    condition: &Document,
    schema: Option<&InferredSchema>,
) -> Result<Option<(String, Document)>, String> {
    let operands = condition.get_document("$expr").and_then(|inner| inner.get_array("$in")).ok();
    let Some([left, list]) = operands.map(Vec::as_slice) else { return Ok(None) };
    let Some(path) = field_path(left) else { return Ok(None) };
    let list = match list {
        Bson::Document(literal) => literal.get_array("$literal").ok(),
        list => list.as_array().filter(|_| is_constant(list)),
    };
    let Some(list) = list else { return Ok(None) };
    if schema.is_none() || profile(path, schema).is_none() {
        return Err(format!("what '{path}' holds could not be sampled"));
    }
    if array_in(path, schema).is_some() {
        return Err(format!("'{path}' holds arrays, of which $in looks at each element"));
    }
    let safe = |value: &Bson| match value {
        Bson::Null | Bson::Undefined | Bson::RegularExpression(_) | Bson::Array(_) => false,
        // `$$NOW`, `{$add: …}` are computed.
        Bson::String(text) => !text.starts_with('$'),
        Bson::Document(inner) => !inner.keys().any(|key| key.starts_with('$')),
        _ => true,
    };
    if !list.iter().all(safe) {
        return Err(format!("the list for '{path}' holds what $in takes otherwise"));
    }
    Ok(Some((path.to_string(), bson::doc! {path: {"$in": list.clone()}})))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::doc;
    use marula_core::{FieldProfile, Version};

    use super::*;

    fn answer(kind: &str, list: Bson) -> Answer {
        let field = FieldProfile {
            types: BTreeMap::from([(kind.to_string(), 9)]),
            ..FieldProfile::default()
        };
        let fields = BTreeMap::from([("a".to_string(), field)]);
        let schema = InferredSchema { sampled: 9, complete: true, fields, ..Default::default() };
        let pipeline = [doc! {"$match": {"$expr": {"$in": ["$a", list]}, "b": 1}}];
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        rewrite(&pipeline, facts)
    }

    #[test]
    fn a_list_of_constants_is_looked_for_plainly() {
        let rewritten = answer("int", vec![1, 2].into()).map(|rewrite| rewrite.pipeline);
        assert_eq!(rewritten, Ok(vec![doc! {"$match": {"a": {"$in": [1, 2]}, "b": 1}}]));
    }

    #[test]
    fn arrays_and_null_are_declined() {
        assert!(answer("array", vec![1, 2].into()).is_err());
        assert!(answer("int", vec![Bson::Int32(1), Bson::Null].into()).is_err());
        assert!(answer("int", vec![Bson::from("$b")].into()).is_err());
        assert!(answer("int", Bson::from("$b")).is_err());
    }
}
