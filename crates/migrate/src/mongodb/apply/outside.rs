//! What runs by itself: noted before with what was there, and found out afterwards.

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};

use super::Ground;
use super::run::Work;
use super::{history, send, waiting};
use crate::apply::record::{Current, digest};
use crate::apply::retry;

/// Commands that only wait for a lock: they get a limit, and are tried again.
const QUICK: [&str; 4] = ["collMod", "dropIndexes", "drop", "create"];
/// Commands that do the same when they are run twice.
const AGAIN: [&str; 22] = [
    "createIndexes",
    "collMod",
    "aggregate",
    "find",
    "count",
    "distinct",
    "ping",
    "validate",
    "compact",
    "reIndex",
    "grantRolesToUser",
    "revokeRolesFromUser",
    "grantPrivilegesToRole",
    "revokePrivilegesFromRole",
    "grantRolesToRole",
    "updateUser",
    "updateRole",
    "enableSharding",
    "shardCollection",
    "setParameter",
    "setFeatureCompatibilityVersion",
    "planCacheClear",
];

/// Runs a step that was not begun, or finds out how far it came and goes on.
pub(super) async fn run(work: &Work<'_>, step: usize, command: &Document) -> Result<()> {
    let (ground, due) = (work.ground, work.due);
    let own = &due.steps()[step];
    let begun = work.begun(step);
    let name = send::name(command).to_string();
    let before = match begun {
        Some(current) => current.before.clone(),
        None => {
            let before = before(work, command).await?;
            let current = Current {
                step,
                digest: digest(own),
                text: own.text.clone(),
                before: before.clone(),
                batch: None,
            };
            let wrote = history::current(ground, due, step, Some(&current), None).await;
            history::plainly(ground, wrote)?;
            before
        }
    };
    if begun.is_some() && is_unknown(&name) {
        let key = crate::apply::key_of(due.migration);
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{name} had begun when it was interrupted, and whether it took effect cannot be seen"),
        )
        .hint(format!("if it may run again: marula migrate repair TARGET --again {key}"))
        .hint(format!("if it is done: marula migrate repair TARGET --done {key}")));
    }
    let mut command = command.clone();
    let limit = due.options().lock_timeout.unwrap_or(work.options.lock_timeout);
    if QUICK.contains(&name.as_str()) && !command.contains_key("maxTimeMS") {
        command.insert("maxTimeMS", i64::try_from(limit.as_millis()).unwrap_or(2_000).max(1));
    }
    let mut tries = 1;
    loop {
        // A build may take its time, and is not to wait for its lock any longer than others.
        let ran = match name.as_str() {
            "createIndexes" => waiting::alone(ground, &command, limit, work.progress).await,
            _ => send::alone(ground, &command).await,
        };
        let Err(error) = ran else { break };
        let code = error.server_code().unwrap_or_default().to_string();
        if (begun.is_some() || tries > 1) && done_already(&name, &code, &before) {
            break;
        }
        let passing = matches!(
            code.as_str(),
            "MaxTimeMSExpired"
                | "LockTimeout"
                | "LockBusy"
                | "IndexBuildAborted"
                | "BackgroundOperationInProgressForNamespace"
                | "ConflictingOperationInProgress"
        );
        // A command that a limit or a lock ended may be begun again; a server that went away is
        // asked by the next run.
        if passing && tries < work.options.tries {
            work.progress.step(&format!(
                "{}: waits for a lock (try {})",
                due.migration.title(),
                tries + 1
            ));
            tokio::time::sleep(retry::pause(tries)).await;
            work.options.stop.check()?;
            tries += 1;
            ground.begins(step, false).await;
            continue;
        }
        if matches!(
            error.kind(),
            ErrorKind::Server | ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Timeout
        ) {
            // The server said no: it is as if the step had not begun.
            let wrote = history::current(ground, due, step, None, None).await;
            history::plainly(ground, wrote)?;
        }
        return Err(match passing {
            true => unlocked(ground, error, &command, tries).await,
            false => error,
        });
    }
    let wrote = history::advance(ground, due, step..step + 1, work.is_last(step), None).await;
    history::plainly(ground, wrote)
}

/// The error of a command that got no lock, with who holds it.
async fn unlocked(ground: &Ground, error: Error, command: &Document, tries: u32) -> Error {
    let of = command.get_str(send::name(command)).unwrap_or_default();
    let held = waiting::holders(ground, &waiting::working(ground).await, of).await;
    let error = match held {
        Some(held) => error.hint(format!("it was tried {tries} times, and waits for: {held}")),
        None => error
            .hint(format!("it was tried {tries} times; db.currentOp() shows who is in its way")),
    };
    error.hint("let it end, or try longer: --tries, --lock-timeout")
}

fn is_unknown(name: &str) -> bool {
    let seen = [
        "create",
        "drop",
        "dropIndexes",
        "renameCollection",
        "createUser",
        "createRole",
        "dropUser",
        "dropRole",
        "dropDatabase",
    ];
    !AGAIN.contains(&name) && !seen.contains(&name)
}

/// What is there before it begins.
async fn before(work: &Work<'_>, command: &Document) -> Result<Vec<String>> {
    let ground = work.ground;
    let map = |error| ground.session.map(error);
    let name = send::name(command);
    let of = command.get_str(name).unwrap_or_default();
    let database = ground.session.database();
    Ok(match name {
        "create" | "drop" => {
            let names = database.list_collection_names().filter(doc! { "name": of });
            names.await.map_err(map)?
        }
        "renameCollection" => {
            let (other, collection) = of.split_once('.').unwrap_or(("", of));
            let database = ground.session.client().database(other);
            let names = database.list_collection_names().filter(doc! { "name": collection });
            names.await.map_err(map)?
        }
        "dropIndexes" => match database.collection::<Document>(of).list_index_names().await {
            Ok(names) => match command.get("index") {
                Some(Bson::String(one)) if one != "*" => {
                    names.into_iter().filter(|name| name == one).collect()
                }
                _ => names,
            },
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    })
}

/// Whether an error says that the interrupted run had done it.
fn done_already(name: &str, code: &str, before: &[String]) -> bool {
    let there = !before.is_empty();
    match (name, code) {
        ("create", "NamespaceExists" | "48") => !there,
        ("drop" | "renameCollection", "NamespaceNotFound" | "26") => there,
        ("dropIndexes", "IndexNotFound" | "27") => there,
        ("createUser", "Location51003" | "51003")
        | ("createRole", "Location51002" | "51002")
        | ("dropUser", "UserNotFound")
        | ("dropRole", "RoleNotFound") => true,
        _ => false,
    }
}
