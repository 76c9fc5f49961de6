//! Hypothetical indexes on the target: costs, not times. HypoPG keeps them in the session's own
//! memory; nothing is written.

use marula_core::{
    Change, ChangeKind, Dataset, Depth, Engine, Error, ErrorKind, LabServer, Measurement, Plan,
    Progress, Proof, RelationalCatalog, Result, Statement, Verdict,
};
use marula_postgres::explain::{self as server, Mode};
use marula_postgres::{Session, from_server};

use super::cost;
use super::explain::Subject;

/// Refuses a what-if proof where the target cannot give one, before anything else is asked.
///
/// # Errors
/// `Unsupported` when the target lacks the HypoPG extension.
pub(super) fn available(session: &Session, catalog: &RelationalCatalog) -> Result<()> {
    if !catalog.extensions.contains_key("hypopg") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a what-if proof needs the HypoPG extension, which this database does not have",
        )
        .at(session.database())
        .hint("CREATE EXTENSION hypopg on the target (Debian: postgresql-15-hypopg), or use --prove lab"));
    }
    Ok(())
}

/// Gives each index and rewrite the planner's cost before and after.
///
/// # Errors
/// What the server says.
pub(super) async fn prove(
    session: &Session,
    subject: &Subject,
    changes: &mut [Change],
    progress: &dyn Progress,
) -> Result<()> {
    let before = server::explain(session, &subject.statement, Mode::Estimate).await?;
    for (number, change) in changes.iter_mut().enumerate() {
        progress.step("asking what if");
        progress.advance(number as u64, 0);
        change.proof = match one(session, subject, change).await {
            Ok(Some(after)) => proof(session, &before, after, change),
            Ok(None) => Proof::not_tried(format!(
                "HypoPG knows B-tree and hash indexes only; {} needs the lab",
                change.title
            )),
            Err(error) if error.kind() == ErrorKind::ServerDied => return Err(error),
            Err(error) => Proof::not_tried(format!("the server would not: {error}")),
        };
    }
    Ok(())
}

/// The plan with the change; `None` when it cannot be imagined.
async fn one(session: &Session, subject: &Subject, change: &Change) -> Result<Option<Plan>> {
    match change.kind {
        ChangeKind::Rewrite => {
            let Some(text) = change.up.first() else { return Ok(None) };
            let rewritten = Statement { text: text.clone(), ..subject.statement.clone() };
            server::explain(session, &rewritten, Mode::Estimate).await.map(Some)
        }
        ChangeKind::Index => {
            let [definition] = change.up.as_slice() else { return Ok(None) };
            if definition.contains(" USING gin ") {
                return Ok(None);
            }
            let definition = definition.replacen("CONCURRENTLY ", "", 1);
            let made = session
                .client()
                .query("SELECT * FROM hypopg_create_index($1)", &[&definition])
                .await;
            let plan = match made {
                Ok(_) => server::explain(session, &subject.statement, Mode::Estimate).await,
                Err(error) => Err(from_server(&error)),
            };
            let reset = session.client().query("SELECT hypopg_reset()", &[]).await;
            reset.map_err(|error| from_server(&error))?;
            plan.map(Some)
        }
        _ => Ok(None),
    }
}

fn proof(session: &Session, before: &Plan, after: Plan, change: &Change) -> Proof {
    let total = |plan: &Plan| cost::number(&plan.tree, "Total Cost").unwrap_or(0.0);
    let (old, new) = (total(before), total(&after));
    let measurement = |plan: Plan| Measurement {
        ms: None,
        runs: 0,
        reads: None,
        cost: Some(total(&plan)),
        timed_out: false,
        plan: Some(Box::new(plan)),
    };
    let (verdict, reason) = match new < old * 0.99 {
        true => (
            Verdict::Inconclusive,
            format!(
                "the planner's cost falls from {old:.0} to {new:.0}; costs are not times: prove \
                 it with --prove lab"
            ),
        ),
        false => (
            Verdict::Refuted,
            format!("the planner would not use it: cost {old:.0} before, {new:.0} after"),
        ),
    };
    Proof {
        dataset: Some(Dataset { depth: Depth::WhatIf, share: 1.0, rows: 0 }),
        server: Some(LabServer { engine: Engine::Postgres, version: session.version() }),
        before: Some(measurement(before.clone())),
        after: Some(measurement(after)),
        results_equal: (change.kind == ChangeKind::Index).then_some(true),
        ..Proof::bare(verdict, reason)
    }
}
