//! A `$sort` (with the `$limit` behind it) goes before stages that only add, rename or drop
//! fields, so that it can be read from an index.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::{effect, stage};
use crate::mongodb::predicate::field_path;
use crate::mongodb::shape::number;

/// Its name among the rewrites.
pub const ID: &str = "early-sort";

/// Moves the first `$sort` that stands behind such stages before them.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let Some(at) = pipeline.iter().position(|document| document.contains_key("$sort")) else {
        return Err(None);
    };
    let Some(("$sort", Bson::Document(sort))) = stage(&pipeline[at]) else { return Err(None) };
    if sort.values().any(|direction| number(Some(direction)).is_none()) {
        return Err(None);
    }
    // The stages straight before it that change each document by itself.
    let by_itself = |document: &Document| {
        matches!(
            stage(document),
            Some(("$addFields" | "$set" | "$unset" | "$project", value)) if !super::is_random(value)
        )
    };
    let first =
        pipeline[..at].iter().rposition(|document| !by_itself(document)).map_or(0, |n| n + 1);
    if first == at {
        return Err(None);
    }
    // What only a cursor reads is read from an index: behind anything else nothing is gained.
    if !pipeline[..first].iter().all(|document| document.contains_key("$match")) {
        return Err(None);
    }
    let mut keys = sort.clone();
    let mut renamed = false;
    for document in pipeline[first..at].iter().rev() {
        let mut before = Document::new();
        for (path, direction) in &keys {
            let from = origin(document, path)?;
            renamed |= from != *path;
            before.insert(from, direction.clone());
        }
        if before.len() != keys.len() {
            return Err(Some("two keys of the sort come from the same field".into()));
        }
        keys = before;
    }
    if let Some(path) = keys.keys().find(|path| array_in(path, facts.schema).is_some())
        && renamed
    {
        return Err(Some(format!("'{path}' holds arrays")));
    }
    if renamed && facts.schema.is_none() {
        return Err(Some("the documents could not be sampled".into()));
    }
    let limits = pipeline[at + 1..]
        .iter()
        .take_while(|document| document.contains_key("$limit") || document.contains_key("$skip"))
        .count();
    let shown: Vec<String> = keys.keys().map(|path| path.to_string()).collect();
    let mut stages = pipeline[..first].to_vec();
    stages.push(bson::doc! {"$sort": keys});
    stages.extend_from_slice(&pipeline[at + 1..at + 1 + limits]);
    stages.extend_from_slice(&pipeline[first..at]);
    stages.extend_from_slice(&pipeline[at + 1 + limits..]);
    let mut conditions =
        vec!["the stages it passes change each document by itself and leave its keys".to_string()];
    if renamed {
        let sampled = facts.schema.map_or(0, |schema| schema.sampled);
        conditions.push(format!(
            "what is renamed is a plain field that holds no array in the {sampled} documents sampled"
        ));
    }
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("sort by {} before fields are added or renamed", shown.join(", ")),
        pipeline: stages,
        conditions,
    })
}

/// The path that holds, before a stage, what `path` holds behind it.
fn origin(document: &Document, path: &str) -> Result<String, Option<String>> {
    let made = |name: &str| Some(format!("{name} computes '{path}'"));
    let Some((name, value)) = stage(document) else { return Err(None) };
    let fields = value.as_document();
    let set = fields.and_then(|fields| fields.get(path));
    match (name, set) {
        // A plain copy of another field.
        ("$addFields" | "$set" | "$project", Some(value @ Bson::String(_)))
            if !path.contains('.') && field_path(value).is_some() =>
        {
            let from = field_path(value).unwrap_or_default();
            Ok(from.to_string())
        }
        ("$addFields" | "$set" | "$unset", _) => match effect(document).writes.touches(path) {
            true => Err(made(name)),
            false => Ok(path.to_string()),
        },
        ("$project", _) => {
            let effect = effect(document);
            if !effect.replaces {
                return match effect.writes.touches(path) {
                    true => Err(made(name)),
                    false => Ok(path.to_string()),
                };
            }
            let one =
                |value: &Bson| *value == Bson::Boolean(true) || number(Some(value)) == Some(1);
            let excluded =
                |value: &Bson| *value == Bson::Boolean(false) || number(Some(value)) == Some(0);
            let kept = match set {
                Some(value) => one(value),
                // It stays unless it is left out by name.
                None if path == "_id" => !fields.and_then(|f| f.get("_id")).is_some_and(excluded),
                None => fields
                    .into_iter()
                    .flatten()
                    .any(|(other, value)| one(value) && path.starts_with(&format!("{other}."))),
            };
            if kept { Ok(path.to_string()) } else { Err(made(name)) }
        }
        _ => Err(None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bson::doc;
    use marula_core::{InferredSchema, Version};

    use super::*;

    fn answer(pipeline: &[Document]) -> Answer {
        let schema = InferredSchema { sampled: 9, ..InferredSchema::default() };
        rewrite(
            pipeline,
            Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] },
        )
    }

    #[test]
    fn the_sort_and_its_limit_go_first() {
        let add = doc! {"$addFields": {"net": {"$subtract": ["$total", "$tax"]}}};
        let sort = doc! {"$sort": {"at": -1}};
        let limit = doc! {"$limit": 5};
        let count = doc! {"$match": {"net": 3}};
        let moved = answer(&[add.clone(), sort.clone(), limit.clone(), count.clone()]).unwrap();
        assert_eq!(moved.pipeline, [sort, limit, add, count]);
    }

    #[test]
    fn a_renamed_key_is_followed_to_where_it_comes_from() {
        let project = doc! {"$project": {"when": "$at", "total": 1}};
        let sort = doc! {"$sort": {"when": -1, "total": 1, "_id": 1}};
        let moved = answer(&[project.clone(), sort]).unwrap();
        assert_eq!(moved.pipeline, [doc! {"$sort": {"at": -1, "total": 1, "_id": 1}}, project]);
    }

    #[test]
    fn a_computed_key_stays() {
        for stage in [
            doc! {"$addFields": {"at": {"$add": ["$at", 1]}}},
            doc! {"$unset": "at"},
            doc! {"$project": {"total": 1}},
            doc! {"$project": {"at": {"$year": "$at"}}},
            doc! {"$addFields": {"at.x": 1}},
        ] {
            assert!(answer(&[stage.clone(), doc! {"$sort": {"at": 1}}]).is_err(), "{stage}");
        }
        let id = doc! {"$project": {"at": 1, "_id": 0}};
        assert!(answer(&[id, doc! {"$sort": {"at": 1, "_id": 1}}]).is_err());
        let both = doc! {"$project": {"a": "$x", "b": "$x"}};
        assert!(answer(&[both, doc! {"$sort": {"a": 1, "b": 1}}]).is_err());
        let random = doc! {"$addFields": {"r": {"$rand": {}}}};
        assert!(answer(&[random, doc! {"$sort": {"at": 1}}]).is_err());
    }
}
