use bson::{Bson, DateTime, Document, doc};
use marula_core::model::Model;

use crate::synth::Value;
use crate::work::{FieldValue, Record};

/// A value as a document holds it. Days are moments at midnight UTC, lengths of time seconds,
/// times of day text, ranges `{from, to}`, places GeoJSON.
pub(super) fn bson(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Boolean(yes) => Bson::Boolean(*yes),
        Value::Integer(number) => Bson::Int64(*number),
        Value::Decimal { .. } => {
            let text = value.to_text().unwrap_or_default();
            text.parse().map_or(Bson::Null, Bson::Decimal128)
        }
        Value::Float(number) => Bson::Double(*number),
        Value::Text(text) => Bson::String(text.clone()),
        Value::Uuid(bytes) => Bson::Binary(bson::Binary {
            subtype: bson::spec::BinarySubtype::Uuid,
            bytes: bytes.to_vec(),
        }),
        Value::Date(days) => Bson::DateTime(DateTime::from_millis(i64::from(*days) * 86_400_000)),
        Value::Time(_) => value.to_text().map_or(Bson::Null, Bson::String),
        Value::Timestamp(moment) => Bson::DateTime(DateTime::from_millis(moment.0)),
        Value::Duration(seconds) => Bson::Int64(*seconds),
        Value::Binary(bytes) => Bson::Binary(bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: bytes.clone(),
        }),
        Value::Json(json) => Bson::try_from(json.clone()).unwrap_or(Bson::Null),
        Value::Point(longitude, latitude) => {
            Bson::Document(doc! { "type": "Point", "coordinates": [*longitude, *latitude] })
        }
        Value::Range(from, to) => Bson::Document(doc! { "from": bson(from), "to": bson(to) }),
        Value::List(values) => Bson::Array(values.iter().map(bson).collect()),
    }
}

/// A copy that has to be read before it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyRead {
    /// The collection of the one.
    pub collection: String,
    /// What finds the one.
    pub filter: Document,
    /// Its field.
    pub field: String,
    /// Where the value goes in the command, by fields and places in arrays: `documents.0.name`.
    pub into: String,
}

/// A record as a document, or as an element of an array within one. What is not there has no
/// field. `of` is the entity of a document on its own, whose single key is its `_id`. The copies
/// in it are told with their paths, which begin with `place`.
pub(super) fn document(
    model: &Model,
    record: &Record,
    of: Option<&str>,
    place: &str,
    copies: &mut Vec<CopyRead>,
) -> Document {
    let mut document = Document::new();
    for (name, value) in &record.fields {
        let value = match value {
            FieldValue::Value(value) => bson(value),
            FieldValue::Copied { entity, key, attribute, value } => {
                let names = model.entity(entity).map(|entity| entity.key()).unwrap_or_default();
                let pairs = names.into_iter().zip(key);
                copies.push(CopyRead {
                    collection: entity.clone(),
                    filter: pairs
                        .map(|(name, value)| (field(model, entity, name).to_owned(), bson(value)))
                        .collect(),
                    field: field(model, entity, attribute).to_owned(),
                    into: format!("{place}.{name}"),
                });
                bson(value)
            }
            FieldValue::Records(records) => {
                let elements = records.iter().enumerate().map(|(at, record)| {
                    Bson::Document(self::document(
                        model,
                        record,
                        None,
                        &format!("{place}.{name}.{at}"),
                        copies,
                    ))
                });
                Bson::Array(elements.collect())
            }
        };
        if value != Bson::Null {
            let name = of.map_or(name.as_str(), |entity| field(model, entity, name));
            document.insert(name, value);
        }
    }
    document
}

/// What a field of a document on its own is called: its single key is `_id`.
pub(super) fn field<'a>(model: &'a Model, entity: &str, name: &'a str) -> &'a str {
    let key = model.entity(entity).map(|entity| entity.key()).unwrap_or_default();
    if key.as_slice() == [name] { "_id" } else { name }
}
