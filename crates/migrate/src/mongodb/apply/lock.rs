//! One at a time: a lease in `marula.lock`, renewed while we live, with a number that grows with
//! each holder. The server's clock decides when it is over.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bson::{Document, doc};
use marula_core::{Error, ErrorKind, Progress, Result};
use mongodb::options::{Acknowledgment, ReturnDocument, WriteConcern};

use super::Ground;
use crate::apply::Stop;

const COLLECTION: &str = "marula.lock";
/// How long a lease lasts that nobody renews.
const LEASE: Duration = Duration::from_secs(20);
/// How often it is renewed.
const BEAT: Duration = Duration::from_secs(4);

/// What we hold.
#[derive(Default)]
pub(super) struct Lease {
    token: AtomicI64,
    /// When it was last renewed; the lease is over for us before it is over for others.
    renewed: Arc<Mutex<Option<Instant>>>,
    lost: Arc<AtomicBool>,
    /// Why it could not be renewed the last time.
    trouble: Arc<Mutex<Option<Error>>>,
    beat: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Lease {
    /// The number of this holder.
    pub(super) fn token(&self) -> i64 {
        self.token.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(beat) =
            self.beat.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
        {
            beat.abort();
        }
    }
}

fn safely() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build()
}

/// A process of this machine, so that another of the same machine knows when it is gone.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let names = std::fs::read_link("/proc/self/ns/pid").map(|name| name.display().to_string());
    format!("{} {}", boot.trim(), names.unwrap_or_default())
}

/// When a process began, in ticks since the machine did; `None` when it is gone.
fn began(pid: u32) -> Option<i64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether the holder was a process of this machine that is gone.
fn is_dead(lock: &Document) -> bool {
    let own = machine();
    if own.trim().is_empty() || lock.get_str("machine").ok() != Some(own.as_str()) {
        return false;
    }
    let pid = u32::try_from(super::send::number(lock, "pid")).unwrap_or_default();
    let began_then = super::send::number(lock, "began");
    pid != 0 && began_then != 0 && began(pid) != Some(began_then)
}

/// Who has it.
pub(super) async fn holder(ground: &Ground) -> Result<Option<String>> {
    let live = doc! { "_id": "migrate", "$expr": { "$gt": ["$expires", "$$NOW"] } };
    let found = ground.collection(COLLECTION).find_one(live).await;
    let found = found.map_err(|error| ground.session.map(error))?;
    Ok(found.filter(|lock| !is_dead(lock)).map(|lock| shown(&lock)))
}

fn shown(lock: &Document) -> String {
    let who = lock.get_str("who").unwrap_or("somebody");
    match lock.get_datetime("since").ok().and_then(|since| since.try_to_rfc3339_string().ok()) {
        Some(since) => format!("{who} since {since}"),
        None => who.to_string(),
    }
}

/// Takes it, trying for as long as `wait`.
pub(super) async fn take(
    ground: &Ground,
    wait: Duration,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<()> {
    let locks = ground.collection(COLLECTION);
    let first = doc! { "_id": "migrate", "token": 0_i64, "expires": bson::DateTime::MIN };
    match locks.insert_one(first).write_concern(safely()).await {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => {}
        Err(error) => return Err(ground.session.map(error)),
    }
    let until = Instant::now() + wait;
    loop {
        let found = locks.find_one(doc! { "_id": "migrate" }).await;
        let old = found.map_err(|error| ground.session.map(error))?.unwrap_or_default();
        // Of a holder that is gone the lease is over; its number tells that it is still the same.
        let free = match is_dead(&old) {
            true => doc! { "_id": "migrate", "token": old.get("token").cloned() },
            false => doc! { "_id": "migrate", "$expr": { "$lte": ["$expires", "$$NOW"] } },
        };
        let lsid = ground.work.lock().await.id().clone();
        let asked = Instant::now();
        let mine = vec![doc! { "$set": {
            "token": { "$add": [{ "$ifNull": ["$token", 0_i64] }, 1_i64] },
            "who": { "$literal": &ground.who },
            "machine": { "$literal": machine() },
            "pid": i64::from(std::process::id()),
            "began": began(std::process::id()).unwrap_or_default(),
            "lsid": { "$literal": lsid },
            "since": "$$NOW",
            "expires": { "$add": ["$$NOW", i64::try_from(LEASE.as_millis()).unwrap_or(20_000)] },
        } }];
        let taken = locks
            .find_one_and_update(free, mine)
            .return_document(ReturnDocument::After)
            .write_concern(safely())
            .await;
        if let Some(lock) = taken.map_err(|error| ground.session.map(error))? {
            ground.lease.token.store(super::send::number(&lock, "token"), Ordering::Relaxed);
            ground.lease.lost.store(false, Ordering::Relaxed);
            *ground.lease.renewed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                Some(asked);
            end_of_old(ground, &old).await;
            beat(ground);
            return Ok(());
        }
        let found = locks.find_one(doc! { "_id": "migrate" }).await;
        let holder = found.map_err(|error| ground.session.map(error))?;
        let holder = holder.map_or_else(|| "somebody".into(), |lock| shown(&lock));
        if Instant::now() >= until {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("somebody else migrates this database: {holder}"),
            )
            .hint("wait until that has ended (--wait 10m waits for it)")
            .hint("if that program is gone, its lease ends by itself within 20 s"));
        }
        progress.step(&format!("waits for {holder}"));
        stop.check()?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn is_duplicate(error: &mongodb::error::Error) -> bool {
    use mongodb::error::{ErrorKind as Kind, WriteFailure};
    matches!(error.kind.as_ref(), Kind::Write(WriteFailure::WriteError(write)) if write.code == 11000)
        || matches!(error.kind.as_ref(), Kind::Command(command) if command.code == 11000)
}

/// Ends what the holder before us may have left running: its transactions and its commands.
async fn end_of_old(ground: &Ground, old: &Document) {
    let Ok(lsid) = old.get_document("lsid") else { return };
    let admin = ground.session.client().database("admin");
    // Without the right to do so they end by themselves, transactions after a minute.
    let _ = admin.run_command(doc! { "killSessions": [lsid.clone()] }).await;
}

/// Renews it for as long as we live.
fn beat(ground: &Ground) {
    let locks = ground.collection(COLLECTION);
    let token = ground.lease.token();
    let (lost, renewed) = (ground.lease.lost.clone(), ground.lease.renewed.clone());
    let trouble = ground.lease.trouble.clone();
    let session = ground.session.with_timeout(ground.session.options().timeout);
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            let asked = Instant::now();
            let own = doc! { "_id": "migrate", "token": token };
            let more = vec![doc! { "$set": { "expires":
            { "$add": ["$$NOW", i64::try_from(LEASE.as_millis()).unwrap_or(20_000)] } } }];
            match locks.update_one(own, more).write_concern(safely()).await {
                Ok(done) if done.matched_count == 1 => {
                    *renewed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(asked);
                    *trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
                }
                Ok(_) => {
                    lost.store(true, Ordering::Relaxed);
                    return;
                }
                // Until the lease is over the server may come back.
                Err(error) => {
                    *trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(session.map(error));
                }
            }
        }
    });
    let mut beat = ground.lease.beat.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(old) = beat.replace(task) {
        old.abort();
    }
}

/// Fails when it is not ours any more.
pub(super) fn check(ground: &Ground) -> Result<()> {
    let renewed = *ground.lease.renewed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let fresh = renewed.is_some_and(|renewed| renewed.elapsed() < LEASE);
    if ground.lease.lost.load(Ordering::Relaxed) {
        return Err(lost());
    }
    if !fresh {
        // A server that is gone is told of, not the lease that went with it.
        let trouble = &ground.lease.trouble;
        let why = trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        return Err(why.unwrap_or_else(lost));
    }
    Ok(())
}

/// Somebody took it, or it ran out.
pub(super) fn lost() -> Error {
    Error::new(
        ErrorKind::Refused,
        "the lease that keeps others from migrating ran out or was taken",
    )
    .hint("see who migrates: marula migrate status")
    .hint("the same command goes on where it was left")
}

/// Gives it back.
pub(super) async fn release(ground: &Ground) {
    if let Some(beat) =
        ground.lease.beat.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    {
        beat.abort();
    }
    let own = doc! { "_id": "migrate", "token": ground.lease.token() };
    let free = doc! { "$set": { "expires": bson::DateTime::MIN },
    "$unset": { "lsid": "", "machine": "", "pid": "", "began": "" } };
    let _ = ground.collection(COLLECTION).update_one(own, free).write_concern(safely()).await;
    *ground.lease.renewed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
}
