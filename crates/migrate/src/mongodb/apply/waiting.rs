//! A command that waits for its lock, and who holds it.
//!
//! A limit on a build counts its work, too, and helps only while the command itself waits. Behind
//! its work a build waits in a thread of the server's own for transactions to end: who ends the
//! command then frees nobody, and the index is made all the same (4.4, 5.0 and 6.0 agree). So our
//! own operation is killed while it waits for its lock at its beginning, and at no other time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Progress, Result};

use super::{Ground, send};

/// So many who may hold a lock are named.
const NAMED: usize = 3;

/// So often it is told that a build still waits.
const AGAIN: Duration = Duration::from_secs(30);

/// Runs a command by itself, and ends it when it has waited for its lock as long as `limit`; the
/// error has the server's code for that, and names who holds it. A build that has done its work and
/// is not let in is told.
pub(super) async fn alone(
    ground: &Ground,
    command: &Document,
    limit: Duration,
    progress: &dyn Progress,
) -> Result<Document> {
    let session = working(ground).await;
    let name = send::name(command).to_string();
    let running = send::alone(ground, command);
    // The command may end before the word that killed it has come back.
    let killed = AtomicBool::new(false);
    let collection = command.get_str(&name).unwrap_or_default();
    let watched = Watched { ground, name: &name, collection, session };
    let watching = watched.watch(limit, &killed, progress);
    tokio::pin!(running, watching);
    let mut ended = false;
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
            () = &mut watching, if !ended => ended = true,
        }
    }
}

/// A command of ours that runs.
struct Watched<'a> {
    ground: &'a Ground,
    name: &'a str,
    collection: &'a str,
    session: Bson,
}

/// Where it stands.
enum Stand {
    /// It waits for its lock, as these operations.
    Waits(Vec<Bson>),
    /// The server works on it.
    Works,
    /// It has neither a lock to wait for nor a thread that works.
    Idle,
}

impl Watched<'_> {
    /// Kills it once it has waited for its lock as long as `limit`, and says so in `killed`; tells
    /// what it waits for behind its work.
    async fn watch(&self, limit: Duration, killed: &AtomicBool, progress: &dyn Progress) {
        let every = (limit / 5).clamp(Duration::from_millis(20), Duration::from_millis(250));
        let (mut waits, mut idles): (Option<Instant>, Option<Instant>) = (None, None);
        let mut told: Option<Instant> = None;
        loop {
            tokio::time::sleep(every).await;
            let Some(stand) = self.look().await else { return };
            if !matches!(stand, Stand::Waits(_)) {
                waits = None;
            }
            if !matches!(stand, Stand::Idle) {
                idles = None;
            }
            match stand {
                Stand::Waits(operations)
                    if waits.get_or_insert_with(Instant::now).elapsed() >= limit =>
                {
                    let admin = self.ground.session.client().database("admin");
                    for operation in operations {
                        killed.store(true, Ordering::Relaxed);
                        let _ = admin.run_command(doc! { "killOp": 1, "op": operation }).await;
                    }
                    return;
                }
                Stand::Idle
                    if idles.get_or_insert_with(Instant::now).elapsed() >= limit.max(every)
                        && told.is_none_or(|told| told.elapsed() >= AGAIN) =>
                {
                    let first = told.replace(Instant::now()).is_none();
                    let (name, of) = (self.name, self.collection);
                    let behind = match holders(self.ground, &self.session, of).await {
                        Some(held) => format!("waits for its last lock, behind {held}"),
                        None => "waits for the other members, or for its last lock".into(),
                    };
                    let text = format!("{name} on {of} has done its work and {behind}");
                    progress.step(&text);
                    if first {
                        self.ground.note(text);
                    }
                }
                _ => {}
            }
        }
    }

    /// Where it stands; `None` when that cannot be seen.
    async fn look(&self) -> Option<Stand> {
        let command = format!("command.{}", self.name);
        let ours = doc! { "lsid.id": self.session.clone(), &command: { "$exists": true } };
        // A build's work is done by a thread of the server's own.
        let worker = doc! { "desc": { "$regex": "^IndexBuild" }, &command: self.collection };
        let look = |all: bool| {
            doc! {
                "aggregate": 1,
                "pipeline": [
                    { "$currentOp": { "allUsers": all } },
                    { "$match": { "$or": [ours.clone(), worker.clone()] } },
                    { "$project": { "opid": 1, "waitingForLock": 1, "desc": 1 } },
                ],
                "cursor": {},
            }
        };
        let admin = self.ground.session.client().database("admin");
        // Without the right to see others' operations there is no telling who works.
        let (reply, sees_all) = match admin.run_command(look(true)).await {
            Ok(reply) => (reply, true),
            Err(_) => (admin.run_command(look(false)).await.ok()?, false),
        };
        let is_worker =
            |one: &Document| one.get_str("desc").is_ok_and(|desc| desc.starts_with("IndexBuild"));
        let (workers, ours): (Vec<&Document>, Vec<&Document>) =
            batch(&reply).into_iter().partition(|one| is_worker(one));
        let waiting = ours.iter().filter(|one| one.get_bool("waitingForLock").unwrap_or(false));
        let waiting: Vec<Bson> = waiting.filter_map(|one| one.get("opid").cloned()).collect();
        Some(match () {
            () if !waiting.is_empty() => Stand::Waits(waiting),
            () if sees_all && workers.is_empty() && !ours.is_empty() => Stand::Idle,
            () => Stand::Works,
        })
    }
}

/// The session that works, while it does not.
pub(super) async fn working(ground: &Ground) -> Bson {
    ground.work.lock().await.id().get("id").cloned().unwrap_or(Bson::Null)
}

/// Who may hold a lock on a collection: open transactions, the oldest first, and what works on it.
/// `own` is the session that works, which is not one of them.
pub(super) async fn holders(ground: &Ground, own: &Bson, collection: &str) -> Option<String> {
    let admin = ground.session.client().database("admin");
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
