//! The way through: from a command's text to a report.

use marula_core::{
    DocumentCatalog, Engine, Error, ErrorKind, Goal, Measurement, Plan, Progress, Proof, Report,
    Result, Statement, Target,
};
use marula_mongodb::catalog::{self, Scope};
use marula_mongodb::command::print_document;
use marula_mongodb::explain::{self as server, Mode};
use marula_mongodb::plan::SavedPlan;
use marula_mongodb::{Command, Session, guard, shell};

use super::{Context, prove, rules, view};
use crate::{Collected, ExplainOptions, ProveMode, check_all, collect, failure};

/// Documents looked at to infer what a collection holds.
const SAMPLE: u32 = 1000;

/// Why a command is slow, what would mend it, and the proof.
///
/// # Errors
/// `Syntax` and `Refused` before anything is sent; `NotFound` for a collection that does not
/// exist; `Unsupported` for what-if proofs, which MongoDB does not have; and what the server
/// says.
pub async fn explain(
    session: &Session,
    target: &Target,
    text: &str,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    refuse_what_if(options)?;
    let command = shell::parse(text)?;
    guard::check(&command)?;
    let mut notes = Vec::new();
    let mut ended = None;
    let session = &of_database(session, &command).await?;
    progress.step("reading the collections");
    let catalog = read_catalog(session, &command).await?;
    progress.step("asking the server for its plan");
    let estimate = server::explain(session, &command, Mode::Estimate).await?;
    let mut plan = estimate;
    if options.analyze {
        progress.step("running it on the target");
        match run(session, &command, options).await {
            Ok(actual) => plan = actual,
            Err(error) if error.kind() == ErrorKind::Timeout => notes.push(timed_out(options)),
            Err(error) if failure::went_away(&error) => {
                ended = Some(failure::of_target(&error, Some(target)));
            }
            Err(error) => return Err(error),
        }
    }
    let subject = Subject { command, text: text.trim().to_string(), catalog };
    let mut report = report(target, Some(&subject), options);
    report.notes.append(&mut notes);
    if let Some(ended) = ended {
        failure::note(&mut report, ended);
    }
    finish(session, subject, plan, report, options, progress).await
}

/// The same for an explain somebody saved. With a session, its server's collections are looked
/// at and the changes are proved; without, the plan alone has to do.
///
/// # Errors
/// As [`explain`], of what is asked of the session.
pub async fn explain_saved(
    saved: SavedPlan,
    session: Option<&Session>,
    target: &Target,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    refuse_what_if(options)?;
    let SavedPlan { plan, command } = saved;
    if let (Some(session), Some(command)) = (session, command.clone()) {
        guard::check(&command)?;
        let session = &of_database(session, &command).await?;
        progress.step("reading the collections");
        let catalog = read_catalog(session, &command).await?;
        let text = command.to_shell();
        let subject = Subject { command, text, catalog };
        let report = report(target, Some(&subject), options);
        return finish(session, subject, plan, report, options, progress).await;
    }
    let version = plan.version;
    let context = Context::new(plan, command.as_ref(), None, version);
    let mut report = report(target, None, options);
    if let Some(command) = &command {
        let mut statement = Statement::new(Engine::Mongodb, command.to_shell());
        statement.fingerprint = Some(command.fingerprint());
        report.statement = Some(statement);
    } else {
        report.notes.push(
            "the saved explain does not hold its command, so only the plan could be read".into(),
        );
    }
    report.notes.push(
        "there is no server behind a saved plan: existing indexes and what the documents look \
         like are not known, and nothing was proved"
            .into(),
    );
    let reason = "there is no server behind a saved plan";
    diagnose(context, &mut report, reason);
    Ok(report)
}

/// What is explained.
pub(super) struct Subject {
    pub command: Command,
    pub text: String,
    pub catalog: DocumentCatalog,
}

impl Subject {
    /// It as a statement.
    pub fn statement(&self) -> Statement {
        Statement {
            fingerprint: Some(self.command.fingerprint()),
            ..Statement::new(Engine::Mongodb, self.text.clone())
        }
    }
}

async fn finish(
    session: &Session,
    subject: Subject,
    plan: Plan,
    mut report: Report,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    report.notes.extend(hinted(&subject.command));
    report.notes.extend(viewed(&subject));
    let mut plan = plan;
    let mut bench = None;
    if options.prove == ProveMode::Lab && report.failure.is_none() {
        match prove::open(session, &subject, &mut report.notes, progress).await {
            Ok(opened) => bench = Some(opened),
            Err(error) if may_go_on(&error) => report.notes.push(format!(
                "nothing was proved, because the lab could not make a copy: {error}"
            )),
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
    if let Some(opened) = bench.as_mut().filter(|_| !plan.executed && !options.analyze) {
        progress.step("running it on the copy");
        match prove::plan(opened, &subject, options.timeout).await {
            Ok(actual) if actual.executed => plan = actual,
            Ok(_) => report.notes.push(timed_out(options)),
            Err(error) if failure::went_away(&error) => {
                bench = None;
                failure::note(&mut report, failure::of_lab(&error));
            }
            Err(error) => return Err(error),
        }
    }
    let version = Some(session.version());
    let context =
        Context::new(plan, Some(&subject.command), Some(subject.catalog.clone()), version);
    let reason = report.failure.as_ref().map(|failure| failure.message.clone());
    let reason = reason.unwrap_or_else(|| "proofs were switched off".into());
    diagnose(context, &mut report, &reason);
    if let Some(bench) = bench {
        prove::prove(bench, &subject, &mut report, options, progress).await?;
    } else if report.plan.as_ref().is_some_and(|plan| plan.executed) {
        report.measured = report.plan.as_ref().map(measurement);
    }
    if let (Some(goal), Some(measured)) =
        (&mut report.goal, report.measured.as_ref().and_then(|m| m.ms))
    {
        goal.met = goal.met.or(Some(measured <= goal.ms));
    }
    Ok(report)
}

/// Runs the rules and puts what they find into the report.
fn diagnose(context: Context, report: &mut Report, not_tried: &str) {
    let drafts = check_all(rules::ALL, Some(context.version), &context);
    let Collected { findings, mut changes } = collect(Engine::Mongodb, drafts);
    for change in &mut changes {
        change.proof = Proof::not_tried(not_tried);
    }
    report.findings = findings;
    report.changes = changes;
    report.plan = Some(context.plan);
}

fn report(target: &Target, subject: Option<&Subject>, options: &ExplainOptions) -> Report {
    let mut report = Report::new("explain");
    report.target = Some(target.clone());
    report.statement = subject.map(Subject::statement);
    report.goal = options.goal_ms.map(|ms| Goal { ms, met: None });
    report
}

/// A session on the database the command names, when it names another.
async fn of_database(session: &Session, command: &Command) -> Result<Session> {
    match &command.database {
        Some(name) if name != session.database().name() => {
            Session::open(&session.spec().with_database(name), session.options()).await
        }
        _ => Ok(session.clone()),
    }
}

async fn read_catalog(session: &Session, command: &Command) -> Result<DocumentCatalog> {
    read_names(session, &command.collections()).await
}

/// The collections of these names, and what the views among them read.
pub(super) async fn read_names(session: &Session, names: &[String]) -> Result<DocumentCatalog> {
    let mut catalog = catalog::read(session, Scope::Collections(names), Some(SAMPLE)).await?;
    // What its views read, and the views below them.
    loop {
        let missing = view::missing(&catalog);
        if missing.is_empty() {
            return Ok(catalog);
        }
        let more = match catalog::read(session, Scope::Collections(&missing), Some(SAMPLE)).await {
            Ok(more) => more,
            // A view over nothing, or over what may not be seen: it is explained all the same.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied) => {
                return Ok(catalog);
            }
            Err(error) => return Err(error),
        };
        catalog.collections.extend(more.collections);
        catalog.notes.extend(more.notes);
    }
}

/// Where the indexes of a view are.
fn viewed(subject: &Subject) -> Option<String> {
    let name = &subject.command.collection;
    let below = view::below(name, &subject.catalog)?;
    let on = below.collection;
    Some(format!("{name} is a view on {on}, and what is proposed is an index of {on}"))
}

async fn run(session: &Session, command: &Command, options: &ExplainOptions) -> Result<Plan> {
    let limited = session.with_timeout(options.timeout);
    server::explain(&limited, command, Mode::Execute).await
}

/// The one run of an explained plan as a measurement.
fn measurement(plan: &Plan) -> Measurement {
    Measurement {
        ms: plan.execution_ms,
        runs: 1,
        reads: plan.summary.reads,
        cost: None,
        timed_out: false,
        plan: None,
    }
}

/// What a hint in the command means for what is proposed.
fn hinted(command: &Command) -> Option<String> {
    let command = command.to_command();
    let inner = ["updates", "deletes"].iter().find_map(|list| command.get_array(*list).ok());
    let inner = inner.and_then(|list| list.first()?.as_document());
    let hint = command.get("hint").or_else(|| inner?.get("hint"))?;
    let hint = match hint {
        bson::Bson::Document(keys) => print_document(keys),
        other => other.to_string(),
    };
    Some(format!(
        "the command has the hint {hint}, so the server uses no other index: a new one can only \
         help once the hint is taken out"
    ))
}

fn timed_out(options: &ExplainOptions) -> String {
    format!(
        "it did not finish within {} s and was cancelled on the server; the plan is what the \
         server intended, without actual numbers",
        options.timeout.as_secs_f64()
    )
}

fn may_go_on(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Lab | ErrorKind::Unsupported)
}

fn refuse_what_if(options: &ExplainOptions) -> Result<()> {
    match options.prove {
        ProveMode::WhatIf => Err(Error::new(
            ErrorKind::Unsupported,
            "MongoDB has no hypothetical indexes, so there is no what-if proof",
        )
        .hint("use --prove lab: the indexes are built on a copy")),
        _ => Ok(()),
    }
}
