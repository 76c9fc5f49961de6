//! `marula model check`.

use marula_core::{Report, Result};
use marula_design::search::Work;
use serde_json::json;

use crate::app::{App, Outcome};
use crate::args::ModelCheck;

/// Says what is wrong with a model file.
pub fn run(app: &mut App, args: &ModelCheck) -> Result<Outcome> {
    let read = super::read(&args.file)?;
    app.file = Some(args.file.clone()).filter(|file| file != "-");
    let mut report = Report::new("model check");
    report.findings = read.findings();
    let model = &read.model;
    // Sound, but not to be measured: nobody should wait for it.
    for (query, reason) in Work::new(model).left_out {
        report.notes.push(format!("not measured: {query}: {}", reason.message()));
    }
    report.data = Some(json!({
        "file": read.name,
        "model": model.name,
        "entities": model.entities.len(),
        "relations": model.relations.len(),
        "queries": model.queries.len(),
        "writes": model.writes.len(),
        "transactions": model.transactions.len(),
    }));
    Ok(Outcome::Report(Box::new(report), app.fail_on(args.fail_on)))
}
