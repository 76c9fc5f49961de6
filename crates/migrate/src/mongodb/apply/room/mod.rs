//! Room on the server's disk: what a step will need of it, against what is free, before it begins.
//! A MongoDB server whose disk is full ends itself, and whoever else it serves stands still.
//!
//! Estimates are of the kind that is rather too small: what is refused would hardly have come to its
//! end. Asked is the server that is written to; on shards each has a disk of its own, and none is asked.

mod batches;
mod copy;
mod index;

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};

use super::Ground;
use super::pieces::{self, How};
use super::send::{self, number};
use crate::apply::Due;

/// Documents that are looked at for an estimate.
const SAMPLE: i64 = 1000;
/// What an entry of the oplog and of the journal has besides the change.
const ENTRY: f64 = 160.0;
/// What compression leaves of entries of the oplog.
const PACKED: f64 = 0.4;

/// What a step needs, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Need {
    /// What it does, in words.
    what: String,
    /// What stays when it is done.
    stays: f64,
    /// What it needs besides, while it runs.
    passes: f64,
}

/// The server's disk, in bytes.
#[derive(Debug, Clone, Copy)]
struct Disk {
    free: f64,
    all: f64,
}

/// A collection as the server counts it, in bytes.
struct Stats {
    count: f64,
    /// Uncompressed.
    size: f64,
    /// In its file.
    storage: f64,
    /// Of that, what can be written over.
    reusable: f64,
    indexes: f64,
}

impl Stats {
    async fn of(ground: &Ground, database: Option<&str>, collection: &str) -> Option<Stats> {
        let database = match database {
            Some(other) => ground.session.client().database(other),
            None => ground.session.database().clone(),
        };
        // A view has none, and some users may not ask.
        let reply = database.run_command(doc! { "collStats": collection }).await.ok()?;
        let reusable = reply
            .get_document("wiredTiger")
            .and_then(|of| of.get_document("block-manager"))
            .map_or(0, |blocks| number(blocks, "file bytes available for reuse"));
        Some(Stats {
            count: number(&reply, "count") as f64,
            size: number(&reply, "size") as f64,
            storage: number(&reply, "storageSize") as f64,
            reusable: reusable as f64,
            indexes: number(&reply, "totalIndexSize") as f64,
        })
    }

    /// What compression leaves of a byte.
    fn packed(&self) -> f64 {
        // What was just written is not in the file yet.
        if self.size > 1e6 && self.storage < self.size / 50.0 {
            return 0.3;
        }
        ((self.storage - self.reusable) / self.size.max(1.0)).clamp(0.05, 1.0)
    }

    fn average(&self) -> f64 {
        self.size / self.count.max(1.0)
    }
}

/// Fails for the first step that the disk has no room for, with what those before it leave behind.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>]) -> Result<()> {
    let Some(disk) = disk(ground).await else { return Ok(()) };
    let mut before = 0.0;
    for due in due {
        for (at, step) in due.steps().iter().enumerate().skip(due.from()) {
            let how = pieces::how(due, step, ground.deployment);
            let Some(need) = need(ground, &how, begun_after(due, at).as_ref()).await else {
                continue;
            };
            fits(&need, before, disk).map_err(|error| error.at(due.place(at)))?;
            before += need.stays;
        }
    }
    Ok(())
}

/// The same for one step, when its turn has come.
pub(super) async fn check_step(ground: &Ground, due: &Due<'_>, at: usize, how: &How) -> Result<()> {
    let Some(disk) = disk(ground).await else { return Ok(()) };
    match need(ground, how, begun_after(due, at).as_ref()).await {
        Some(need) => fits(&need, 0.0, disk),
        None => Ok(()),
    }
}

/// How much of the disk is free before a step, in words; `None` while a tenth of it is.
pub(super) async fn little(ground: &Ground) -> Option<String> {
    let disk = disk(ground).await?;
    (disk.free < disk.all / 10.0).then(|| format!("{} of {}", bytes(disk.free), bytes(disk.all)))
}

/// The last `_id` of a step that was left in the middle.
fn begun_after(due: &Due<'_>, at: usize) -> Option<Bson> {
    let current = due.left()?.current.as_ref().filter(|current| current.step == at)?;
    super::batch::read_key(current.batch.as_ref()?.after.as_deref()?).ok()
}

fn fits(need: &Need, before: f64, disk: Disk) -> Result<()> {
    let whole = need.stays + need.passes;
    if before + whole <= disk.free {
        return Ok(());
    }
    let parts = match (need.stays > 0.0, need.passes > 0.0) {
        (true, true) => {
            format!(" ({} that stay, {} while it runs)", bytes(need.stays), bytes(need.passes))
        }
        _ => String::new(),
    };
    let earlier = match before > 0.0 {
        true => format!(" and the steps before it {}", bytes(before)),
        false => String::new(),
    };
    let what = format!(
        "{} needs about {}{parts}{earlier}, and the server's disk has {} free of {}; it was not begun",
        need.what,
        bytes(whole),
        bytes(disk.free),
        bytes(disk.all)
    );
    Err(Error::new(ErrorKind::Refused, what)
        .hint("make room on the disk of the server's data, or give it a larger one")
        .hint("or pass the look at the data and the disk over: --no-data-check"))
}

/// Powers of 1024, as the server's own tools print them.
fn bytes(number: f64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut number, mut at) = (number.max(0.0), 0);
    while number >= 1000.0 && at + 1 < units.len() {
        number /= 1024.0;
        at += 1;
    }
    let digits = usize::from(at > 0 && number < 100.0);
    format!("{number:.digits$} {}", units[at])
}

/// `None` where the server does not say.
async fn disk(ground: &Ground) -> Option<Disk> {
    if ground.deployment.sharded {
        return None;
    }
    let reply = ground.session.database().run_command(doc! { "dbStats": 1 }).await.ok()?;
    let (all, used) = (number(&reply, "fsTotalSize"), number(&reply, "fsUsedSize"));
    (all > 0).then(|| Disk { free: (all - used) as f64, all: all as f64 })
}

/// What a step needs; `None` where that cannot be told.
async fn need(ground: &Ground, how: &How, after: Option<&Bson>) -> Option<Need> {
    match how {
        How::Batches(batched) => batches::need(ground, batched, after).await,
        How::Outside(command) => match send::name(command) {
            "createIndexes" => index::need(ground, command).await,
            "aggregate" => copy::of_pipeline(ground, command).await,
            "renameCollection" => copy::of_rename(ground, command).await,
            "cloneCollectionAsCapped" | "convertToCapped" => {
                let name = command.get_str(send::name(command)).ok()?;
                let stats = Stats::of(ground, None, name).await?;
                let limit = number(command, "size") as f64;
                let stays = (stats.size.min(limit) * stats.packed()).max(0.0);
                Some(Need { what: format!("the copy of {name}"), stays, passes: 0.0 })
            }
            _ => None,
        },
        _ => None,
    }
}

async fn one(ground: &Ground, collection: &str, stages: Vec<Document>) -> Option<Document> {
    let limit = std::time::Duration::from_secs(60);
    let documents = ground.collection(collection);
    let mut cursor = documents.aggregate(stages).allow_disk_use(true).max_time(limit).await.ok()?;
    cursor.advance().await.ok()?.then(|| cursor.deserialize_current().ok())?
}

/// How many documents match; `None` when counting takes too long.
async fn counted(ground: &Ground, collection: &str, filter: Document) -> Option<f64> {
    let documents = ground.collection(collection);
    let minute = std::time::Duration::from_secs(60);
    documents.count_documents(filter).max_time(minute).await.ok().map(|n| n as f64)
}

/// How much the oplog may still grow.
async fn oplog_room(ground: &Ground) -> f64 {
    if !ground.deployment.transactions {
        return 0.0;
    }
    let local = ground.session.client().database("local");
    match local.run_command(doc! { "collStats": "oplog.rs" }).await {
        Ok(reply) => (number(&reply, "maxSize") - number(&reply, "size")).max(0) as f64,
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_its_figures() {
        let disk = Disk { free: 60.0 * 1048576.0, all: 256.0 * 1048576.0 };
        let need = Need { what: "the index a_1 of items".into(), stays: 40e6, passes: 30e6 };
        let error = fits(&need, 0.0, disk).unwrap_err();
        assert_eq!(
            error.message(),
            "the index a_1 of items needs about 66.8 MB (38.1 MB that stay, 28.6 MB while it runs), and \
             the server's disk has 60.0 MB free of 256 MB; it was not begun"
        );
        let need = Need { passes: 0.0, ..need };
        assert!(fits(&need, 0.0, disk).is_ok());
        let error = fits(&need, 30e6, disk).unwrap_err();
        assert!(error.message().contains("and the steps before it 28.6 MB"), "{error}");
        assert_eq!([bytes(0.0), bytes(999.0), bytes(5e12)], ["0 bytes", "999 bytes", "4.5 TB"]);
    }
}
