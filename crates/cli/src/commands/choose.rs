//! `marula choose`.

use marula_core::Result;

use super::design::{options, read_model};
use crate::app::{App, Outcome};
use crate::args::{Choose, FailOn};

/// Measures which engine serves a model better.
pub async fn run(app: &App, args: Choose) -> Result<Outcome> {
    let (model, notes) = read_model(&args.model)?;
    let progress = app.progress();
    let chosen = marula_design::choose::choose(&model, &options(&args.trial), &progress).await;
    progress.clear();
    let mut report = chosen?;
    report.notes.splice(0..0, notes);
    Ok(Outcome::Report(Box::new(report), app.fail_on(None::<FailOn>)))
}
