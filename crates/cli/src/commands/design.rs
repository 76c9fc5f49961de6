//! `marula design`.

use std::path::Path;

use marula_core::model::Model;
use marula_core::{Engine, EngineDesigns, Error, ErrorKind, Result};
use marula_design::{ProposeOptions, ReviewOptions};

use crate::app::{App, Outcome};
use crate::args::{Design, Prove, Trial};
use crate::open::{self, Session};
use crate::output;

/// Reviews the design of a live database, or designs a model.
pub async fn run(app: &mut App, args: Design) -> Result<Outcome> {
    if is_model(&args.target) {
        return propose(app, args).await;
    }
    let prove = match app.prove(args.prove) {
        Prove::Lab => true,
        Prove::Off => false,
        Prove::WhatIf => {
            let what = "a design's fixes are tried in the lab, or not at all";
            return Err(Error::new(ErrorKind::Usage, what).hint("write --prove lab or --prove off"));
        }
    };
    let fail_on = app.fail_on(args.fail_on);
    let progress = app.progress();
    let (target, session) = open::open(app, &args.target, app.timeout(args.timeout)).await?;
    let options = ReviewOptions { prove, sample: args.sample.max(1), ..ReviewOptions::default() };
    let reviewed = match &session {
        Session::Postgres(session) => {
            marula_design::postgres::review(session, &target, &options, &progress).await
        }
        Session::Mongodb(session) => {
            marula_design::mongodb::review(session, &target, &options, &progress).await
        }
    };
    progress.clear();
    let report = reviewed.map_err(|error| session.name(error, &target))?;
    Ok(Outcome::Report(Box::new(report), fail_on))
}

/// Whether the name is that of a model's file rather than of a target.
fn is_model(name: &str) -> bool {
    let path = Path::new(name);
    let kind = path.extension().and_then(|kind| kind.to_str()).map(str::to_ascii_lowercase);
    matches!(kind.as_deref(), Some("yaml" | "yml" | "json"))
}

async fn propose(app: &mut App, args: Design) -> Result<Outcome> {
    let fail_on = app.fail_on(args.fail_on);
    let (model, mut notes) = read_model(&args.target)?;
    let options = options(&args.trial);
    let engines = match args.engine {
        Some(engine) => vec![engine],
        None => vec![Engine::Postgres, Engine::Mongodb],
    };
    let script = output::script_file(app);
    if let Some(file) = &script
        && !engines.iter().any(|engine| output::is_script_of(file, *engine))
    {
        let what = "the script's file is not of the engine that was designed for";
        return Err(Error::new(ErrorKind::Usage, what)
            .at(file.display().to_string())
            .hint("FILE.sql takes PostgreSQL's script, FILE.js MongoDB's"));
    }
    let progress = app.progress();
    let proposed = marula_design::propose(&model, &engines, &options, &progress).await;
    progress.clear();
    let mut report = proposed?;
    for note in std::mem::take(&mut report.notes) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    report.notes = notes;
    if let Some(file) = script {
        let of = |found: &&EngineDesigns| output::is_script_of(&file, found.server.engine);
        let engines = report.designs.iter().flat_map(|designs| &designs.engines);
        let best = engines.into_iter().find(of).and_then(|found| found.candidates.first());
        let Some(best) = best else {
            let what = "there is no design for the engine of the script's file";
            return Err(Error::new(ErrorKind::Lab, what)
                .at(file.display().to_string())
                .hint(report.notes.join("; ")));
        };
        output::write(&best.script, Some(&file))?;
        app.global.output = None;
        report.notes.push(format!("the proposed design is written to {}", file.display()));
    }
    Ok(Outcome::Report(Box::new(report), fail_on))
}

/// A model's file, and what was wrong with it.
pub(super) fn read_model(name: &str) -> Result<(Model, Vec<String>)> {
    let read = super::model::read(name)?;
    if let Some(mistake) = read.mistakes.iter().find(|_| read.is_faulty()) {
        let line = mistake.line.map_or(String::new(), |line| format!(" (line {line})"));
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the model has mistakes, the first: {}{line}", mistake.what),
        )
        .at(name.to_owned())
        .hint(format!("all of them with their places: marula model check {name}")));
    }
    let notes = read.mistakes.iter().map(|mistake| mistake.what.clone()).collect();
    Ok((read.model, notes))
}

pub(super) fn options(trial: &Trial) -> ProposeOptions {
    ProposeOptions {
        candidates: trial.candidates.into(),
        rows: trial.rows,
        seed: trial.seed,
        length: trial.length,
        postgres: trial.postgres_version,
        mongodb: trial.mongodb_version,
    }
}
