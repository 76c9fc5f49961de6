//! A report in the form the user asked for. Every renderer is a function from a report to text.

mod csv;
mod error;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod markdown_designs;
mod markdown_logs;
mod markdown_rehearse;
mod markdown_tune;
#[cfg(test)]
mod rehearse_samples;
#[cfg(test)]
mod samples;
mod sarif;
pub mod script;
mod statement;

pub use error::error;
pub use human::logs::{label as title, line, moment, screen, spanned};
pub use human::rehearse::severity as stalled;
pub use human::{numbers, paint, text};
pub use paint::Paint;

use marula_core::{Error, ErrorKind, Report, Result};

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
        Format::Gitlab => gitlab::report(report, look.file.as_deref())?,
        Format::Junit => junit::report(report, look.file.as_deref()),
        Format::Html | Format::Csv => {
            let Some(digest) = &report.digest else {
                return Err(of_logs_alone(format));
            };
            if format == Format::Csv { csv::statements(digest) } else { html::report(report)? }
        }
        Format::Mermaid | Format::Dbml | Format::Svg | Format::Yaml => {
            return Err(of_models_alone());
        }
    })
}

/// Whether a command's result can be written in `format`; asked before the work begins.
pub fn check(format: Format, logs: bool, advice: bool) -> Result<()> {
    match format {
        Format::Html | Format::Csv if !logs => Err(of_logs_alone(format)),
        Format::Mermaid | Format::Dbml | Format::Svg | Format::Yaml => Err(of_models_alone()),
        Format::Sarif | Format::Github | Format::Gitlab | Format::Junit if logs && !advice => {
            Err(Error::new(
                ErrorKind::Usage,
                "this format is for findings, and a digest of logs has none",
            )
            .hint("write it with --format human, json, markdown, html or csv, or add --advise"))
        }
        _ => Ok(()),
    }
}

fn of_models_alone() -> Error {
    Error::new(ErrorKind::Usage, "only `marula model show` writes this format")
        .hint("write it with --format human, json or markdown")
}

fn of_logs_alone(format: Format) -> Error {
    let name = if format == Format::Csv { "csv" } else { "html" };
    Error::new(ErrorKind::Usage, format!("only `marula logs` writes {name}"))
        .hint("write it with --format human, json or markdown")
}
