//! `marula explain`.

use marula_core::{Engine, Error, ErrorKind, Report, Result, Target, TargetKind, redact};
use marula_tune::{ExplainOptions, ProveMode};

use crate::app::{App, Outcome, read_input};
use crate::args::{Explain, Prove};
use crate::open::{self, Session};
use crate::progress::Terminal;
use crate::{duration, targets};

/// Explains a query on a target, or a saved plan.
pub async fn run(app: &mut App, args: Explain) -> Result<Outcome> {
    let fail_on = app.fail_on(args.fail_on);
    let progress = app.progress();
    let report = match &args.plan {
        Some(path) => saved(app, &args, path, &progress).await?,
        None => query(app, &args, &progress).await?,
    };
    progress.clear();
    Ok(Outcome::Report(Box::new(report), fail_on))
}

async fn query(app: &mut App, args: &Explain, progress: &Terminal) -> Result<Report> {
    let usage = |what: &str, hint: &str| Err(Error::new(ErrorKind::Usage, what).hint(hint));
    let Some(name) = &args.target else {
        return usage(
            "no target is given",
            "name it and the query: marula explain TARGET 'SELECT …', or give --plan FILE",
        );
    };
    let engine = targets::resolve(name, &app.config)?.engine;
    let Some(text) = text(app, args)? else {
        return usage(
            "no query is given",
            "write it after the target, or read it with -f FILE (- is stdin)",
        );
    };
    // What would be refused is refused before anybody is troubled with it.
    check(engine, &text)?;
    let (target, session) = open::open(app, name, app.timeout(args.timeout)).await?;
    let options = options(app, args, &target);
    let result = match &session {
        Session::Postgres(session) => {
            marula_tune::postgres::explain(session, &target, &text, &options, progress).await
        }
        Session::Mongodb(session) => {
            marula_tune::mongodb::explain(session, &target, &text, &options, progress).await
        }
    };
    result.map_err(|error| session.name(error, &target))
}

/// The query as it was given, on the command line or in a file.
fn text(app: &mut App, args: &Explain) -> Result<Option<String>> {
    match (&args.query, &args.file) {
        (Some(query), _) => Ok(Some(query.clone())),
        (None, Some(path)) => {
            app.file = Some(path.clone()).filter(|path| path != "-");
            read_input(path).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// The guard's first look, which needs no server.
fn check(engine: Engine, text: &str) -> Result<()> {
    match engine {
        Engine::Postgres => marula_postgres::guard::check(text).map(|_| ()),
        Engine::Mongodb => {
            let command = marula_mongodb::shell::parse(text)?;
            marula_mongodb::guard::check(&command)
        }
    }
}

async fn saved(app: &mut App, args: &Explain, path: &str, progress: &Terminal) -> Result<Report> {
    let text = read_input(path)?;
    app.file = Some(path.to_string()).filter(|path| path != "-");
    let query = self::text(app, args)?;
    let opened = match &args.target {
        Some(name) => Some(open::open(app, name, app.timeout(args.timeout)).await?),
        None => None,
    };
    let engine = opened.as_ref().map_or_else(|| engine_of(&text), |(target, _)| target.engine);
    let place = if path == "-" { "stdin" } else { path };
    let at = |error: Error| if error.place().is_none() { error.at(place) } else { error };
    let target = opened.as_ref().map_or_else(
        || Target {
            name: redact(place),
            kind: TargetKind::PlanFile,
            engine,
            database: None,
            version: None,
        },
        |(target, _)| target.clone(),
    );
    let options = options(app, args, &target);
    let session = opened.as_ref().map(|(_, session)| session);
    match engine {
        Engine::Postgres => {
            let plan = marula_postgres::plan::parse(&text).map_err(at)?;
            let session = match session {
                Some(Session::Postgres(session)) => Some(session.as_ref()),
                _ => None,
            };
            let query = query.as_deref();
            marula_tune::postgres::explain_saved(plan, session, &target, query, &options, progress)
                .await
        }
        Engine::Mongodb => {
            let mut plan = marula_mongodb::plan::parse(&text).map_err(at)?;
            if let Some(query) = &query {
                plan.command = Some(marula_mongodb::shell::parse(query)?);
            }
            let session = match session {
                Some(Session::Mongodb(session)) => Some(session.as_ref()),
                _ => None,
            };
            marula_tune::mongodb::explain_saved(plan, session, &target, &options, progress).await
        }
    }
}

/// Whose plan it is, by the words only one of them uses.
fn engine_of(plan: &str) -> Engine {
    let words = ["queryPlanner", "explainVersion", "executionStats", "winningPlan", "$cursor"];
    if words.iter().any(|word| plan.contains(word)) { Engine::Mongodb } else { Engine::Postgres }
}

fn options(app: &App, args: &Explain, target: &Target) -> ExplainOptions {
    ExplainOptions {
        goal_ms: app.goal(args.goal).map(duration::as_ms),
        prove: match app.prove(args.prove) {
            Prove::Lab => ProveMode::Lab,
            Prove::WhatIf => ProveMode::WhatIf,
            Prove::Off => ProveMode::Off,
        },
        analyze: args.analyze || target.kind == TargetKind::Lab,
        timeout: app.timeout(args.timeout),
        // COPY's own way to write NULL.
        parameters: args
            .params
            .iter()
            .map(|value| (value != "\\N").then(|| value.clone()))
            .collect(),
        ..ExplainOptions::default()
    }
}
