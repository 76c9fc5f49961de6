//! The stages a pipeline may have.

use bson::{Bson, Document};
use marula_core::{Result, nearest};

use super::{FORBIDDEN, document, forbidden, refused};

/// Stages that read data or metadata of the collection.
pub(super) const READING: &[&str] = &[
    "$addFields",
    "$bucket",
    "$bucketAuto",
    "$collStats",
    "$count",
    "$densify",
    "$documents",
    "$facet",
    "$fill",
    "$geoNear",
    "$graphLookup",
    "$group",
    "$indexStats",
    "$limit",
    "$lookup",
    "$match",
    "$planCacheStats",
    "$project",
    "$rankFusion",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$sample",
    "$score",
    "$scoreFusion",
    "$search",
    "$searchMeta",
    "$set",
    "$setWindowFields",
    "$skip",
    "$sort",
    "$sortByCount",
    "$unionWith",
    "$unset",
    "$unwind",
    "$vectorSearch",
];

/// Stages an update may have: they change the document itself.
pub(super) const UPDATING: &[&str] =
    &["$addFields", "$set", "$unset", "$project", "$replaceRoot", "$replaceWith"];

/// Passes a pipeline of allowed stages that hold no code, in their sub-pipelines too.
pub(super) fn check(pipeline: &[Document], allowed: &[&str], place: &str) -> Result<()> {
    let mut open: Vec<(&Document, String)> = pipeline
        .iter()
        .enumerate()
        .map(|(n, stage)| (stage, format!("{place}, stage {}", n + 1)))
        .collect();
    while let Some((stage, place)) = open.pop() {
        let mut keys = stage.iter();
        let (Some((name, body)), None) = (keys.next(), keys.next()) else {
            return Err(refused(format!("{place} does not have exactly one name"))
                .hint("write each stage as { $name: … }"));
        };
        if FORBIDDEN.contains(&name.as_str()) || name.starts_with("$_internal") {
            return Err(forbidden(name, &place));
        }
        if !allowed.contains(&name.as_str()) {
            let error =
                refused(format!("{place}: '{name}' is not a stage that is sent to a target"));
            return Err(match nearest(name, allowed.iter().copied()).first() {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint(format!("these are: {}", allowed.join(", "))),
            });
        }
        document(stage, &place)?;
        for (inner, below) in sub_pipelines(name, body) {
            for (number, stage) in inner.iter().enumerate() {
                let place = format!("{place}, {below}, stage {}", number + 1);
                match stage {
                    Bson::Document(stage) => open.push((stage, place)),
                    _ => {
                        return Err(refused(format!("{place} is no document"))
                            .hint("write each stage as { $name: … }"));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The pipelines inside a stage, with what to call them.
fn sub_pipelines<'b>(name: &str, body: &'b Bson) -> Vec<(&'b [Bson], String)> {
    let Bson::Document(body) = body else { return Vec::new() };
    let array = |value: &'b Bson| value.as_array().map(Vec::as_slice);
    match name {
        "$lookup" | "$unionWith" => body
            .get("pipeline")
            .and_then(array)
            .map(|inner| (inner, format!("{name}.pipeline")))
            .into_iter()
            .collect(),
        "$facet" => body
            .iter()
            .filter_map(|(key, inner)| Some((array(inner)?, format!("$facet.{key}"))))
            .collect(),
        "$rankFusion" | "$scoreFusion" => body
            .get_document("input")
            .and_then(|input| input.get_document("pipelines"))
            .into_iter()
            .flatten()
            .filter_map(|(key, inner)| Some((array(inner)?, format!("{name}.{key}"))))
            .collect(),
        _ => Vec::new(),
    }
}
