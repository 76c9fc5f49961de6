//! Runs the commands of a migration one by one, and tells who watches.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{Error, ErrorKind, Result};
use marula_mongodb::Session;
use mongodb::ClientSession;

use super::collection_of;
use super::record::Recorder;
use crate::migration::{Backfill, Options, Step, StepKind};

/// How often what gives up for its time limit or a lock is tried.
const TRIES: u32 = 10;

/// Runs all steps as their file wants it. What fails ends it; what is done stays.
///
/// # Errors
/// The server's complaint about a step.
pub(super) async fn execute(
    session: &Session,
    steps: &[Step],
    options: &Options,
    recorder: &mut Recorder<'_>,
) -> Result<()> {
    let mut transaction = None;
    if options.transaction {
        let begun = async {
            let mut begun = session.client().start_session().await?;
            begun.start_transaction().await?;
            Ok(begun)
        };
        transaction = Some(begun.await.map_err(|error| session.map(error))?);
    }
    for (at, step) in steps.iter().enumerate() {
        let object = object_of(step);
        recorder.before(session, at, &object, options.transaction && at > 0).await?;
        for attempt in 1.. {
            recorder.tried(at, attempt);
            let ran = match &step.kind {
                StepKind::Command(command) => {
                    one(session, at, command, transaction.as_mut(), recorder).await
                }
                StepKind::Backfill(fill) => backfill(session, at, fill, recorder).await,
                StepKind::Sql(_) => Ok(()),
            };
            match ran {
                Ok(()) => break,
                Err(error) if patient(&error, attempt) && transaction.is_none() => {
                    tokio::time::sleep(Duration::from_millis(50 << attempt.min(5))).await;
                }
                Err(error) => {
                    recorder.failed(at, &error);
                    if let Some(mut open) = transaction {
                        let _ = open.abort_transaction().await;
                    }
                    return Err(error);
                }
            }
        }
        recorder.after(session, at).await?;
    }
    if let Some(mut open) = transaction {
        open.commit_transaction().await.map_err(|error| session.map(error))?;
    }
    Ok(())
}

/// The collection a step is about.
fn object_of(step: &Step) -> String {
    match &step.kind {
        StepKind::Backfill(fill) => fill.collection.clone(),
        StepKind::Command(command) => collection_of(command).unwrap_or_default(),
        StepKind::Sql(_) => String::new(),
    }
}

fn patient(error: &Error, attempt: u32) -> bool {
    let said = error.to_string();
    attempt < TRIES
        && (error.kind() == ErrorKind::Timeout
            || ["MaxTimeMSExpired", "LockTimeout", "WriteConflict"]
                .iter()
                .any(|code| error.server_code() == Some(code) || said.contains(code)))
}

async fn one(
    session: &Session,
    at: usize,
    command: &Document,
    transaction: Option<&mut ClientSession>,
    recorder: &mut Recorder<'_>,
) -> Result<()> {
    let rename = command.contains_key("renameCollection");
    let own = session.database();
    let database = if rename { session.client().database("admin") } else { own.clone() };
    let mut command = command.clone();
    if rename {
        // The copy has a name of its own.
        for key in ["renameCollection", "to"] {
            if let Ok(text) = command.get_str(key)
                && let Some((_, name)) = text.split_once('.')
            {
                let here = format!("{}.{name}", own.name());
                command.insert(key, here);
            }
        }
    }
    let mut running = database.run_command(command);
    if let Some(transaction) = transaction {
        running = running.session(transaction);
    }
    let reply = running.await.map_err(|error| session.map(error))?;
    recorder.replied(at, &reply);
    let first = reply.get_array("writeErrors").ok().and_then(|all| all.first()?.as_document());
    match first {
        Some(error) => {
            let what = error.get_str("errmsg").unwrap_or("a write failed").to_owned();
            Err(Error::new(ErrorKind::Server, what)
                .code(super::watch::number(error.get("code")).to_string()))
        }
        None => Ok(()),
    }
}

/// Batches by `_id`, each an update of its own.
async fn backfill(
    session: &Session,
    at: usize,
    fill: &Backfill,
    recorder: &mut Recorder<'_>,
) -> Result<()> {
    let collection = session.database().collection::<Document>(&fill.collection);
    let mut last: Option<Bson> = None;
    loop {
        let mut filter = fill.filter.clone();
        if let Some(last) = &last {
            filter = doc! { "$and": [filter, { "_id": { "$gt": last.clone() } }] };
        }
        let found = collection
            .find(filter)
            .sort(doc! { "_id": 1 })
            .projection(doc! { "_id": 1 })
            .limit(i64::try_from(fill.batch).unwrap_or(1000));
        let found = async { found.await?.try_collect::<Vec<Document>>().await };
        let found = found.await.map_err(|error| session.map(error))?;
        let ids: Vec<Bson> = found.iter().filter_map(|d| d.get("_id").cloned()).collect();
        let Some(end) = ids.last().cloned() else { return Ok(()) };
        let filter = doc! { "$and": [{ "_id": { "$in": ids } }, fill.filter.clone()] };
        let update = doc! { "update": &fill.collection, "updates": [{
            "q": filter, "u": fill.update.clone(), "multi": true,
        }], "writeConcern": { "w": "majority" } };
        one(session, at, &update, None, recorder).await?;
        last = Some(end);
        tokio::time::sleep(fill.pace).await;
    }
}
