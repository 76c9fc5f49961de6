//! `marula migrate status` and `verify`.

use marula_core::{Finding, MigrationState, Migrations, Place, Report, Result, Severity};
use marula_migrate::apply::{self, Ground as _};

use super::ground::{self, on};
use crate::app::{App, Outcome};
use crate::args::MigrateStatus;

/// What has run, what is half done, what is to come.
pub async fn run(app: &App, args: &MigrateStatus) -> Result<Outcome> {
    let report = look(app, args, "migrate status", false).await?;
    Ok(Outcome::Report(Box::new(report), app.fail_on(args.fail_on)))
}

/// The same, and what is wrong with the target itself.
pub async fn verify(app: &App, args: &MigrateStatus) -> Result<Outcome> {
    let report = look(app, args, "migrate verify", true).await?;
    Ok(Outcome::Report(Box::new(report), app.fail_on(args.fail_on)))
}

async fn look(app: &App, args: &MigrateStatus, command: &str, deep: bool) -> Result<Report> {
    let (target, place) = ground::to_read(app, &args.on.target, app.timeout(args.timeout)).await?;
    let folder = ground::folder(&args.on.dir, &target)?;
    let mut report = Report::new(command);
    report.notes = folder.notes;
    let name = |error| ground::place(error, &target.name);
    let mut status =
        on!(&place, ground => apply::status(&**ground, &folder.migrations).await).map_err(name)?;
    status.folder = args.on.dir.display().to_string();
    report.findings = drift(&status);
    if deep {
        report.findings.extend(on!(&place, ground => ground.verify().await).map_err(name)?);
    }
    report.target = Some(target);
    report.migrations = Some(status);
    Ok(report)
}

/// Drift and half-done migrations as findings.
pub fn drift(status: &Migrations) -> Vec<Finding> {
    let file = |key: &str| status.list.iter().find(|one| one.key == key)?.file.clone();
    let found = |rule: &str, severity, title: String, file, explanation: String| Finding {
        rule: rule.into(),
        severity,
        title,
        place: Place { file, ..Place::default() },
        evidence: Vec::new(),
        explanation,
        changes: Vec::new(),
        hazard: None,
    };
    let mut findings: Vec<Finding> = status
        .drift
        .iter()
        .map(|drift| {
            let ways = drift.ways.join("; ");
            let message = drift.message.clone();
            found("migration-drift", Severity::High, message, file(&drift.key), format!("{ways}."))
        })
        .collect();
    for one in &status.list {
        let (word, command) = match one.state {
            MigrationState::Half => ("applied", "apply"),
            MigrationState::HalfReverted => ("rolled back", "rollback"),
            _ => continue,
        };
        // Somebody is at it.
        let severity = if status.holder.is_some() { Severity::Info } else { Severity::Medium };
        findings.push(found(
            "half-done",
            severity,
            format!("{} {} is half {word}: {} of {} done", one.key, one.name, one.done, one.steps),
            one.file.clone(),
            format!("marula migrate {command} goes on where it was left."),
        ));
    }
    findings
}
