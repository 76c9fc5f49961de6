//! `marula migrate rehearse`.

use std::path::Path;

use marula_core::{Engine, Error, ErrorKind, Progress, Rehearsal, Report, Result, Workload};
use marula_migrate::files::{self, Folder};
use marula_migrate::{Migration, RehearseOptions, Tool, mongodb, postgres};

use super::lint::earlier;
use crate::app::{App, Outcome, read_input};
use crate::args::MigrateRehearse;
use crate::open::{self, Session};

/// Runs migrations on a copy, under load.
pub async fn run(app: &mut App, args: MigrateRehearse) -> Result<Outcome> {
    let fail_on = app.fail_on(args.fail_on);
    let mut report = Report::new("migrate rehearse");
    let opened = match &args.target {
        Some(name) => Some(open::open(app, name, app.timeout(args.timeout)).await?),
        None => None,
    };
    let engine = args.engine.or(opened.as_ref().map(|(target, _)| target.engine));
    let folder = files::read(Path::new(&args.input), engine)?;
    if let Some((target, _)) = opened.as_ref().filter(|(target, _)| target.engine != folder.engine)
    {
        let what = format!("{} is {}", target.name, target.engine.title());
        return Err(
            Error::new(ErrorKind::Usage, what).hint("name a target of the migration's engine")
        );
    }
    report.notes.extend(folder.notes.iter().cloned());
    let options = options(&args)?;
    let progress = app.progress();
    let before = before(&args, &folder)?;
    let session = opened.as_ref().map(|(_, session)| session);
    let work = rehearse(&args, session, &before, &folder.migrations, &options, &progress);
    let done = work.await;
    progress.clear();
    let (rehearsal, notes) = done.map_err(|error| match &opened {
        Some((target, session)) => session.name(error, target),
        None => error,
    })?;
    report.rehearsal = Some(rehearsal);
    report.notes.extend(notes);
    report.target = opened.map(|(target, _)| target);
    Ok(Outcome::Report(Box::new(report), fail_on))
}

async fn rehearse(
    args: &MigrateRehearse,
    session: Option<&Session>,
    before: &[Migration],
    migrations: &[Migration],
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    let engine = migrations.first().map_or(Engine::Postgres, |migration| migration.engine);
    match (session, engine) {
        (Some(Session::Postgres(session)), _) => {
            let stage = postgres::rehearse::Stage::from_target(session, migrations, progress);
            on_postgres(args, stage.await?, migrations, options, progress).await
        }
        (Some(Session::Mongodb(session)), _) => {
            let stage = mongodb::rehearse::Stage::from_target(session, migrations, progress);
            on_mongodb(args, stage.await?, migrations, options, progress).await
        }
        (None, Engine::Postgres) => {
            let (rows, version) = (args.rows, args.server_version);
            let stage =
                postgres::rehearse::Stage::made_up(before, migrations, rows, version, progress);
            on_postgres(args, stage.await?, migrations, options, progress).await
        }
        (None, Engine::Mongodb) => {
            let (rows, version) = (args.rows, args.server_version);
            let stage =
                mongodb::rehearse::Stage::made_up(before, migrations, rows, version, progress);
            on_mongodb(args, stage.await?, migrations, options, progress).await
        }
    }
}

async fn on_postgres(
    args: &MigrateRehearse,
    mut stage: postgres::rehearse::Stage,
    migrations: &[Migration],
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    if !args.no_standby {
        stage = stage.with_standby(progress).await;
    }
    marula_migrate::rehearse::rehearse(&stage, migrations, args.fix, options, progress).await
}

async fn on_mongodb(
    args: &MigrateRehearse,
    mut stage: mongodb::rehearse::Stage,
    migrations: &[Migration],
    options: &RehearseOptions,
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    if !args.no_standby {
        stage = stage.with_secondary(progress).await;
    }
    marula_migrate::rehearse::rehearse(&stage, migrations, args.fix, options, progress).await
}

/// What makes what is there before, where there is no target.
fn before(args: &MigrateRehearse, folder: &Folder) -> Result<Vec<Migration>> {
    match (&args.target, &args.schema) {
        (Some(_), _) => Ok(Vec::new()),
        (None, None) => Ok(earlier(&args.input, folder)),
        (None, Some(name)) => {
            let path = Path::new(name);
            let text = read_input(name)?;
            let tool = match folder.engine {
                Engine::Postgres => Tool::Plain,
                Engine::Mongodb => files::tool_of(path, &text),
            };
            Ok(vec![files::parse(path, &text, tool, folder.engine)?])
        }
    }
}

fn options(args: &MigrateRehearse) -> Result<RehearseOptions> {
    if args.clients == 0 || args.clients > 100 {
        return Err(Error::new(ErrorKind::Usage, "--clients is from 1 to 100"));
    }
    if !(args.rate > 0.0 && args.rate <= 100_000.0) {
        return Err(Error::new(ErrorKind::Usage, "--rate is above 0 and at most 100000"));
    }
    let workload: Option<Workload> = match &args.workload {
        None => None,
        Some(path) => Some(serde_json::from_str(&read_input(path)?).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("is not a saved workload: {error}"))
                .at(path.clone())
                .hint("make one with: marula logs LOG --save workload.json")
        })?),
    };
    Ok(RehearseOptions {
        clients: args.clients,
        rate: args.rate,
        warm_up: args.duration,
        reader: args.reader,
        writer: args.writer,
        limit: args.limit,
        workload,
    })
}
