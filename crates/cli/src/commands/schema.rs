//! `marula schema`.

use marula_core::{Error, ErrorKind, Report, Result};

use crate::app::Outcome;
use crate::args::Schema;

/// The JSON Schema of reports, from the types themselves.
pub fn run(schema: Schema) -> Result<Outcome> {
    let Schema::Report = schema;
    let schema = schemars::schema_for!(Report);
    let text = serde_json::to_string_pretty(&schema).map_err(|error| {
        Error::new(ErrorKind::Internal, "the schema cannot be written as JSON").because(error)
    })?;
    Ok(Outcome::Text(text + "\n"))
}
