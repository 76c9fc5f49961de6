//! The way through: from a statement's text to a report.

use marula_core::{
    Engine, Error, ErrorKind, Goal, Measurement, Plan, Progress, Proof, RelationalCatalog, Report,
    Result, Statement, Target,
};
use marula_postgres::catalog::{self, Scope};
use marula_postgres::explain::{self as server, Mode};
use marula_postgres::plan::SavedPlan;
use marula_postgres::sql::{ParsedStatement, RelationRef};
use marula_postgres::{Session, guard, parameters};
use pg_query::Node;

use super::rewrites::Session as Facts;
use super::{Context, decline, prove, what_if};
use crate::{Collected, ExplainOptions, ProveMode, check_all, collect, failure};

/// Why a statement is slow, what would mend it, and the proof.
///
/// # Errors
/// `Syntax` and `Refused` before anything is sent; `NotFound` with the nearest names;
/// `Unsupported` for a what-if proof on a target without HypoPG; and what the server says.
pub async fn explain(
    session: &Session,
    target: &Target,
    sql: &str,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let parsed = guard::check(sql)?;
    let subject = Subject::read(session, parsed, options, progress).await?;
    let mut report = report(target, Some(&subject.statement), options);
    progress.step("asking the server for its plan");
    let planned = server::explain(session, &subject.statement, Mode::Estimate).await;
    let mut plan = planned.map_err(|error| about_values(error, options))?;
    if options.analyze {
        progress.step("running the statement on the target");
        match server::explain(session, &subject.statement, Mode::Analyze).await {
            Ok(actual) => plan = actual,
            Err(error) if error.kind() == ErrorKind::Timeout => {
                report.notes.push(timed_out(options));
                report.measured = Some(Measurement {
                    ms: Some(options.timeout.as_secs_f64() * 1000.0),
                    timed_out: true,
                    ..measurement(&plan)
                });
            }
            Err(error) if failure::went_away(&error) => {
                failure::note(&mut report, failure::of_target(&error, Some(target)));
            }
            Err(error) => return Err(error),
        }
    }
    finish(session, &subject, plan, report, options, progress).await
}

/// The same for a plan somebody saved. With a session and the statement, the server's catalogue
/// is looked at and the changes are proved; without, the plan alone has to do.
///
/// # Errors
/// As [`explain`], of what is asked of the session.
pub async fn explain_saved(
    saved: SavedPlan,
    session: Option<&Session>,
    target: &Target,
    sql: Option<&str>,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let text = sql.map(Into::into).or(saved.statement);
    if let (Some(session), Some(text)) = (session, &text) {
        let subject = Subject::read(session, guard::check(text)?, options, progress).await?;
        let report = report(target, Some(&subject.statement), options);
        return finish(session, &subject, saved.plan, report, options, progress).await;
    }
    Ok(diagnose_saved(saved.plan, text.as_deref(), target, options))
}

/// What a saved plan tells without any server.
pub fn diagnose_saved(
    plan: Plan,
    sql: Option<&str>,
    target: &Target,
    options: &ExplainOptions,
) -> Report {
    // A text that does not parse is no reason to keep back what the plan says.
    let parsed = sql.and_then(|text| guard::check(text).ok());
    let statement = match (&parsed, sql) {
        (Some(parsed), _) => Some(statement(parsed)),
        (None, Some(text)) => Some(Statement::new(Engine::Postgres, text)),
        (None, None) => None,
    };
    let mut report = report(target, statement.as_ref(), options);
    if parsed.is_none() {
        report.notes.push("the statement is not known, so only the plan could be read".into());
    }
    report.notes.push(
        "there is no server behind a saved plan: existing indexes and statistics are not known, \
         and nothing was proved"
            .into(),
    );
    let context = Context::new(plan, None, parsed.and_then(root), &Facts::default());
    diagnose(context, &mut report, "there is no server behind a saved plan");
    report
}

/// What is explained.
pub(super) struct Subject {
    pub statement: Statement,
    pub root: Option<Node>,
    /// The relations it names, qualified.
    pub relations: Vec<String>,
    pub catalog: RelationalCatalog,
    pub facts: Facts,
}

impl Subject {
    async fn read(
        session: &Session,
        parsed: ParsedStatement,
        options: &ExplainOptions,
        progress: &dyn Progress,
    ) -> Result<Self> {
        progress.step("reading the catalogue");
        let names: Vec<String> = parsed.relations().iter().map(RelationRef::qualified).collect();
        let catalog = catalog::read(session, Scope::Relations(&names)).await?;
        guard::check_in_catalog(session, &parsed).await?;
        let mut statement = statement(&parsed);
        statement.parameters =
            parameters::fill(session, &parsed, &options.parameters, &catalog).await?;
        let time_zone = time_zone(session).await?;
        let facts = Facts { time_zone: Some(time_zone) };
        let mut relations: Vec<String> =
            names.iter().filter_map(|name| Some(catalog.find(name)?.qualified())).collect();
        relations.sort();
        relations.dedup();
        Ok(Subject { statement, root: root(parsed), relations, catalog, facts })
    }
}

fn root(parsed: ParsedStatement) -> Option<Node> {
    Some(Node { node: Some(parsed.root()?.clone()) })
}

fn statement(parsed: &ParsedStatement) -> Statement {
    Statement {
        fingerprint: Some(parsed.fingerprint().clone()),
        ..Statement::new(Engine::Postgres, parsed.text())
    }
}

pub(super) async fn time_zone(session: &Session) -> Result<String> {
    let row = session
        .client()
        .query_one("SELECT pg_catalog.current_setting('TimeZone')", &[])
        .await
        .map_err(|error| marula_postgres::from_server(&error))?;
    Ok(row.get(0))
}

async fn finish(
    session: &Session,
    subject: &Subject,
    mut plan: Plan,
    mut report: Report,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    if options.prove == ProveMode::WhatIf && report.failure.is_none() {
        what_if::available(session, &subject.catalog)?;
    }
    let mut lab = None;
    let mut reason = String::from("proofs were switched off");
    if options.prove == ProveMode::Lab && report.failure.is_none() {
        let opened = match own_catalogue(&plan) {
            Some(refusal) => Err(refusal),
            None => prove::open(session, subject, &mut report.notes, progress).await,
        };
        match opened {
            Ok(opened) => lab = Some(opened),
            Err(error) if may_go_on(&error) => {
                reason = format!("the lab could not make a copy: {error}");
                report.notes.push(format!("nothing was proved, because {reason}"));
                report.notes.extend(error.hints().iter().cloned());
            }
            Err(error) if failure::went_away(&error) => {
                let failure = match session.answers().await {
                    true => failure::of_lab(&error),
                    false => failure::of_target(&error, report.target.as_ref()),
                };
                failure::note(&mut report, failure);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(bench) = lab.as_mut().filter(|_| !plan.executed && !options.analyze) {
        progress.step("running the statement on the copy");
        match prove::plan(bench, subject, options.timeout).await {
            Ok(actual) if actual.executed => plan = actual,
            Ok(_) => report.notes.push(timed_out(options)),
            Err(error) if failure::went_away(&error) => {
                lab = None;
                failure::note(&mut report, failure::of_lab(&error));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(failure) = &report.failure {
        reason.clone_from(&failure.message);
    }
    if !plan.executed && lab.is_none() && !options.analyze {
        report.notes.push(
            "the statement was not run, so what is said here rests on the planner's estimates"
                .into(),
        );
    }
    if plan.executed && report.measured.is_none() {
        report.measured = Some(measurement(&plan));
    }
    let context =
        Context::new(plan, Some(subject.catalog.clone()), subject.root.clone(), &subject.facts);
    diagnose(context, &mut report, &reason);
    match (lab, options.prove) {
        (Some(lab), _) => {
            prove::prove(lab, subject, &mut report, options, progress).await?;
            decline::decline(&mut report);
        }
        (None, ProveMode::WhatIf) if report.failure.is_none() => {
            what_if::prove(session, subject, &mut report.changes, progress).await?;
        }
        _ => {}
    }
    if let (Some(goal), None) = (options.goal_ms, report.goal.and_then(|goal| goal.met)) {
        let met = report.measured.as_ref().filter(|m| !m.timed_out).and_then(|m| m.ms);
        report.goal = Some(Goal { ms: goal, met: met.map(|ms| ms <= goal) });
    }
    Ok(report)
}

/// A value the server cannot read is the user's mistake, not the server's refusal.
fn about_values(error: Error, options: &ExplainOptions) -> Error {
    // Text that is no number, no date, no enum; a date or a number out of range.
    const UNREADABLE: [&str; 4] = ["22P02", "22007", "22008", "22003"];
    let unreadable = error.server_code().is_some_and(|code| UNREADABLE.contains(&code));
    if options.parameters.is_empty() || !unreadable {
        return error;
    }
    error.with_kind(ErrorKind::Usage).hint(
        "give each --param in the form of the type its $n is compared with; they are taken in order",
    )
}

/// Runs the rules and puts what they find into the report.
fn diagnose(context: Context, report: &mut Report, not_tried: &str) {
    let version = context.plan.version.or(context.catalog.as_ref().map(|catalog| catalog.version));
    let drafts = check_all(super::rules(), version, &context);
    let Collected { findings, mut changes } = collect(Engine::Postgres, drafts);
    for change in &mut changes {
        change.proof = Proof::not_tried(not_tried);
    }
    report.findings = findings;
    report.changes = changes;
    report.plan = Some(context.plan);
}

fn report(target: &Target, statement: Option<&Statement>, options: &ExplainOptions) -> Report {
    let mut report = Report::new("explain");
    report.target = Some(target.clone());
    report.statement = statement.cloned();
    report.goal = options.goal_ms.map(|ms| Goal { ms, met: None });
    report
}

/// The one run of an explained plan as a measurement.
fn measurement(plan: &Plan) -> Measurement {
    Measurement {
        ms: plan.execution_ms.or(plan.tree.total_ms),
        runs: 1,
        reads: plan.summary.reads,
        cost: None,
        timed_out: false,
        plan: None,
    }
}

fn timed_out(options: &ExplainOptions) -> String {
    format!(
        "the statement did not finish within {} s and was cancelled on the server; the plan is \
         what the server intended, without actual numbers",
        options.timeout.as_secs_f64()
    )
}

/// The lab has a catalogue of its own, with other rows: a statement about the target's would be
/// answered from the wrong one.
fn own_catalogue(plan: &Plan) -> Option<Error> {
    let (_, node) = plan.tree.walk().into_iter().find(|(_, node)| {
        node.relation.as_deref().is_some_and(|relation| relation.starts_with("pg_catalog."))
    })?;
    let relation = node.relation.as_deref()?;
    Some(Error::new(
        ErrorKind::Unsupported,
        format!("the statement reads {relation}, and the lab's server has a catalogue of its own"),
    ))
}

/// Trouble of the lab's own is no reason to keep back the findings.
fn may_go_on(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Lab | ErrorKind::Unsupported | ErrorKind::Io | ErrorKind::Denied
    )
}
