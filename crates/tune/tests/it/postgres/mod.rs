//! PostgreSQL: every rule's examples, every kind of proposal, refusals, saved plans.

mod accepted;
mod demo;
mod early_groups;
mod examples;
mod faults;
mod partitions;
mod proofs;
mod reach;
mod refusals;
mod rewrites;
mod saved;
mod tune;
mod tune_kinds;
mod tune_search;

use std::time::Duration;

use marula_core::{Change, Engine, Quiet, Report, Target, TargetKind};
use marula_lab::shared;
use marula_postgres::{Session, SessionOptions};
use marula_tune::postgres::explain;
use marula_tune::{ExplainOptions, ProveMode};

/// A session on an empty database of the shared server.
async fn fresh(major: u16) -> Session {
    let server = shared::postgres(major).await.unwrap();
    let spec = server.create_database().await.unwrap();
    Session::open(&spec, &SessionOptions::lab()).await.unwrap()
}

/// Makes data and settings. One statement at a time: some may not stand in a transaction.
async fn set_up(session: &Session, setup: &str) {
    // Counts reach the statistics views a second late, unless asked for: ANALYZE must not be
    // overtaken by the changes before it.
    let flush = match session.version().major {
        15.. => "SELECT pg_stat_force_next_flush()",
        _ => "SELECT 1",
    };
    for statement in marula_postgres::sql::parse_all(setup).unwrap() {
        let statement = statement.text();
        let made = session.client().batch_execute(statement).await;
        made.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        session.client().batch_execute(flush).await.unwrap();
    }
}

fn target(session: &Session) -> Target {
    Target {
        name: "lab/test/postgres".into(),
        kind: TargetKind::Lab,
        engine: Engine::Postgres,
        database: Some(session.database().to_string()),
        version: Some(session.version()),
    }
}

fn options(prove: ProveMode) -> ExplainOptions {
    ExplainOptions {
        prove,
        analyze: true,
        timeout: Duration::from_secs(30),
        ..ExplainOptions::default()
    }
}

/// What is said of a statement that runs on the target.
async fn explained(session: &Session, sql: &str, prove: ProveMode) -> Report {
    explain(session, &target(session), sql, &options(prove), &Quiet)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.hints()))
}

fn rules_of(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

/// The operations of the plan, indented, for messages of failed tests.
fn ops(report: &Report) -> String {
    let plan = report.plan.as_ref().unwrap();
    let line = |(path, node): (Vec<usize>, &marula_core::PlanNode)| {
        format!(
            "{}{} {:?} rows {:?} removed {:?} loops {:?} ms {:?} {:?}\n",
            "  ".repeat(path.len()),
            node.op,
            node.relation,
            node.actual_rows,
            node.removed,
            node.loops,
            node.self_ms,
            node.details
        )
    };
    plan.tree.walk().into_iter().map(line).collect()
}

/// The changes as they read, with what came of them, for messages of failed tests.
fn shown(report: &Report) -> String {
    let line = |change: &Change| {
        format!(
            "{:?} {:?} {} {:?}\n",
            change.up, change.proof.verdict, change.proof.reason, change.proof.speedup
        )
    };
    let changes: String = report.changes.iter().map(line).collect();
    format!(
        "{changes}notes {:?}\nbest {:?}",
        report.notes,
        report.best.as_ref().map(|b| (&b.changes, b.proof.speedup))
    )
}
