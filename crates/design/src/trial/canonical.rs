//! Answers in a form that is the same for both engines.

use marula_core::Timestamp;
use marula_core::model::AttributeType;

/// The rows of an answer, each value as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// Whether their order is part of the answer.
    pub ordered: bool,
}

/// What is not there.
pub(super) const NOTHING: &str = "∅";

/// Whether two answers are the same; otherwise the first difference.
///
/// # Errors
/// The difference, in words.
pub fn same(left: &Answer, right: &Answer) -> Result<(), String> {
    let sorted = |answer: &Answer| {
        let mut rows = answer.rows.clone();
        if !answer.ordered {
            rows.sort_unstable();
        }
        rows
    };
    let (left, right) = (sorted(left), sorted(right));
    let first = (0..left.len().max(right.len())).find(|at| left.get(*at) != right.get(*at));
    let Some(first) = first else { return Ok(()) };
    let row = |rows: &[Vec<String>]| {
        rows.get(first).map_or("none".to_owned(), |row| format!("({})", row.join(", ")))
    };
    let counts = match left.len() == right.len() {
        true => String::new(),
        false => format!("{} rows against {}, first ", left.len(), right.len()),
    };
    Err(format!("{counts}{} against {}", row(&left), row(&right)))
}

/// A number to twelve digits: engines differ in how they write and in the last digits of a mean.
pub(super) fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => format!("{:e}", format!("{number:.11e}").parse::<f64>().unwrap_or(number)),
        Err(_) => text.to_owned(),
    }
}

/// A moment in milliseconds.
pub(super) fn moment(ms: i64) -> String {
    Timestamp(ms).to_string()
}

/// A value as PostgreSQL gives it in text form (its `TimeZone` being UTC).
pub(super) fn from_text(kind: AttributeType, text: Option<&str>) -> String {
    let Some(text) = text else { return NOTHING.to_owned() };
    match kind {
        AttributeType::Id
        | AttributeType::Integer
        | AttributeType::Decimal
        | AttributeType::Money
        | AttributeType::Float => number(text),
        AttributeType::Boolean => (text == "t" || text == "true").to_string(),
        AttributeType::Timestamp => {
            let iso = text.replacen(' ', "T", 1).replace("+00", "Z");
            iso.parse::<Timestamp>().map_or(iso, |moment| moment.to_string())
        }
        AttributeType::Json => json(text),
        // What each engine writes in its own way is only compared as there or not.
        AttributeType::Duration
        | AttributeType::Point
        | AttributeType::DateRange
        | AttributeType::TimestampRange
        | AttributeType::NumberRange
        | AttributeType::List
        | AttributeType::Binary
        | AttributeType::Time => "there".into(),
        _ => text.to_owned(),
    }
}

/// JSON with its fields in order.
pub(super) fn json(text: &str) -> String {
    fn sorted(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => {
                let mut fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                serde_json::Value::Object(fields.into_iter().collect())
            }
            other => other,
        }
    }
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| sorted(value).to_string())
}
