//! MongoDB: every rule's examples, every kind of proposal, saved explains.

mod examples;
mod faults;
mod orders;
mod proofs;
mod rewriting;
mod saved;
mod tuning;
mod tuning_hide;
mod tuning_kinds;
mod tuning_stop;

use std::time::Duration;

use marula_core::{Change, ChangeKind, Engine, Quiet, Report, Target, TargetKind, Verdict};
use marula_lab::shared;
use marula_mongodb::{Operation, Session, SessionOptions, run, shell};
use marula_tune::mongodb::{explain, explain_saved};
use marula_tune::{ExplainOptions, ProveMode};

/// A session on an empty database of the shared server.
async fn fresh(major: u16, minor: u16) -> Session {
    let server = shared::mongodb(major, minor).await.unwrap();
    let spec = server.create_database().await.unwrap();
    Session::open(&spec, &SessionOptions::lab()).await.unwrap()
}

/// Runs lines of mongosh that make data; a line that is a whole command is sent as it is.
async fn set_up(session: &Session, setup: &str) {
    let (commands, lines): (Vec<&str>, Vec<&str>) =
        setup.lines().partition(|line| line.starts_with("{\""));
    for command in shell::parse_many(&lines.join("\n")).unwrap() {
        let made = match &command.operation {
            // The guard would refuse the $out that makes the data: the test sends it itself.
            Operation::Aggregate(_) => session
                .database()
                .run_command(command.to_command())
                .await
                .map(|_| ())
                .map_err(|e| e.to_string()),
            _ => run::apply(session, &command).await.map(|_| ()).map_err(|e| e.to_string()),
        };
        made.unwrap_or_else(|error| panic!("{}: {error}", command.to_shell()));
    }
    for command in commands {
        let command: marula_core::Json = command.parse().unwrap();
        let command = bson::Bson::try_from(command).unwrap().as_document().unwrap().clone();
        session.database().run_command(command).await.unwrap();
    }
}

/// What the rules say of an example: explained on the server; for what the guard does not send
/// there, by the explain the server gives the test.
async fn diagnosed(session: &Session, statement: &str) -> Report {
    let file = saved::file();
    if let Ok(plan) = marula_mongodb::plan::parse(statement) {
        return explain_saved(plan, None, &file, &ExplainOptions::default(), &Quiet).await.unwrap();
    }
    let command = shell::parse(statement).unwrap();
    if marula_mongodb::guard::check(&command).is_ok() {
        return explained(session, statement, ProveMode::Off).await;
    }
    let explain = bson::doc! {"explain": command.to_command(), "verbosity": "executionStats"};
    let reply = session.database().run_command(explain).await.unwrap();
    let text = bson::Bson::Document(reply).into_relaxed_extjson().to_string();
    let plan = marula_mongodb::plan::parse(&text).unwrap();
    explain_saved(plan, None, &file, &ExplainOptions::default(), &Quiet).await.unwrap()
}

fn target(session: &Session) -> Target {
    Target {
        name: "lab/test/mongodb".into(),
        kind: TargetKind::Lab,
        engine: Engine::Mongodb,
        database: Some(session.database().name().to_string()),
        version: Some(session.version()),
    }
}

/// What is said of a statement that runs on the target.
async fn explained(session: &Session, statement: &str, prove: ProveMode) -> Report {
    let options = ExplainOptions {
        prove,
        analyze: true,
        timeout: Duration::from_secs(60),
        ..ExplainOptions::default()
    };
    explain(session, &target(session), statement, &options, &Quiet)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error} {:?}", error.hints()))
}

/// The plan on one line, for messages.
fn ops(report: &Report) -> String {
    let plan = report.plan.as_ref().unwrap();
    let nodes: Vec<String> = plan
        .tree
        .walk()
        .iter()
        .map(|(path, node)| {
            format!(
                "{}{} rows {:?} reads {:?} keys {:?} {}",
                " ".repeat(path.len()),
                node.op,
                node.actual_rows,
                node.reads,
                node.keys,
                node.details.join("; ")
            )
        })
        .collect();
    nodes.join("\n")
}

fn rules_of(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

/// The change whose new text holds `part`.
fn change<'a>(report: &'a Report, part: &str) -> &'a Change {
    let found = report.changes.iter().find(|change| change.up.iter().any(|up| up.contains(part)));
    found.unwrap_or_else(|| {
        let all: Vec<_> = report.changes.iter().flat_map(|change| &change.up).collect();
        panic!("no change with {part}: {all:#?}")
    })
}

/// The rewrite that was proposed.
fn rewrite(report: &Report) -> &Change {
    report.changes.iter().find(|change| change.kind == ChangeKind::Rewrite).unwrap()
}

#[track_caller]
fn assert_proven(change: &Change) {
    assert_eq!(change.proof.verdict, Verdict::Proven, "{}: {}", change.title, change.proof.reason);
}

/// A rewrite that gains most of what it gains through an index: alone its time may be within
/// the noise, but its results are equal.
#[track_caller]
fn assert_equal(change: &Change) {
    let proof = &change.proof;
    assert_eq!(proof.results_equal, Some(true), "{}: {}", change.title, proof.reason);
}
