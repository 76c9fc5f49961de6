//! What the stages of a pipeline read and write.

mod paths;

use bson::{Bson, Document};

use paths::walk;
pub use paths::{Paths, expression_paths, filter_paths, is_constant, overlap};

/// What a stage does to the documents that go through it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Paths of the incoming document it looks at.
    pub reads: Paths,
    /// Paths it sets or removes; all others pass through.
    pub writes: Paths,
    /// Whether nothing passes through but what it makes: `$group`, an inclusive `$project`.
    pub replaces: bool,
    /// Whether it is a stage this program knows.
    pub known: bool,
}

/// A stage's operator and what it is given.
pub fn stage(document: &Document) -> Option<(&str, &Bson)> {
    document
        .iter()
        .next()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|_| document.len() == 1)
}

/// What `document`, a stage, does.
pub fn effect(document: &Document) -> Effect {
    let unknown =
        Effect { reads: Paths::everything(), writes: Paths::everything(), ..Effect::default() };
    let Some((name, value)) = stage(document) else { return unknown };
    let passes =
        |reads: Paths, writes: Paths| Effect { reads, writes, replaces: false, known: true };
    let makes =
        |reads: Paths| Effect { reads, writes: Paths::everything(), replaces: true, known: true };
    let given = value.as_document();
    match (name, given) {
        ("$match", Some(filter)) => passes(filter_paths(filter), Paths::default()),
        ("$sort", Some(keys)) => passes(Paths::of(keys.keys()), Paths::default()),
        ("$limit" | "$skip" | "$sample", _) => passes(Paths::default(), Paths::default()),
        ("$addFields" | "$set", Some(fields)) => {
            passes(expression_paths(value), Paths::of(fields.keys()))
        }
        ("$unset", _) => passes(Paths::default(), Paths::of(strings(value))),
        ("$project", Some(fields)) => match included(fields) {
            Some(reads) => {
                Effect { reads, writes: Paths::everything(), replaces: true, known: true }
            }
            None => {
                let left_out = leaves(fields).into_iter().map(|(path, _)| path);
                passes(Paths::default(), Paths::of(left_out))
            }
        },
        ("$unwind", _) => {
            let path = unwind_path(value).unwrap_or_default();
            let index = given.and_then(|d| d.get_str("includeArrayIndex").ok());
            passes(Paths::of([path]), Paths::of([path].into_iter().chain(index)))
        }
        ("$lookup", Some(lookup)) => {
            let mut reads = lookup.get("let").map(expression_paths).unwrap_or_default();
            reads.named.extend(lookup.get_str("localField").ok().map(Into::into));
            passes(reads, Paths::of(lookup.get_str("as").ok()))
        }
        ("$graphLookup", Some(lookup)) => {
            let reads = lookup.get("startWith").map(expression_paths).unwrap_or_default();
            passes(reads, Paths::of(lookup.get_str("as").ok()))
        }
        ("$setWindowFields", Some(window)) => {
            let mut reads = window.get("partitionBy").map(expression_paths).unwrap_or_default();
            reads.extend(window.get("output").map(expression_paths).unwrap_or_default());
            let output = window.get_document("output").ok();
            if let Ok(keys) = window.get_document("sortBy") {
                reads.named.extend(keys.keys().map(|key| key.to_string()));
            }
            passes(
                reads,
                Paths::of(output.into_iter().flat_map(|d| d.keys().map(|key| key.to_string()))),
            )
        }
        (
            "$group" | "$bucket" | "$bucketAuto" | "$sortByCount" | "$replaceRoot" | "$replaceWith",
            _,
        ) => makes(expression_paths(value)),
        ("$count", _) => makes(Paths::default()),
        ("$facet", Some(branches)) => {
            let mut reads = Paths::default();
            for (_, branch) in branches {
                reads.extend(needed(&stages(branch)));
            }
            makes(reads)
        }
        _ => unknown,
    }
}

/// The paths of the incoming documents a pipeline's result depends on.
pub fn needed(pipeline: &[Document]) -> Paths {
    let mut needed = Paths::default();
    let mut written = Paths::default();
    for document in pipeline {
        let effect = effect(document);
        if effect.reads.all {
            return Paths::everything();
        }
        let reads = effect.reads.named.into_iter().filter(|path| {
            // What an earlier stage made is not read from the collection, unless it only
            // changed a part of it.
            !written.named.iter().any(|made| path == made || path.starts_with(&format!("{made}.")))
        });
        needed.named.extend(reads);
        if effect.replaces {
            return needed;
        }
        if !effect.known {
            return Paths::everything();
        }
        let unwinds = stage(document).is_some_and(|(name, _)| name == "$unwind");
        if !unwinds {
            written.extend(effect.writes);
        }
    }
    Paths::everything()
}

/// The stages of a sub-pipeline.
pub fn stages(value: &Bson) -> Vec<Document> {
    value.as_array().into_iter().flatten().filter_map(Bson::as_document).cloned().collect()
}

/// The path `$unwind` unwinds, without its dollar sign.
pub fn unwind_path(value: &Bson) -> Option<&str> {
    let text = match value {
        Bson::Document(given) => given.get_str("path").ok()?,
        other => other.as_str()?,
    };
    text.strip_prefix('$')
}

/// What an inclusive `$project` reads; nothing for an exclusive one.
fn included(fields: &Document) -> Option<Paths> {
    let leaves = leaves(fields);
    let inclusive = leaves.iter().any(|(path, value)| path != "_id" && !excludes(value));
    let only_id = fields.len() == 1 && fields.get("_id").is_some_and(|id| !excludes(id));
    if !inclusive && !only_id {
        return None;
    }
    let mut reads = Paths::default();
    if !fields.contains_key("_id") {
        reads.named.insert("_id".into());
    }
    for (path, value) in leaves {
        match value {
            _ if excludes(value) => {}
            Bson::Boolean(true) | Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => {
                reads.named.insert(path);
            }
            expression => {
                walk(expression, &mut reads);
                // Where an array stands above it, it is set once for each element.
                if path.contains('.') {
                    reads.named.insert(path);
                }
            }
        }
    }
    Some(reads)
}

fn excludes(value: &Bson) -> bool {
    matches!(value, Bson::Boolean(false) | Bson::Int32(0) | Bson::Int64(0))
        || value.as_f64() == Some(0.0)
}

/// The fields of a `$project` with their whole paths: `{a: {b: 0}}` is `{"a.b": 0}`.
fn leaves(fields: &Document) -> Vec<(String, &Bson)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Bson)> = fields.iter().map(|(k, v)| (k.to_string(), v)).collect();
    while let Some((path, value)) = open.pop() {
        match value {
            Bson::Document(inner)
                if inner.keys().next().is_some_and(|key| !key.starts_with('$')) =>
            {
                open.extend(inner.iter().map(|(key, value)| (format!("{path}.{key}"), value)));
            }
            _ => found.push((path, value)),
        }
    }
    found
}

fn strings(value: &Bson) -> Vec<String> {
    match value {
        Bson::String(text) => vec![text.clone()],
        Bson::Array(parts) => parts.iter().filter_map(Bson::as_str).map(Into::into).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn names(paths: &Paths) -> Vec<&str> {
        paths.named.iter().map(String::as_str).collect()
    }

    #[test]
    fn what_a_pipeline_needs_ends_at_the_stage_that_makes_new_documents() {
        let pipeline = [
            doc! {"$match": {"kind": "view"}},
            doc! {"$addFields": {"day": {"$dateTrunc": {"date": "$at", "unit": "day"}}}},
            doc! {"$lookup": {"from": "users", "localField": "user", "foreignField": "_id", "as": "u"}},
            doc! {"$group": {"_id": "$day", "n": {"$sum": 1}, "who": {"$first": "$u.name"}}},
            doc! {"$sort": {"n": -1}},
        ];
        assert_eq!(names(&needed(&pipeline)), ["at", "kind", "user"]);
        assert!(needed(&pipeline[..3]).all, "whole documents go out");
        let root = [doc! {"$group": {"_id": "$a", "first": {"$first": "$$ROOT"}}}];
        assert!(needed(&root).all);
    }

    #[test]
    fn projections_include_or_exclude() {
        let inclusive = effect(&doc! {"$project": {"a": 1, "b": {"$add": ["$c", 1]}, "_id": 0}});
        assert!(inclusive.replaces);
        assert_eq!(names(&inclusive.reads), ["a", "c"]);
        let exclusive = effect(&doc! {"$project": {"a": 0, "b.c": false}});
        assert!(!exclusive.replaces);
        assert_eq!(names(&exclusive.writes), ["a", "b.c"]);
        let nested = effect(&doc! {"$project": {"a": {"b": 0, "c": {"d": false}}}});
        assert!(!nested.replaces, "what is not named stays");
        assert_eq!(names(&nested.writes), ["a.b", "a.c.d"]);
        let nested = effect(&doc! {"$project": {"a": {"b": 1, "c": "$d"}, "_id": 0}});
        assert!(nested.replaces);
        assert_eq!(names(&nested.reads), ["a.b", "a.c", "d"]);
    }

    #[test]
    fn paths_overlap_at_dots_only() {
        assert!(overlap("a", "a.b") && overlap("a.b", "a") && overlap("a", "a"));
        assert!(!overlap("a", "ab") && !overlap("a.b", "a.c"));
    }
}
