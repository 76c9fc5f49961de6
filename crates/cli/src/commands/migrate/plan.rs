//! `marula migrate plan`.

use marula_core::{Finding, Report, Result, Target};
use marula_migrate::apply::{self, ApplyOptions, Ground as _};
use marula_migrate::lint::LintOptions;
use marula_migrate::{Migration, mongodb, postgres};

use super::ground::{self, Where, on};
use crate::app::{App, Outcome};
use crate::args::MigratePlan;

/// What would run, with what the rules find in it.
pub async fn run(app: &App, args: MigratePlan) -> Result<Outcome> {
    let on = &args.status.on;
    let timeout = app.timeout(args.status.timeout);
    let (target, place) = ground::to_read(app, &on.target, timeout).await?;
    let folder = ground::folder(&on.dir, &target)?;
    let options = ApplyOptions {
        to: args.to.clone(),
        out_of_order: args.out_of_order,
        ..ApplyOptions::default()
    };
    let name = |error| ground::place(error, &target.name);
    let migrations = &folder.migrations;
    let (mut planned, due) =
        on!(&place, ground => apply::plan(&**ground, migrations, &options).await).map_err(name)?;
    planned.folder = on.dir.display().to_string();
    let due: Vec<Migration> = due.into_iter().map(|at| migrations[at].clone()).collect();
    let mut report = Report::new("migrate plan");
    report.findings = lint(&place, &due, &target).await.map_err(name)?;
    report.notes = folder.notes.clone();
    report.notes.extend(on!(&place, ground => ground.notes()));
    if due.is_empty() {
        report.notes.extend(apply::held(migrations, &planned));
    }
    report.migrations = Some(planned);
    report.target = Some(target);
    Ok(Outcome::Report(Box::new(report), app.fail_on(args.status.fail_on)))
}

async fn lint(place: &Where, due: &[Migration], target: &Target) -> Result<Vec<Finding>> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let options = LintOptions { version: target.version };
    let linted = match place {
        Where::Postgres(ground) => {
            use marula_postgres::catalog::{Scope, read};
            let catalog = read(ground.session(), Scope::All).await?;
            postgres::lint::lint(due, postgres::Schema::from_catalog(&catalog), &options)
        }
        Where::Mongodb(ground) => {
            use marula_mongodb::catalog::{Scope, read};
            let catalog = read(ground.session(), Scope::All, None).await?;
            mongodb::lint::lint(due, mongodb::Schema::from_catalog(&catalog), &options)
        }
    };
    Ok(linted.into_iter().flat_map(|linted| linted.findings).collect())
}
