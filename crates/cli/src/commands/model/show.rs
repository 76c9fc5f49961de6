//! `marula model show`.

use marula_core::{Error, ErrorKind, Result};
use marula_design::model::{self, Comments, show};

use crate::app::{App, Outcome};
use crate::args::{Format, ModelShow};

/// Draws a model.
pub fn run(app: &App, args: &ModelShow) -> Result<Outcome> {
    let read = super::read(&args.file)?;
    if !read.mistakes.is_empty() {
        let many = read.mistakes.len();
        let them = if many == 1 { "a mistake".into() } else { format!("{many} mistakes") };
        app.warn(&format!(
            "{} has {them}; what can be used is shown (marula model check says more)",
            read.name
        ));
    }
    let model = &read.model;
    Ok(Outcome::Text(match app.format() {
        Format::Human | Format::Mermaid => show::mermaid(model),
        Format::Markdown => format!("```mermaid\n{}```\n", show::mermaid(model)),
        Format::Dbml => show::dbml(model),
        Format::Svg => show::svg(model),
        Format::Html => show::html(model),
        Format::Yaml => model::write(model, &Comments::new()),
        Format::Json => {
            let text = serde_json::to_string_pretty(model).map_err(|error| {
                Error::new(ErrorKind::Internal, "the model cannot be written").because(error)
            })?;
            text + "\n"
        }
        _ => {
            return Err(Error::new(ErrorKind::Usage, "a model is not shown in this format")
                .hint("write it with --format mermaid, dbml, svg, html, markdown, yaml or json"));
        }
    }))
}
