//! A report in the form the user asked for. Every renderer is a function from a report to text.

mod error;
mod github;
mod human;
mod json;
mod markdown;
#[cfg(test)]
mod samples;
mod sarif;
mod statement;

pub use error::error;
pub use human::{numbers, paint, text};
pub use paint::Paint;

use marula_core::{Report, Result};

use crate::args::Format;

/// How and for whom something is written.
#[derive(Debug, Clone)]
pub struct Look {
    /// Columns there are.
    pub width: usize,
    /// Whether to colour.
    pub paint: Paint,
    /// Whether the reader wants everything.
    pub verbose: bool,
    /// The file the statement was read from, for formats that point into files.
    pub file: Option<String>,
}

/// The report in `format`, ending with a line feed.
pub fn report(report: &Report, format: Format, look: &Look) -> Result<String> {
    Ok(match format {
        Format::Human => human::report(report, look),
        Format::Json => json::report(report)?,
        Format::Markdown => markdown::report(report),
        Format::Sarif => sarif::report(report, look.file.as_deref())?,
        Format::Github => github::report(report, look.file.as_deref()),
    })
}
