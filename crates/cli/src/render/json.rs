//! The report as it is: its schema is what `marula schema report` prints.

use marula_core::{Error, ErrorKind, Report, Result};

/// The report as indented JSON.
pub fn report(report: &Report) -> Result<String> {
    let mut text = serde_json::to_string_pretty(report).map_err(|error| {
        Error::new(ErrorKind::Internal, "the report cannot be written as JSON").because(error)
    })?;
    text.push('\n');
    Ok(text)
}
