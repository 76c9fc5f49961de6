use marula_postgres::sql::quote_ident;
use serde_json::Value as Json;

use super::schema::SchemaOptions;
use crate::synth::Value;
use crate::work::{FieldValue, Record};

/// A statement with the text of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The statement; the same for every time of a write, so that it is prepared once.
    pub sql: String,
    /// The parameters, in PostgreSQL's text form.
    pub values: Vec<Option<String>>,
}

impl Bound {
    pub(super) fn new() -> Self {
        Bound { sql: String::new(), values: Vec::new() }
    }

    /// Takes a parameter and gives its name.
    pub(super) fn bind(&mut self, value: Option<String>) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// `a = $1 AND b = $2`.
    pub(super) fn equal<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> String {
        let equal = pairs
            .into_iter()
            .map(|(name, value)| format!("{} = {}", quote_ident(name), self.bind(value.to_text())));
        equal.collect::<Vec<_>>().join(" AND ")
    }
}

/// A record as it stands within a `jsonb` column.
pub(super) fn json(record: &Record) -> Json {
    let fields = record.fields.iter().map(|(name, value)| {
        let value = match value {
            FieldValue::Value(value) | FieldValue::Copied { value, .. } => value.to_json(),
            FieldValue::Records(records) => Json::Array(records.iter().map(json).collect()),
        };
        (name.clone(), value)
    });
    Json::Object(fields.collect())
}

/// A field's value as its column takes it.
pub(super) fn text(value: &FieldValue, options: &SchemaOptions) -> Option<String> {
    match value {
        FieldValue::Value(value) | FieldValue::Copied { value, .. } => options.text(value),
        FieldValue::Records(records) => {
            Some(Json::Array(records.iter().map(json).collect()).to_string())
        }
    }
}
