use marula_core::Json;
use marula_core::model::{Attribute, AttributeType};
use marula_postgres::sql::quote_literal;

use super::SchemaOptions;

/// The type of a column for an attribute's values.
pub fn column_type(attribute: &Attribute, options: &SchemaOptions) -> String {
    match attribute.kind {
        AttributeType::List => match attribute.of {
            Some(AttributeType::List) => "jsonb".into(),
            of => format!("{}[]", scalar(attribute, of.unwrap_or_default(), options)),
        },
        kind => scalar(attribute, kind, options),
    }
}

fn scalar(attribute: &Attribute, kind: AttributeType, options: &SchemaOptions) -> String {
    match kind {
        AttributeType::Id => "bigint",
        AttributeType::Uuid | AttributeType::UuidV7 => "uuid",
        AttributeType::Integer if is_small(attribute) => "integer",
        AttributeType::Integer => "bigint",
        AttributeType::Decimal => return numeric(attribute, None, 0),
        AttributeType::Money => return numeric(attribute, Some(14), 2),
        AttributeType::Float => "double precision",
        AttributeType::Boolean => "boolean",
        AttributeType::Text | AttributeType::Enumeration => "text",
        AttributeType::Date => "date",
        AttributeType::Time => "time",
        AttributeType::Timestamp => "timestamptz",
        AttributeType::Duration => "interval",
        AttributeType::Binary => "bytea",
        AttributeType::Json | AttributeType::List => "jsonb",
        AttributeType::Point if options.has_geography() => "geography(Point,4326)",
        AttributeType::Point => "point",
        AttributeType::DateRange => "daterange",
        AttributeType::TimestampRange => "tstzrange",
        AttributeType::NumberRange => "numrange",
    }
    .into()
}

/// Whether four bytes are known to hold it.
fn is_small(attribute: &Attribute) -> bool {
    let within = |n: f64| n.abs() <= f64::from(i32::MAX);
    attribute.min.is_some_and(within) && attribute.max.is_some_and(within)
}

/// An exact number: as many digits as the model says.
fn numeric(attribute: &Attribute, digits: Option<u32>, scale: u32) -> String {
    let scale = attribute.scale.unwrap_or(scale);
    match attribute.precision.or(digits) {
        // The server's limit, and digits after the point are digits.
        Some(digits) => {
            let digits = digits.clamp(1, 1000);
            format!("numeric({},{})", digits.max(scale.min(1000)), scale.min(1000))
        }
        None => "numeric".into(),
    }
}

/// The value a new row gets, where it is one of the type's.
pub(super) fn default(attribute: &Attribute) -> Option<String> {
    use AttributeType as A;
    let value = attribute.default.as_ref()?;
    Some(match (attribute.kind, value) {
        (A::Timestamp, Json::String(now)) if is_now(now) => "now()".into(),
        (A::Date, Json::String(now)) if is_now(now) => "CURRENT_DATE".into(),
        (A::Json, value) => format!("{}::jsonb", quote_literal(&value.to_string())),
        (A::Boolean, Json::Bool(yes)) => yes.to_string(),
        (A::Integer | A::Id, Json::Number(number)) if number.is_i64() => number.to_string(),
        (A::Decimal | A::Money | A::Float, Json::Number(number)) => number.to_string(),
        (A::Text, Json::String(text)) => quote_literal(&bare(text)),
        (A::Enumeration, Json::String(text)) if attribute.values.contains(text) => {
            quote_literal(&bare(text))
        }
        (A::List, Json::Array(none)) if none.is_empty() => match attribute.of {
            Some(A::List) => "'[]'".into(),
            _ => "'{}'".into(),
        },
        _ => return None,
    })
}

pub(super) fn is_now(text: &str) -> bool {
    matches!(text.trim().to_lowercase().as_str(), "now" | "now()" | "today" | "current_timestamp")
}

/// The text without what no PostgreSQL text can hold.
pub(super) fn bare(text: &str) -> String {
    text.replace('\0', "")
}

/// A bound as SQL takes it; none for what is no number.
pub(super) fn bound(number: f64) -> Option<String> {
    number.is_finite().then(|| format!("{number}"))
}
