//! Indexes without which the server refuses a statement: `$text` asks for a text index, `$near`
//! and `$geoNear` for a geographic one.

#[cfg(test)]
use bson::Document;
use marula_core::{Collection, FieldProfile, InferredSchema};

use super::orders::Keys;
use super::{Candidate, candidate};
use crate::mongodb::index::profile;
use crate::mongodb::predicate::{Kind, Predicate};
use crate::mongodb::shape::{Access, Shape};

/// A text index over more fields than this is one over all.
const FIELDS: usize = 5;

/// What a statement cannot do without.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// Words, in the fields of the collection's one text index.
    Words { collection: String },
    /// The nearest to a point; the path where it is named, and whether it lies on a sphere.
    Nearest { collection: String, path: Option<String>, sphere: bool },
}

impl Need {
    /// What a statement needs, for each collection it reads.
    pub fn of(shape: &Shape) -> Vec<Need> {
        shape.accesses.iter().flat_map(of_access).collect()
    }

    /// The collection the index is of.
    pub fn collection(&self) -> &str {
        match self {
            Need::Words { collection } | Need::Nearest { collection, .. } => collection,
        }
    }

    /// `$text needs a text index`.
    pub fn words(&self) -> &'static str {
        match self {
            Need::Words { .. } => "$text needs a text index",
            Need::Nearest { .. } => "the nearest are found by a geographic index only",
        }
    }

    /// The indexes that would do, the best guess first.
    pub fn candidates(&self, collection: Option<&Collection>) -> Vec<Candidate> {
        let schema = collection.and_then(|collection| collection.schema.as_ref());
        let keys: Vec<(Keys, (String, &'static str))> = match self {
            Need::Words { .. } => words(schema),
            Need::Nearest { path, sphere, .. } => nearest(path.as_deref(), *sphere, schema),
        };
        let made = keys.into_iter().filter_map(|(keys, special)| {
            let order = format!("{} for {}", special.1, self.asks());
            let mut made = candidate(self.collection(), keys, order, 1.0, collection)?;
            made.index.special = Some(special);
            if matches!(self, Need::Words { .. }) {
                made.extra.push(
                    "a collection has one text index: $text finds words in its fields only, so name \
                     those that matter"
                        .into(),
                );
            }
            Some(made)
        });
        made.collect()
    }

    fn asks(&self) -> &'static str {
        match self {
            Need::Words { .. } => "$text",
            Need::Nearest { .. } => "the nearest",
        }
    }
}

fn of_access(access: &Access) -> Vec<Need> {
    let collection = || access.collection.clone();
    let others = access.filter.predicates().into_iter().filter(|one| one.kind == Kind::Other);
    let need = |predicate: &Predicate| {
        if predicate.filter.contains_key("$text") {
            return Some(Need::Words { collection: collection() });
        }
        let named = (!predicate.path.is_empty()).then(|| predicate.path.clone());
        let operators = match &named {
            Some(path) => predicate.filter.get_document(path).ok()?,
            None => &predicate.filter,
        };
        let near = operators.get("$near").or_else(|| operators.get("$nearSphere"))?;
        let sphere = near.as_document().is_some_and(|near| near.contains_key("$geometry"));
        Some(Need::Nearest { collection: collection(), path: named, sphere })
    };
    others.filter_map(need).collect()
}

/// The fields that hold running text, or all there are.
fn words(schema: Option<&InferredSchema>) -> Vec<(Keys, (String, &'static str))> {
    let fields = schema.into_iter().flat_map(|schema| &schema.fields);
    let mut prose: Vec<String> = fields
        .filter(|(path, field)| !path.contains('$') && is_prose(field))
        .map(|(path, _)| path.replace("[]", ""))
        .collect();
    prose.dedup();
    let of = |paths: &[String]| {
        let keys: Keys = paths.iter().map(|path| (path.clone(), 1)).collect();
        (keys, (paths[0].clone(), "text"))
    };
    let mut found = Vec::new();
    if (1..=FIELDS).contains(&prose.len()) {
        found.push(of(&prose));
    }
    found.push(of(&["$**".to_string()]));
    found
}

/// Whether a field's values look like several words each. Values too long to be kept are text.
fn is_prose(field: &FieldProfile) -> bool {
    if !field.types.contains_key("string") || field.distinct < 2 {
        return false;
    }
    let words = |value: &&(marula_core::Json, u64)| {
        value.0.as_str().is_some_and(|text| text.split_whitespace().count() > 1)
    };
    let known = &field.common_values;
    known.iter().filter(words).count() * 2 >= known.len()
}

/// The path that is named, or those whose values look like points.
fn nearest(
    path: Option<&str>,
    sphere: bool,
    schema: Option<&InferredSchema>,
) -> Vec<(Keys, (String, &'static str))> {
    let of = |path: &str, sphere: bool| {
        let kind = if sphere { "2dsphere" } else { "2d" };
        (vec![(path.to_string(), 1)], (path.to_string(), kind))
    };
    let is_point = |path: &str| profile(&format!("{path}.coordinates"), schema).is_some();
    if let Some(path) = path {
        return vec![of(path, sphere || is_point(path))];
    }
    let fields = schema.into_iter().flat_map(|schema| schema.fields.keys());
    let points = fields.filter_map(|path| path.strip_suffix(".coordinates"));
    points.map(|path| of(&path.replace("[]", ""), true)).collect()
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use marula_core::Version;

    use super::*;

    fn wanted(command: Document) -> Vec<String> {
        let shape = Shape::of(&command, Version::new(6, 0, 27));
        let needs = Need::of(&shape);
        let all = needs.iter().flat_map(|need| need.candidates(None));
        all.map(|candidate| candidate.index.keys_shell()).collect()
    }

    #[test]
    fn what_the_server_refuses_without_an_index_names_it() {
        let text = doc! {"find": "c", "filter": {"$text": {"$search": "oak"}, "a": 1}};
        assert_eq!(wanted(text), [r#"{ "$**": "text" }"#]);
        let point = doc! {"type": "Point", "coordinates": [1, 2]};
        let near = doc! {"find": "c", "filter": {"at": {"$near": {"$geometry": point.clone()}}}};
        assert_eq!(wanted(near), [r#"{ at: "2dsphere" }"#]);
        let flat = doc! {"find": "c", "filter": {"at": {"$near": [1, 2]}}};
        assert_eq!(wanted(flat), [r#"{ at: "2d" }"#]);
        let stage = doc! {"$geoNear": {"near": point, "key": "at", "distanceField": "d"}};
        let pipeline = doc! {"aggregate": "c", "pipeline": [stage]};
        assert_eq!(wanted(pipeline), [r#"{ at: "2dsphere" }"#]);
        assert!(wanted(doc! {"find": "c", "filter": {"a": 1}}).is_empty());
    }
}
