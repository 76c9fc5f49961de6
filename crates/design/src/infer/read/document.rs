use marula_core::Timestamp;

use super::super::column::Kind;

/// A document, or a part of one, of whatever format it came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// There, and null.
    Null,
    /// One value.
    Value(Kind, String),
    /// Fields with their values, in order.
    Object(Vec<(String, Node)>),
    /// Elements, in order.
    Array(Vec<Node>),
}

impl Node {
    /// The word for it in messages.
    pub fn word(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Value(kind, _) => kind.word(),
            Node::Object(_) => "object",
            Node::Array(_) => "array",
        }
    }

    /// As JSON, for what is not taken apart.
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Node::Null => Value::Null,
            Node::Value(Kind::Boolean, text) => Value::Bool(text == "true"),
            Node::Value(Kind::Number | Kind::Json, text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            Node::Value(_, text) => Value::String(text.clone()),
            Node::Object(fields) => Value::Object(
                fields.iter().map(|(name, node)| (name.clone(), node.json())).collect(),
            ),
            Node::Array(items) => Value::Array(items.iter().map(Node::json).collect()),
        }
    }
}

/// Deeper parts are not taken apart.
pub const DEPTH: usize = 32;

/// A moment from milliseconds since 1970, as ISO 8601 writes it.
pub fn moment(ms: i64) -> String {
    // Years of more than four digits would read as something else.
    let Some(ms) = Some(ms).filter(|ms| (-62_135_596_800_000..253_402_300_800_000).contains(ms))
    else {
        return ms.to_string();
    };
    let (year, month, day, of_day) = Timestamp(ms).to_civil();
    let (seconds, rest) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z")
}
