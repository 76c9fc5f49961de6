//! `marula lab`.

use marula_core::{Engine, Error, ErrorKind, Report, Result};
use marula_lab::discover;
use serde_json::{Value, json};

use crate::app::{App, Outcome};
use crate::args::{FailOn, Lab};

/// Starts, lists and ends labs.
pub async fn run(_: &App, lab: Lab) -> Result<Outcome> {
    match lab {
        Lab::Doctor => Ok(doctor()),
        _ => Err(Error::new(ErrorKind::Unsupported, "named labs are not there yet")),
    }
}

/// The URL of a lab's server.
pub fn find(name: &str, engine: Engine) -> Result<String> {
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("named labs are not there yet: {name} {engine}"),
    ))
}

fn doctor() -> Outcome {
    let found = discover::search();
    let servers = found.installs.iter().map(|install| {
        json!({
            "engine": install.engine,
            "version": install.version,
            "full_version": install.full_version,
            "program": install.program,
            "origin": install.origin.to_string(),
        })
    });
    let broken = found.broken.iter().map(|(path, why)| json!({ "program": path, "why": why }));
    let missing = discover::missing(&found);
    let missing = missing.iter().map(|missing| {
        let how = missing.how.iter().map(|(system, what)| json!({ "on": system, "do": what }));
        json!({
            "engine": missing.engine,
            "what": missing.what,
            "why": missing.why,
            "how": how.collect::<Vec<_>>(),
        })
    });
    report(
        "lab doctor",
        json!({
            "servers": servers.collect::<Vec<_>>(),
            "broken": broken.collect::<Vec<_>>(),
            "missing": missing.collect::<Vec<_>>(),
            "looked_in": found.places,
            "home": marula_lab::home(),
        }),
    )
}

fn report(command: &str, data: Value) -> Outcome {
    let mut report = Report::new(command);
    report.data = Some(data);
    Outcome::Report(Box::new(report), FailOn::Never)
}
