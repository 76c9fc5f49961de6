//! `marula model infer`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use marula_core::{Error, ErrorKind, Progress, Report, Result, Target};
use marula_design::infer::{InferOptions, infer, read};

use crate::app::{App, Outcome};
use crate::args::{ModelInfer, Prove};
use crate::open::{self, Session};
use crate::signals;

/// Infers a model from files and live databases.
pub async fn run(app: &App, args: ModelInfer) -> Result<Outcome> {
    let prove = match app.prove(args.prove) {
        Prove::Lab => true,
        Prove::Off => false,
        Prove::WhatIf => {
            let what = "what was inferred is joined again in the lab, or not at all";
            return Err(Error::new(ErrorKind::Usage, what).hint("write --prove lab or --prove off"));
        }
    };
    let fail_on = app.fail_on(args.fail_on);
    let progress = app.progress();
    let limits = read::Limits { rows: args.rows.max(1), ..read::Limits::default() };
    let mut reads = Vec::new();
    let mut target = None;
    for source in &args.sources {
        progress.step(&format!("reading {source}"));
        if source == "-" {
            let stdin = move || read::stream_of(std::io::stdin().lock(), "stdin", limits);
            reads.push(signals::interruptible(stdin)?);
        } else if Path::new(source).exists() {
            let path = PathBuf::from(source);
            reads.push(signals::interruptible(move || read::file(&path, limits))?);
        } else {
            let (found, all) =
                live(app, source, app.timeout(args.timeout), limits, &progress).await?;
            reads.extend(all);
            target = Some(found);
        }
    }
    let name = args.name.unwrap_or_else(|| name_of(&args.sources[0]));
    let inferred = infer(reads, &InferOptions { name, prove }, &progress).await;
    progress.clear();
    let report = Report { target, ..inferred?.report };
    Ok(Outcome::Report(Box::new(report), fail_on))
}

async fn live(
    app: &App,
    source: &str,
    timeout: Duration,
    limits: read::Limits,
    progress: &dyn Progress,
) -> Result<(Target, Vec<read::Read>)> {
    let (target, session) =
        open::open(app, source, timeout).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.hint("no file has this name either"),
            _ => error,
        })?;
    let reads = match &session {
        Session::Postgres(session) => read::postgres(session, limits, progress).await,
        Session::Mongodb(session) => read::mongodb(session, limits, progress).await,
    };
    let reads = reads.map_err(|error| session.name(error, &target))?;
    Ok((target, reads))
}

/// What a model is called after its first source.
fn name_of(source: &str) -> String {
    let last = source.split(['?', '@']).next().unwrap_or(source);
    let last = last.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("data");
    let stem = last.split('.').find(|part| !part.is_empty()).unwrap_or("data");
    let name: String =
        stem.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>();
    match name.trim_matches('_') {
        "" => "data".into(),
        name => name.to_lowercase(),
    }
}
