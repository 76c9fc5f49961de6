use std::cmp::Ordering;
use std::fmt::Write as _;

use marula_core::model::AttributeType;
use marula_core::{Json, Timestamp};

/// A value of any engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// An exact number: `units` of 10 to the minus `scale`.
    Decimal {
        /// How many units.
        units: i64,
        /// How many digits after the point.
        scale: u8,
    },
    /// A measured number.
    Float(f64),
    /// Text.
    Text(String),
    /// A 128-bit name.
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Seconds since midnight.
    Time(u32),
    /// A moment.
    Timestamp(Timestamp),
    /// Seconds.
    Duration(i64),
    /// Bytes.
    Binary(Vec<u8>),
    /// An open part.
    Json(Json),
    /// Longitude and latitude, in degrees.
    Point(f64, f64),
    /// From the first, with it, to the second, without it.
    Range(Box<Value>, Box<Value>),
    /// Several.
    List(Vec<Value>),
}

impl Value {
    /// A value of a kind as a model's file has it: a day or a moment as text, a number as a
    /// number. `None` where it is no value of that kind.
    pub fn typed(kind: AttributeType, json: &Json) -> Option<Self> {
        let text = || json.as_str().map(str::to_owned);
        Some(match (kind, json) {
            (_, Json::Null) => Value::Null,
            (AttributeType::Boolean, _) => Value::Boolean(json.as_bool()?),
            (AttributeType::Id | AttributeType::Integer, _) => Value::Integer(json.as_i64()?),
            (AttributeType::Float, _) => Value::Float(json.as_f64()?),
            (AttributeType::Decimal | AttributeType::Money, Json::Number(number)) => {
                exact(&number.to_string())?
            }
            (AttributeType::Decimal | AttributeType::Money, _) => exact(&text()?)?,
            (AttributeType::Text | AttributeType::Enumeration, _) => Value::Text(text()?),
            (AttributeType::Timestamp, _) => Value::Timestamp(text()?.parse().ok()?),
            (AttributeType::Date, _) => {
                let midnight: Timestamp = format!("{}T00:00:00Z", text()?).parse().ok()?;
                Value::Date(i32::try_from(midnight.0.div_euclid(86_400_000)).ok()?)
            }
            (AttributeType::Uuid | AttributeType::UuidV7, _) => {
                let digits: String = text()?.chars().filter(|c| *c != '-').collect();
                Value::Uuid(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes())
            }
            (AttributeType::Json, _) => Value::Json(json.clone()),
            _ => return None,
        })
    }

    /// A number as it is written: `-12.05`.
    pub(super) fn exact(text: &str) -> Option<Self> {
        exact(text)
    }

    /// Which of two values of one kind comes first, as every engine has it; values of different
    /// kinds, and those that have no order, are alike.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
            (Value::Decimal { units: left, .. }, Value::Decimal { units: right, .. }) => {
                left.cmp(right)
            }
            (Value::Float(left), Value::Float(right)) => left.total_cmp(right),
            (Value::Date(left), Value::Date(right)) => left.cmp(right),
            (Value::Timestamp(left), Value::Timestamp(right)) => left.0.cmp(&right.0),
            (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
            _ => Ordering::Equal,
        }
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// The value as PostgreSQL reads it in text form; `None` for none.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Value::Null => return None,
            Value::Boolean(yes) => yes.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Decimal { units, scale } => decimal(*units, *scale),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Uuid(bytes) => uuid(bytes),
            Value::Date(days) => {
                let (year, month, day, _) = Timestamp(i64::from(*days) * 86_400_000).to_civil();
                format!("{year:04}-{month:02}-{day:02}")
            }
            Value::Time(seconds) => {
                format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
            }
            Value::Timestamp(moment) => moment.to_string(),
            Value::Duration(seconds) => format!("{seconds} seconds"),
            Value::Binary(bytes) => bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
            Value::Json(json) => json.to_string(),
            Value::Point(longitude, latitude) => format!("({longitude},{latitude})"),
            Value::Range(from, to) => {
                let end = |value: &Value| value.to_text().unwrap_or_default();
                format!("[\"{}\",\"{}\")", end(from), end(to))
            }
            Value::List(values) => array(values.iter().map(Value::to_text)),
        })
    }

    /// The value as JSON: as it stands within a `jsonb` column. Exact numbers stay exact.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Boolean(yes) => Json::Bool(*yes),
            Value::Integer(number) => Json::from(*number),
            // The shortest decimal that reads as this double is the decimal itself up to 15 digits.
            Value::Decimal { units, scale } => {
                serde_json::from_str(&decimal(*units, *scale)).unwrap_or(Json::Null)
            }
            Value::Float(number) => Json::from(*number),
            Value::Json(json) => json.clone(),
            Value::List(values) => Json::Array(values.iter().map(Value::to_json).collect()),
            _ => self.to_text().map_or(Json::Null, Json::String),
        }
    }
}

/// Values in text form as an array in PostgreSQL's text form.
pub(crate) fn array(texts: impl Iterator<Item = Option<String>>) -> String {
    let quoted = texts.map(|text| match text {
        None => "NULL".to_owned(),
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// Reads `-12.05`.
fn exact(text: &str) -> Option<Value> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let units = format!("{whole}{fraction}").parse().ok()?;
    Some(Value::Decimal { units, scale: u8::try_from(fraction.len()).ok()? })
}

fn decimal(units: i64, scale: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_postgresql_reads_them() {
        let text = |value: Value| value.to_text().unwrap_or_default();
        assert_eq!(text(Value::Decimal { units: -1205, scale: 2 }), "-12.05");
        assert_eq!(text(Value::Decimal { units: 5, scale: 2 }), "0.05");
        assert_eq!(text(Value::Decimal { units: 7, scale: 0 }), "7");
        assert_eq!(text(Value::Time(3661)), "01:01:01");
        assert_eq!(text(Value::Date(1)), "1970-01-02");
        assert_eq!(text(Value::Uuid([0xab; 16])), "abababab-abab-abab-abab-abababababab");
        assert_eq!(
            text(Value::List(vec![Value::Text("a\"b".into()), Value::Null])),
            r#"{"a\"b",NULL}"#
        );
        let range = Value::Range(Box::new(Value::Date(0)), Box::new(Value::Date(2)));
        assert_eq!(text(range), r#"["1970-01-01","1970-01-03")"#);
        assert_eq!(Value::Decimal { units: 1999, scale: 2 }.to_json().to_string(), "19.99");
    }
}
