//! Asks a server how it runs a command.

use bson::{Document, doc};
use marula_core::{Plan, Result};

use crate::{Command, Session, catalog, guard, plan};

/// How far the server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The plan alone; nothing runs.
    Estimate,
    /// The plan with what really happened: the server runs it, up to the time limit. Writes are
    /// not applied: the server only looks for what they would change.
    Execute,
}

/// The server's plan for a command. The guard is asked first.
///
/// # Errors
/// `Refused` by the guard, `NotFound` when there is no such collection, `Timeout` past the
/// session's limit, and what the server says.
pub async fn explain(session: &Session, command: &Command, mode: Mode) -> Result<Plan> {
    let reply = raw(session, command, mode).await?;
    let mut saved = plan::from_document(reply)?;
    saved.plan.version.get_or_insert(session.version());
    // A collection that does not exist is explained as one without documents.
    let nothing = saved.plan.tree.walk().iter().any(|(_, node)| node.op == "EOF");
    if nothing
        && command.database.is_none()
        && let Ok(known) = catalog::names(session).await
        && !known.contains(&command.collection)
    {
        let known = known.iter().map(String::as_str);
        return Err(catalog::unknown_collection(session, &command.collection, known));
    }
    Ok(saved.plan)
}

/// The server's explain output as it is.
///
/// # Errors
/// As [`explain`].
pub async fn raw(session: &Session, command: &Command, mode: Mode) -> Result<Document> {
    guard::check(command)?;
    if session.options().read_only {
        guard::check_in_catalog(session, command).await?;
    }
    let mut inner = command.to_command();
    // The limit belongs to the explain: inside it, some versions do not look at it.
    inner.remove("maxTimeMS");
    let verbosity = match mode {
        Mode::Estimate => "queryPlanner",
        // From 6.0 on this tells how the plans scored against each other; it runs nothing more.
        Mode::Execute if session.version().major >= 6 => "allPlansExecution",
        Mode::Execute => "executionStats",
    };
    let explain = doc! { "explain": inner, "verbosity": verbosity };
    session.send(&session.database_of(command), explain).await
}
