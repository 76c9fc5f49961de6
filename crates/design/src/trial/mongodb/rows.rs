//! Documents as the rows of an answer.

use bson::{Bson, Document};
use marula_core::model::AttributeType;

use crate::synth::Value;
use crate::trial::canonical::{NOTHING, json, moment, number};

/// A document for each element of its arrays; one without elements gives none, as a join would.
pub(super) fn taken_apart(document: Document, arrays: &[String]) -> Vec<Document> {
    let Some((path, rest)) = arrays.split_first() else { return vec![document] };
    let elements = match at(&document, path) {
        Some(Bson::Array(elements)) => elements.clone(),
        _ => return Vec::new(),
    };
    let each = elements.into_iter().map(|element| {
        let mut one = document.clone();
        put(&mut one, path, element);
        one
    });
    each.flat_map(|one| taken_apart(one, rest)).collect()
}

pub(super) fn at<'d>(document: &'d Document, path: &str) -> Option<&'d Bson> {
    let (first, rest) =
        path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = document.get(first)?;
    match rest {
        None => Some(value),
        Some(rest) => at(value.as_document()?, rest),
    }
}

fn put(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        None => drop(document.insert(path, value)),
        Some((first, rest)) => {
            if let Some(Bson::Document(inner)) = document.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}

/// A value in the form that is the same for both engines.
pub(super) fn text(kind: AttributeType, value: Option<&Bson>) -> String {
    let Some(value) = value.filter(|value| **value != Bson::Null) else {
        return NOTHING.to_owned();
    };
    match (kind, value) {
        (_, Bson::Int32(value)) => number(&value.to_string()),
        (AttributeType::Duration, _) => "there".into(),
        (_, Bson::Int64(value)) => number(&value.to_string()),
        (_, Bson::Double(value)) => number(&value.to_string()),
        (_, Bson::Decimal128(value)) => number(&value.to_string()),
        (_, Bson::Boolean(value)) => value.to_string(),
        (AttributeType::Time, Bson::String(_)) => "there".into(),
        (_, Bson::String(value)) => value.clone(),
        (AttributeType::Date, Bson::DateTime(value)) => {
            moment(value.timestamp_millis())[..10].to_owned()
        }
        (_, Bson::DateTime(value)) => moment(value.timestamp_millis()),
        (AttributeType::Uuid | AttributeType::UuidV7, Bson::Binary(binary)) => {
            let bytes: [u8; 16] = binary.bytes.as_slice().try_into().unwrap_or_default();
            Value::Uuid(bytes).to_text().unwrap_or_default()
        }
        (AttributeType::Json, value) => json(&value.clone().into_relaxed_extjson().to_string()),
        _ => "there".into(),
    }
}
