//! `marula schema`.

use marula_core::{Error, ErrorKind, Report, Result};

use crate::app::Outcome;
use crate::args::Schema;

/// The JSON Schema of reports or of model files, from the types themselves.
pub fn run(schema: Schema) -> Result<Outcome> {
    let schema = match schema {
        Schema::Report => schemars::schema_for!(Report).to_value(),
        Schema::Model => marula_design::model::schema().clone(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| {
        Error::new(ErrorKind::Internal, "the schema cannot be written as JSON").because(error)
    })?;
    Ok(Outcome::Text(text + "\n"))
}
