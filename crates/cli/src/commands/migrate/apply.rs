//! `marula migrate apply`, `rollback`, `repair`.

use marula_core::{Error, ErrorKind, Failure, Report, Result, Target};
use marula_migrate::apply::{self, ApplyOptions, Back, Ground as _, Repair, Stop};
use marula_migrate::files::Folder;
use serde_json::json;

use super::ground::{self, Where, on};
use crate::app::{App, Outcome};
use crate::args::{
    FailOn, MigrateAdopt, MigrateApply, MigrateHow, MigrateOn, MigrateRepair, MigrateRollback,
};
use crate::signals;

/// Runs what has not run.
pub async fn run(app: &App, args: MigrateApply) -> Result<Outcome> {
    let (target, place) = ground::to_write(app, &args.on.target).await?;
    let folder = ground::folder(&args.on.dir, &target)?;
    let options =
        ApplyOptions { to: args.to.clone(), out_of_order: args.out_of_order, ..options(&args.how) };
    let progress = app.progress();
    let migrations = &folder.migrations;
    let outcome = until_asked(&options.stop, async {
        on!(&place, ground => apply::apply(&**ground, migrations, &options, &progress).await)
    })
    .await;
    progress.clear();
    told("migrate apply", &args.on, target, &place, folder, outcome).await
}

/// Takes back what was applied last.
pub async fn rollback(app: &App, args: MigrateRollback) -> Result<Outcome> {
    let (target, place) = ground::to_write(app, &args.on.target).await?;
    let folder = ground::folder(&args.on.dir, &target)?;
    let options = options(&args.how);
    let back = match &args.to {
        Some(version) => Back::To(version.clone()),
        None => Back::Count(args.count),
    };
    let progress = app.progress();
    let migrations = &folder.migrations;
    let outcome = until_asked(&options.stop, async {
        on!(&place, ground => {
            apply::rollback(&**ground, migrations, &back, &options, &progress).await
        })
    })
    .await;
    progress.clear();
    told("migrate rollback", &args.on, target, &place, folder, outcome).await
}

/// Settles what is named.
pub async fn repair(app: &App, args: MigrateRepair) -> Result<Outcome> {
    let asked = Repair {
        accept: args.accept,
        forget: args.forget,
        applied: args.applied,
        again: args.again,
        done: args.done,
    };
    if asked.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "nothing is named that is to be settled").hint(
            "name it: --accept, --forget, --applied, --again or --done, each with a version; \
             marula migrate status says what there is",
        ));
    }
    let (target, place) = ground::to_write(app, &args.on.target).await?;
    let folder = ground::folder(&args.on.dir, &target)?;
    let migrations = &folder.migrations;
    let said = on!(&place, ground => apply::repair(&**ground, migrations, &asked).await);
    settled("migrate repair", target, &place, &folder, said).await
}

/// Takes over another tool's history.
pub async fn adopt(app: &App, args: MigrateAdopt) -> Result<Outcome> {
    let (target, place) = ground::to_write(app, &args.on.target).await?;
    // A tool whose files are not read here may have a folder without any.
    let folder = match ground::folder(&args.on.dir, &target) {
        Ok(folder) => folder,
        Err(error) if error.message().contains("no migration in this folder") => Folder {
            tool: marula_migrate::Tool::Marula,
            engine: target.engine,
            migrations: Vec::new(),
            notes: Vec::new(),
        },
        Err(error) => return Err(error),
    };
    let (migrations, from) = (&folder.migrations, args.from.as_deref());
    let said = on!(&place, ground => apply::adopt::adopt(&**ground, migrations, from).await);
    settled("migrate adopt", target, &place, &folder, said).await
}

/// What was settled, with how things stand now.
async fn settled(
    command: &str,
    target: Target,
    place: &Where,
    folder: &Folder,
    said: Result<Vec<String>>,
) -> Result<Outcome> {
    let name = |error| ground::place(error, &target.name);
    let said = said.map_err(name)?;
    let mut report = Report::new(command);
    let status = on!(place, ground => apply::status(&**ground, &folder.migrations).await);
    let status = status.map_err(name)?;
    report.findings = super::status::drift(&status);
    report.notes.clone_from(&folder.notes);
    report.migrations = Some(status);
    report.target = Some(target);
    report.data = Some(json!({ "settled": said }));
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}

fn options(how: &MigrateHow) -> ApplyOptions {
    ApplyOptions {
        wait: how.wait,
        lock_timeout: how.lock_timeout,
        tries: how.tries.max(1),
        max_lag: how.max_lag,
        pace: how.pace,
        check_data: !how.no_data_check,
        ..ApplyOptions::default()
    }
}

/// The work; the first signal lets the step or batch that runs come to its end.
async fn until_asked<T>(stop: &Stop, work: impl Future<Output = T>) -> T {
    let held = signals::hold();
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = held.asked() => stop.ask(),
    }
    work.await
}

/// What came of it, with how things stand now.
async fn told(
    command: &str,
    on: &MigrateOn,
    target: Target,
    place: &Where,
    folder: Folder,
    outcome: Result<apply::Outcome>,
) -> Result<Outcome> {
    let name = |error| ground::place(error, &target.name);
    let outcome = outcome.map_err(name)?;
    let mut report = Report::new(command);
    report.notes = folder.notes;
    report.notes.extend(on!(place, ground => ground.notes()));
    report.failure = outcome.failure.as_ref().map(Failure::from);
    // A server that went away tells nothing more.
    let status = on!(place, ground => apply::status(&**ground, &folder.migrations).await);
    if let Ok(mut status) = status {
        status.folder = on.dir.display().to_string();
        for ran in &outcome.ran {
            if let Some(one) = status.list.iter_mut().find(|one| one.key == ran.key) {
                one.ms = Some(ran.ms);
            }
        }
        if report.failure.is_none() {
            report.notes.extend(apply::held(&folder.migrations, &status));
        }
        report.migrations = Some(status);
    } else if report.failure.is_none() {
        status.map_err(name)?;
    }
    let ran: Vec<_> = outcome.ran.iter().map(|ran| json!({"key": ran.key, "ms": ran.ms})).collect();
    report.data = Some(json!({ "ran": ran }));
    report.target = Some(target);
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}
