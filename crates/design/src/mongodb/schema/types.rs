use bson::{Bson, Document, doc};
use marula_core::model::{Attribute, AttributeType, Entity};

/// A time of day, the end of the day among them; `$` would let a line end follow.
const TIME: &str = r"^(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?|24:00(:00(\.0{1,6})?)?)\z";

/// What a field of a document on its own is called: a key of one attribute is its `_id`. Within
/// arrays fields keep their names.
pub fn stored_name<'a>(entity: &Entity, field: &'a str) -> &'a str {
    match entity.key()[..] {
        [key] if key == field => "_id",
        _ => field,
    }
}

/// What `$jsonSchema` says of an attribute's values, as they are stored: whole numbers as `long`
/// (an `int` will do), exact ones as Decimal128, days and moments as dates, times of day as texts,
/// lengths of time as seconds, ranges as `{from, to}`, places as GeoJSON.
pub fn value_schema(attribute: &Attribute) -> Document {
    match attribute.kind {
        AttributeType::List => {
            let mut schema = doc! { "bsonType": "array" };
            let of = attribute.of.unwrap_or_default();
            if of != AttributeType::List {
                schema.insert("items", scalar(attribute, of, false));
            }
            if let Some(most) = attribute.length.and_then(|length| length.max) {
                schema.insert("maxItems", whole(most));
            }
            schema
        }
        kind => scalar(attribute, kind, true),
    }
}

fn scalar(attribute: &Attribute, kind: AttributeType, bounds: bool) -> Document {
    use AttributeType as A;
    let mut schema = match kind {
        A::Id | A::Duration => doc! { "bsonType": ["int", "long"] },
        A::Integer => doc! { "bsonType": ["int", "long"] },
        A::Uuid | A::UuidV7 | A::Binary => doc! { "bsonType": "binData" },
        A::Decimal | A::Money => doc! { "bsonType": "decimal" },
        A::Float => doc! { "bsonType": ["double", "int", "long"] },
        A::Boolean => doc! { "bsonType": "bool" },
        A::Text => doc! { "bsonType": "string" },
        A::Enumeration if attribute.values.is_empty() => doc! { "bsonType": "string" },
        A::Enumeration => doc! { "enum": attribute.values.clone() },
        A::Date | A::Timestamp => doc! { "bsonType": "date" },
        A::Time => doc! {
            "bsonType": "string",
            "pattern": TIME,
        },
        // The open part: whatever it holds.
        A::Json | A::List => doc! {},
        A::Point => doc! {
            "bsonType": "object",
            "required": ["type", "coordinates"],
            "properties": {
                "type": { "enum": ["Point"] },
                "coordinates": {
                    "bsonType": "array",
                    "minItems": 2,
                    "maxItems": 2,
                    "items": { "bsonType": ["double", "int", "long"] },
                },
            },
        },
        A::DateRange | A::TimestampRange => range(doc! { "bsonType": "date" }),
        A::NumberRange => range(doc! { "bsonType": ["decimal", "int", "long", "double"] }),
    };
    if bounds && matches!(kind, A::Integer | A::Decimal | A::Money | A::Float) {
        let exact = matches!(kind, A::Decimal | A::Money);
        if let Some(least) = attribute.min.and_then(|least| bound(least, exact)) {
            schema.insert("minimum", least);
        }
        if let Some(most) = attribute.max.and_then(|most| bound(most, exact)) {
            schema.insert("maximum", most);
        }
    }
    if bounds
        && kind == A::Text
        && let Some(most) = attribute.max_length
    {
        schema.insert("maxLength", whole(u64::from(most)));
    }
    schema
}

/// Whether values are kept as `{from, to}`.
pub(super) fn is_range(kind: AttributeType) -> bool {
    matches!(
        kind,
        AttributeType::DateRange | AttributeType::TimestampRange | AttributeType::NumberRange
    )
}

fn range(of: Document) -> Document {
    doc! {
        "bsonType": "object",
        "properties": { "from": of.clone(), "to": of },
        "additionalProperties": false,
    }
}

/// A bound as the values are stored: 0.1 is another number in binary than in decimal.
fn bound(number: f64, exact: bool) -> Option<Bson> {
    if !number.is_finite() {
        return None;
    }
    if exact {
        return format!("{number}").parse().ok().map(Bson::Decimal128);
    }
    Some(match number.fract() == 0.0 && number.abs() < 9e15 {
        true if number.abs() <= f64::from(i32::MAX) => Bson::Int32(number as i32),
        true => Bson::Int64(number as i64),
        false => Bson::Double(number),
    })
}

/// A whole number in as few bytes as it takes.
pub(super) fn whole(number: u64) -> Bson {
    match i32::try_from(number) {
        Ok(small) => Bson::Int32(small),
        Err(_) => Bson::Int64(i64::try_from(number).unwrap_or(i64::MAX)),
    }
}

/// Whether a name can be said in a validator, an index and a path.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.contains(['.', '\0'])
}
