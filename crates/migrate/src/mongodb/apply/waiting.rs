//! A command that waits for its lock, and who holds it.
//!
//! A limit on a build counts its work, too, and helps only while the command itself waits. Behind
//! its work a build waits in a thread of the server's own for transactions to end: who ends the
//! command then frees nobody, and the index is made all the same (4.4, 5.0 and 6.0 agree). So our
//! own operation is killed while it waits for its lock at its beginning, and at no other time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};

use super::{Ground, send};

/// So many who may hold a lock are named.
const NAMED: usize = 3;

/// Runs a command by itself, and ends it when it has waited for its lock as long as `limit`; the
/// error has the server's code for that, and names who holds it.
pub(super) async fn alone(
    ground: &Ground,
    command: &Document,
    limit: Duration,
) -> Result<Document> {
    let session = ground.work.lock().await.id().clone();
    let name = send::name(command).to_string();
    let running = send::alone(ground, command);
    // The command may end before the word that killed it has come back.
    let killed = AtomicBool::new(false);
    let watching = watch(ground, session.get("id"), &name, limit, &killed);
    tokio::pin!(running, watching);
    let mut watched = false;
    loop {
        tokio::select! {
            reply = &mut running => {
                let killed = killed.load(Ordering::Relaxed);
                return match reply {
                    Err(error) if killed && error.server_code() == Some("Interrupted") => {
                        let what = format!("{name} waited {limit:?} for its lock");
                        Err(Error::new(ErrorKind::Timeout, what).code("LockTimeout"))
                    }
                    reply => reply,
                };
            }
            () = &mut watching, if !watched => watched = true,
        }
    }
}

/// Kills our own operation once it has waited for its lock as long as `limit`, and says so in
/// `killed`; waits for ever when it cannot be seen.
async fn watch(
    ground: &Ground,
    session: Option<&Bson>,
    name: &str,
    limit: Duration,
    killed: &AtomicBool,
) {
    let admin = ground.session.client().database("admin");
    let own = doc! {
        "lsid.id": session.cloned().unwrap_or(Bson::Null),
        format!("command.{name}"): { "$exists": true },
        "waitingForLock": true,
    };
    let look = doc! {
        "aggregate": 1,
        "pipeline": [{ "$currentOp": {} }, { "$match": own }, { "$project": { "opid": 1 } }],
        "cursor": {},
    };
    let every = (limit / 5).clamp(Duration::from_millis(20), Duration::from_millis(250));
    let mut since: Option<Instant> = None;
    loop {
        tokio::time::sleep(every).await;
        let Ok(reply) = admin.run_command(look.clone()).await else {
            return std::future::pending().await;
        };
        let waiting = batch(&reply);
        if waiting.is_empty() {
            since = None;
            continue;
        }
        if since.get_or_insert_with(Instant::now).elapsed() < limit {
            continue;
        }
        for operation in waiting {
            let Some(id) = operation.get("opid") else { continue };
            killed.store(true, Ordering::Relaxed);
            let _ = admin.run_command(doc! { "killOp": 1, "op": id.clone() }).await;
        }
        return;
    }
}

/// Who may hold a lock on a collection: open transactions, the oldest first, and what works on it.
pub(super) async fn holders(ground: &Ground, collection: &str) -> Option<String> {
    let admin = ground.session.client().database("admin");
    let own = ground.work.lock().await.id().get("id").cloned().unwrap_or(Bson::Null);
    let look = |all: bool| {
        doc! {
            "aggregate": 1,
            "pipeline": [
                { "$currentOp": { "allUsers": all, "idleSessions": true } },
                { "$match": { "lsid.id": { "$ne": own.clone() } } },
            ],
            "cursor": {},
        }
    };
    let reply = match admin.run_command(look(true)).await {
        Ok(reply) => reply,
        Err(_) => admin.run_command(look(false)).await.ok()?,
    };
    let namespace = format!("{}.{collection}", ground.session.database().name());
    let mut found: Vec<(f64, String)> = batch(&reply)
        .into_iter()
        .filter(|operation| !operation.get_bool("waitingForLock").unwrap_or(false))
        .filter_map(|operation| held(operation, &namespace))
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let more = found.len().saturating_sub(NAMED);
    let mut named: Vec<String> = found.into_iter().take(NAMED).map(|(_, who)| who).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

/// What an operation holds, and for how many seconds.
fn held(operation: &Document, namespace: &str) -> Option<(f64, String)> {
    let seconds = |document: &Document, key: &str| send::number(document, key) as f64 / 1e6;
    let transaction = operation.get_document("transaction").ok().filter(|own| {
        own.get_document("parameters").is_ok_and(|said| said.contains_key("autocommit"))
    });
    let (age, what) = match transaction {
        Some(own) => {
            let age = seconds(own, "timeOpenMicros");
            (age, format!("a transaction open for {age:.1} s"))
        }
        None if operation.get_str("ns").is_ok_and(|ns| ns == namespace) => {
            let age = seconds(operation, "microsecs_running");
            let name = operation.get_document("command").map_or("", send::name);
            (age, format!("{} for {age:.1} s", if name.is_empty() { "an operation" } else { name }))
        }
        None => return None,
    };
    let mut who = Vec::new();
    if let Ok(name) = operation.get_str("appName").or(operation.get_str("desc")) {
        who.push(name.to_string());
    }
    let users = operation.get_array("effectiveUsers").ok();
    let user = users.and_then(|all| all.first()?.as_document()?.get_str("user").ok());
    who.extend(user.map(|user| format!("user {user}")));
    who.extend(operation.get_str("client").ok().map(String::from));
    Some((age, format!("{what} ({})", who.join(", "))))
}

fn batch(reply: &Document) -> Vec<&Document> {
    let cursor = reply.get_document("cursor").ok();
    let found = cursor.and_then(|cursor| cursor.get_array("firstBatch").ok());
    found.into_iter().flatten().filter_map(Bson::as_document).collect()
}
