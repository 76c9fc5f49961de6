//! Which leading stages the server turns into the read of the collection.

use bson::{Bson, Document, doc};
use marula_core::Version;

use super::{Access, directions, number, usable};
use crate::access::pipeline::{Paths, effect, expression_paths, overlap, stage};
use crate::access::predicate::{Filter, Kind, Predicate, field_path};

/// Follows the pipeline as far as the server moves its stages into the read of the collection.
pub(super) fn pushed(pipeline: &[Document], access: &mut Access, version: Version) {
    let mut written = Paths::default();
    // Whether a later $sort can still be read from an index, and a $limit still stops the read.
    let mut ordered = true;
    let mut limited = true;
    for document in pipeline {
        let Some((name, value)) = stage(document) else { return };
        match name {
            "$match" => {
                let filter = value.as_document().cloned().unwrap_or_default();
                limited &= access.limit.is_none();
                let mut moved = usable(&filter, version);
                moved.all.retain(|predicate| !written.touches(&predicate.path));
                moved.any.retain(|branches| {
                    branches.iter().flat_map(Filter::predicates).all(|p| !written.touches(&p.path))
                });
                access.filter.and(moved);
            }
            "$sort" => {
                let keys = value.as_document().map(directions).unwrap_or_default();
                if ordered
                    && access.sort.is_empty()
                    && !keys.iter().any(|(p, _)| written.touches(p))
                {
                    access.sort = keys;
                } else {
                    limited = false;
                }
                ordered = false;
            }
            "$skip" => {
                access.skip = number(Some(value)).filter(|_| limited);
                return;
            }
            "$limit" => {
                access.limit = number(Some(value)).filter(|_| limited);
                return;
            }
            "$geoNear" => {
                // It reads by its own index and no other, and comes first.
                access.filter.all.extend(value.as_document().and_then(near));
                return;
            }
            "$group" => {
                let key = value.as_document().and_then(|group| group.get("_id"));
                access.group = group_paths(key, &written);
                let sorted =
                    access.sort.first().is_none_or(|(path, _)| access.group.contains(path));
                access.distinct = access.group.len() == 1 && sorted && first_of_each(value);
                return;
            }
            "$sortByCount" => {
                access.group = group_paths(Some(value), &written);
                return;
            }
            "$setWindowFields" => {
                limited = false;
                if ordered && access.sort.is_empty() {
                    access.sort = windows(value, &written);
                }
                ordered = false;
                written.extend(effect(document).writes);
            }
            "$unwind" => {
                limited = false;
                ordered &= version >= Version::new(6, 0, 0);
                // The path, and the field includeArrayIndex names.
                written.extend(effect(document).writes);
            }
            "$lookup" | "$graphLookup" => {
                ordered &= version >= Version::new(5, 0, 0);
                written.extend(effect(document).writes);
            }
            "$addFields" | "$set" | "$unset" | "$project" => {
                let effect = effect(document);
                if effect.replaces {
                    // A match moves before the projection only on a path it lets through.
                    let kept = kept(value.as_document());
                    let outside = move |path: &str| !kept.iter().any(|kept| overlap(kept, path));
                    return after_projection(pipeline, document, access, version, &outside);
                }
                ordered = false;
                written.extend(effect.writes);
            }
            _ => return,
        }
    }
}

/// What `$geoNear` asks of the path it names.
fn near(stage: &Document) -> Option<Predicate> {
    let (path, near) = (stage.get_str("key").unwrap_or_default(), stage.get("near")?);
    let near = match near {
        Bson::Document(point) if point.contains_key("type") => {
            doc! {"$geometry": point.clone()}.into()
        }
        other => other.clone(),
    };
    let filter = match path {
        "" => doc! {"$near": near},
        path => doc! {path: {"$near": near}},
    };
    let kind = Kind::Other;
    Some(Predicate { path: path.into(), kind, filter, element: false, expression: false })
}

/// The matches that follow an inclusive `$project` directly.
fn after_projection(
    pipeline: &[Document],
    projection: &Document,
    access: &mut Access,
    version: Version,
    outside: &dyn Fn(&str) -> bool,
) {
    let rest = pipeline.iter().skip_while(|stage| *stage != projection).skip(1);
    for document in rest {
        let Some(("$match", Bson::Document(filter))) = stage(document) else { return };
        let mut moved = usable(filter, version);
        moved.all.retain(|predicate| !outside(&predicate.path));
        moved.any.clear();
        access.filter.and(moved);
    }
}

/// The paths a `$project` hands on as they are.
fn kept(fields: Option<&Document>) -> Vec<String> {
    let one = |value: &Bson| matches!(value, Bson::Boolean(true)) || number(Some(value)) == Some(1);
    let fields = fields.into_iter().flatten();
    fields.filter(|(_, value)| one(value)).map(|(path, _)| path.to_string()).collect()
}

/// The order `$setWindowFields` reads its windows in, where an index can give it.
fn windows(window: &Bson, written: &Paths) -> Vec<(String, i32)> {
    let Some(window) = window.as_document() else { return Vec::new() };
    let mut keys: Vec<(String, i32)> = Vec::new();
    match window.get("partitionBy") {
        None | Some(Bson::Null) => {}
        Some(partition) => match field_path(partition) {
            Some(path) => keys.push((path.to_string(), 1)),
            // What is computed is sorted in memory.
            None => return Vec::new(),
        },
    }
    let sort = window.get_document("sortBy").map(directions).unwrap_or_default();
    keys.extend(
        sort.into_iter()
            .filter(|(path, _)| keys.iter().all(|(key, _)| key != path))
            .collect::<Vec<_>>(),
    );
    if keys.iter().any(|(path, _)| written.touches(path)) { Vec::new() } else { keys }
}

/// Whether a `$group` takes nothing but its key, or the first document of each group.
pub fn first_of_each(group: &Bson) -> bool {
    let Some(group) = group.as_document() else { return false };
    group.iter().filter(|(field, _)| *field != "_id").all(|(_, value)| {
        let operator = value.as_document().and_then(|document| document.keys().next());
        operator.is_some_and(|operator| operator == "$first")
    })
}

fn group_paths(key: Option<&Bson>, written: &Paths) -> Vec<String> {
    let Some(key) = key else { return Vec::new() };
    let direct: Vec<String> = match key {
        Bson::String(_) => field_path(key).map(Into::into).into_iter().collect(),
        Bson::Document(parts) if parts.keys().all(|key| !key.starts_with('$')) => {
            parts.values().filter_map(field_path).map(Into::into).collect()
        }
        _ => Vec::new(),
    };
    let paths = expression_paths(key);
    match direct.len() == paths.named.len() && !direct.iter().any(|path| written.touches(path)) {
        true => direct,
        false => Vec::new(),
    }
}
