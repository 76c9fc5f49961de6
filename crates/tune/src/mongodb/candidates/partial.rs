//! Indexes over only a part of the documents.

use bson::Bson;
use marula_core::{InferredSchema, Json};

use super::Candidate;
use super::orders::Keys;
use crate::mongodb::index::{Index, array_in, profile};
use crate::mongodb::predicate::{Kind, Predicate};
use crate::mongodb::shape::{Access, Role};

/// The best candidate over only those documents that the filter asks for by a rare constant.
pub(super) fn partial(
    found: &[Candidate],
    access: &Access,
    schema: Option<&InferredSchema>,
) -> Option<Candidate> {
    let schema = schema.filter(|schema| schema.sampled >= 100)?;
    let best = found.first().filter(|best| best.index.collation.is_none())?;
    if matches!(access.role, Role::Lookup | Role::GraphLookup) {
        return None;
    }
    let rare = |predicate: &&Predicate| {
        !predicate.expression && !predicate.element && share(predicate, schema) <= Some(0.2)
    };
    // Only where the value is one of a few, and so most likely always this one.
    let few = |predicate: &&Predicate| {
        profile(&predicate.path, Some(schema)).is_some_and(|field| field.distinct <= 20)
            && array_in(&predicate.path, Some(schema)).is_none()
    };
    let constant = access
        .all(|kind| *kind == Kind::Equality)
        .filter(|predicate| share(predicate, schema).is_some())
        .filter(few)
        .find(rare)?;
    let keys: Keys =
        best.index.keys.iter().filter(|(path, _)| *path != constant.path).cloned().collect();
    if keys.is_empty() {
        return None;
    }
    let share = share(constant, schema).unwrap_or(1.0);
    Some(Candidate {
        index: Index { keys, partial: Some(constant.filter.clone()), ..best.index.clone() },
        order: "partial".to_string(),
        free: 0,
        extends: None,
        multikey: best.multikey,
        known: best.known,
        extra: vec![format!(
            "it holds only the documents with {}: statements that ask for another value find nothing \
             in it",
            marula_mongodb::command::print_document(&constant.filter)
        )],
        conditions: vec![
            "the filter of the statement implies the filter of the index".into(),
            format!("{:.1} % of the documents sampled are in it", share * 100.0),
        ],
        promise: best.promise - 0.1,
    })
}

/// The share of the sampled documents that hold the predicate's value, when it is a frequent one.
fn share(predicate: &Predicate, schema: &InferredSchema) -> Option<f64> {
    let field = schema.fields.get(&predicate.path)?;
    let value = match predicate.filter.get(&predicate.path)? {
        Bson::Document(operator) if operator.contains_key("$eq") => operator.get("$eq")?,
        Bson::Document(_) => return None,
        value => value,
    };
    let value: Json = value.clone().into_relaxed_extjson();
    let (_, count) = field.common_values.iter().find(|(common, _)| *common == value)?;
    Some(*count as f64 / schema.sampled.max(1) as f64)
}
