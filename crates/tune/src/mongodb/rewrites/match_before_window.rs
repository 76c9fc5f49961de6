//! A `$match` on the partition behind `$setWindowFields` goes before it: it keeps or drops whole
//! partitions, so that no window looks different.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite, conjunction, conjuncts};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::{effect, stage};
use crate::mongodb::predicate::field_path;

/// Its name among the rewrites.
pub const ID: &str = "match-before-window";

/// Moves what is safe of the `$match` behind the first `$setWindowFields` that has one.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let mut reason = None;
    for (at, document) in pipeline.iter().enumerate() {
        let Some(("$setWindowFields", Bson::Document(window))) = stage(document) else { continue };
        let Some(("$match", Bson::Document(filter))) = pipeline.get(at + 1).and_then(stage) else {
            continue;
        };
        match moved(window, document, filter, facts) {
            Err(why) => reason = reason.or(Some(why)),
            Ok((first, rest)) => {
                let paths: Vec<String> =
                    first.iter().flat_map(Document::keys).map(|key| key.to_string()).collect();
                let mut stages = pipeline[..at].to_vec();
                stages.push(bson::doc! {"$match": conjunction(first)});
                stages.push(document.clone());
                if !rest.is_empty() {
                    stages.push(bson::doc! {"$match": conjunction(rest)});
                }
                stages.extend_from_slice(&pipeline[at + 2..]);
                let sampled = facts.schema.map_or(0, |schema| schema.sampled);
                return Ok(Rewrite {
                    ids: vec![ID],
                    title: format!(
                        "put the $match on {} before $setWindowFields",
                        paths.join(", ")
                    ),
                    pipeline: stages,
                    conditions: vec![
                        "it looks at partitionBy alone, so whole partitions are kept or dropped"
                            .to_string(),
                        format!(
                            "{} holds no array in the {sampled} documents sampled",
                            paths.join(", ")
                        ),
                    ],
                });
            }
        }
    }
    Err(reason)
}

/// The conditions that go before the stage, and those that stay.
fn moved(
    window: &Document,
    document: &Document,
    filter: &Document,
    facts: Facts,
) -> Result<(Vec<Document>, Vec<Document>), String> {
    let partition = window.get("partitionBy").map(partition).unwrap_or_default();
    if partition.is_empty() {
        return Err("partitionBy is no plain field, so every document is in each window".into());
    }
    if facts.schema.is_none() {
        return Err("the documents could not be sampled".into());
    }
    let writes = effect(document).writes;
    let goes = |condition: &Document| {
        condition.iter().all(|(path, value)| {
            partition.contains(path)
                && !writes.touches(path)
                && array_in(path, facts.schema).is_none()
                && by_value(value)
        })
    };
    let (first, rest): (Vec<Document>, Vec<Document>) =
        conjuncts(filter).into_iter().partition(goes);
    match first.is_empty() {
        true => Err("its conditions do not look at partitionBy alone".into()),
        false => Ok((first, rest)),
    }
}

/// The fields documents are partitioned by.
fn partition(key: &Bson) -> Vec<String> {
    match key {
        Bson::String(_) => field_path(key).map(Into::into).into_iter().collect(),
        // {$year: "$at"} is computed.
        Bson::Document(parts) if parts.keys().all(|key| !key.starts_with('$')) => {
            let paths: Vec<String> =
                parts.values().filter_map(field_path).map(Into::into).collect();
            if paths.len() == parts.len() { paths } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

/// Whether a condition holds for all values that count as equal or for none: a type does not
/// (1 and 1.0 share a partition), nor does a regular expression under a collation.
fn by_value(value: &Bson) -> bool {
    let plain = |value: &Bson| {
        !matches!(
            value,
            Bson::Document(_)
                | Bson::Array(_)
                | Bson::RegularExpression(_)
                | Bson::MinKey
                | Bson::MaxKey
                | Bson::Undefined
        )
    };
    match value {
        Bson::Document(operators) => {
            !operators.is_empty()
                && operators.iter().all(|(operator, value)| match operator.as_str() {
                    "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte" => plain(value),
                    "$in" | "$nin" => {
                        value.as_array().is_some_and(|values| values.iter().all(plain))
                    }
                    _ => false,
                })
        }
        value => plain(value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bson::doc;
    use marula_core::{InferredSchema, Version};

    use super::*;

    fn moved_before(filter: Document, partition: Bson) -> Result<Vec<Document>, String> {
        let window = doc! {"$setWindowFields": {
            "partitionBy": partition, "sortBy": {"at": 1}, "output": {"n": {"$documentNumber": {}}},
        }};
        let schema = InferredSchema { sampled: 9, ..InferredSchema::default() };
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        rewrite(&[window, doc! {"$match": filter}], facts)
            .map(|rewrite| rewrite.pipeline)
            .map_err(|why| why.unwrap_or_default())
    }

    #[test]
    fn what_looks_at_the_partition_goes_before_and_the_rest_stays() {
        let stages = moved_before(doc! {"u": 5, "n": {"$lte": 3}}, "$u".into()).unwrap();
        assert_eq!(stages[0], doc! {"$match": {"u": 5}});
        assert_eq!(stages[2], doc! {"$match": {"n": {"$lte": 3}}});
        let both = doc! {"a": "$u", "b": "$v"};
        assert_eq!(moved_before(doc! {"v": {"$ne": 1}}, both.into()).unwrap().len(), 2);
    }

    #[test]
    fn what_could_split_a_partition_stays() {
        for filter in [
            doc! {"u": {"$type": "int"}},
            doc! {"u": {"$exists": false}},
            doc! {"u": {"$not": {"$type": "int"}}},
            doc! {"u": {"$regex": "^a"}},
            doc! {"n": 1},
            doc! {"$or": [{"u": 1}, {"n": 1}]},
        ] {
            assert!(moved_before(filter.clone(), "$u".into()).is_err(), "{filter}");
        }
        let computed = doc! {"$year": "$at"};
        assert!(moved_before(doc! {"at": 5}, computed.into()).is_err());
    }
}
