//! The history: the collection `marula.migrations` of the database itself.

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result, Timestamp};
use mongodb::ClientSession;
use mongodb::options::{Acknowledgment, ReadConcern, WriteConcern};

use super::send::{Trouble, number};
use super::{Ground, lock};
use crate::apply::record::{Current, Record, State};
use crate::apply::{Due, digest, key_of};

const COLLECTION: &str = "marula.migrations";

fn safely() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build()
}

/// Makes the collection: it cannot be made inside every transaction.
pub(super) async fn prepare(ground: &Ground) -> Result<()> {
    let database = ground.session.database();
    match database.create_collection(COLLECTION).write_concern(safely()).await {
        Ok(()) => Ok(()),
        Err(error) => match error.kind.as_ref() {
            mongodb::error::ErrorKind::Command(command) if command.code == 48 => Ok(()),
            _ => Err(ground.session.map(error)),
        },
    }
}

/// Every line, in the order in which migrations were first applied.
pub(super) async fn read(ground: &Ground) -> Result<Vec<Record>> {
    let map = |error| ground.session.map(error);
    let history = ground.collection(COLLECTION);
    let mut find = history.find(doc! {}).sort(doc! { "position": 1, "_id": 1 });
    if ground.deployment.transactions {
        find = find.read_concern(ReadConcern::majority());
    }
    let mut cursor = find.await.map_err(map)?;
    let mut records = Vec::new();
    while cursor.advance().await.map_err(map)? {
        let document: Document = cursor.deserialize_current().map_err(map)?;
        records.push(of_document(&document)?);
    }
    Ok(records)
}

fn of_document(document: &Document) -> Result<Record> {
    let text = |key: &str| document.get_str(key).unwrap_or_default().to_string();
    let optional = |key: &str| document.get_str(key).ok().map(str::to_string);
    let moment = |key: &str| {
        document.get_datetime(key).ok().map(|moment| Timestamp(moment.timestamp_millis()))
    };
    let done = document.get_array("done").ok().map(Vec::as_slice).unwrap_or_default();
    let current = match document.get("current") {
        Some(Bson::Document(current)) => {
            Some(bson::deserialize_from_document::<Current>(current.clone()).map_err(|error| {
                Error::new(ErrorKind::Internal, format!("the history cannot be read: {error}"))
                    .at(COLLECTION)
            })?)
        }
        _ => None,
    };
    Ok(Record {
        key: text("_id"),
        position: number(document, "position"),
        version: optional("version"),
        name: text("name"),
        tool: text("tool"),
        file: text("file"),
        checksum: text("checksum"),
        state: State::from_name(&text("state")).unwrap_or(State::Applying),
        steps: u32::try_from(number(document, "steps")).unwrap_or_default(),
        done: done.iter().filter_map(|one| one.as_str().map(str::to_string)).collect(),
        current,
        started: moment("started"),
        finished: moment("finished"),
        by: text("run_by"),
        adopted_from: optional("adopted_from"),
    })
}

fn current_of(current: Option<&Current>) -> Result<Bson> {
    let Some(current) = current else { return Ok(Bson::Null) };
    bson::serialize_to_bson(current).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the history cannot be written: {error}"))
    })
}

fn to_document(record: &Record, token: i64) -> Result<Document> {
    let moment =
        |moment: Option<Timestamp>| moment.map(|moment| bson::DateTime::from_millis(moment.0));
    let finished = match (record.state, record.finished) {
        (State::Applied, None) => Some(bson::DateTime::now()),
        (_, finished) => moment(finished),
    };
    Ok(doc! {
        "_id": &record.key,
        "position": record.position,
        "version": record.version.as_deref(),
        "name": &record.name,
        "tool": &record.tool,
        "file": &record.file,
        "checksum": &record.checksum,
        "state": record.state.name(),
        "steps": record.steps,
        "done": &record.done,
        "current": current_of(record.current.as_ref())?,
        "started": moment(record.started).unwrap_or_else(bson::DateTime::now),
        "finished": finished,
        "run_by": &record.by,
        "adopted_from": record.adopted_from.as_deref(),
        "token": token,
    })
}

/// Writes a line as it is given, unless a later holder of the lease wrote it.
pub(super) async fn put(ground: &Ground, record: &Record) -> Result<()> {
    lock::check(ground)?;
    let token = ground.lease.token();
    let document = to_document(record, token)?;
    let own = doc! { "_id": &record.key, "token": { "$lte": token } };
    let history = ground.collection(COLLECTION);
    let put = history.replace_one(own, document).upsert(true);
    match put.write_concern(safely()).await {
        Ok(_) => Ok(()),
        Err(error) if error.to_string().contains("E11000") => Err(lock::lost()),
        Err(error) => Err(ground.session.map(error)),
    }
}

/// Takes a line out.
pub(super) async fn forget(ground: &Ground, key: &str) -> Result<()> {
    lock::check(ground)?;
    let history = ground.collection(COLLECTION);
    let gone = history.delete_one(doc! { "_id": key });
    gone.write_concern(safely()).await.map_err(|error| ground.session.map(error))?;
    Ok(())
}

/// Notes that a part begins, or goes on with what the file says now, under our number.
pub(super) async fn begin(ground: &Ground, due: &Due<'_>) -> Result<()> {
    let mut record = Record::of(due.migration, 0, &ground.who);
    record.state = due.running();
    record.steps = u32::try_from(due.steps().len()).unwrap_or(u32::MAX);
    match due.record {
        Some(known) if known.state != State::Reverted => {
            record.position = known.position;
            if let Some(left) = due.left() {
                record.done.clone_from(&left.done);
                record.current.clone_from(&left.current);
                record.started = left.started;
            }
        }
        _ => {
            let records = read(ground).await?;
            record.position = records.iter().map(|record| record.position).max().unwrap_or(0) + 1;
        }
    }
    put(ground, &record).await
}

/// The line of a running part, as it must still be for us to go on.
fn own(ground: &Ground, due: &Due<'_>, done: usize) -> Document {
    doc! {
        "_id": key_of(due.migration),
        "state": due.running().name(),
        "token": ground.lease.token(),
        "done": { "$size": i64::try_from(done).unwrap_or(i64::MAX) },
    }
}

/// Notes that these steps are done; in a transaction when a session is given.
pub(super) async fn advance(
    ground: &Ground,
    due: &Due<'_>,
    steps: std::ops::Range<usize>,
    ended: bool,
    session: Option<&mut ClientSession>,
) -> Result<(), Trouble> {
    let digests: Vec<String> = due.steps()[steps.clone()].iter().map(digest).collect();
    let state = if ended { due.ended() } else { due.running() };
    let mut set = doc! { "current": Bson::Null, "state": state.name() };
    if ended {
        set.insert("finished", bson::DateTime::now());
    }
    let change = doc! { "$push": { "done": { "$each": digests } }, "$set": set };
    write(ground, own(ground, due, steps.start), change, session).await
}

/// Notes how a step that is being run stands; `None` that it is not begun after all.
pub(super) async fn current(
    ground: &Ground,
    due: &Due<'_>,
    step: usize,
    current: Option<&Current>,
    session: Option<&mut ClientSession>,
) -> Result<(), Trouble> {
    let change = doc! { "$set": { "current": current_of(current)? } };
    write(ground, own(ground, due, step), change, session).await
}

async fn write(
    ground: &Ground,
    own: Document,
    change: Document,
    session: Option<&mut ClientSession>,
) -> Result<(), Trouble> {
    lock::check(ground)?;
    let history = ground.collection(COLLECTION);
    let done = match session {
        Some(session) => history.update_one(own, change).session(session).await?,
        None => history.update_one(own, change).write_concern(safely()).await?,
    };
    if done.matched_count == 1 { Ok(()) } else { Err(Trouble::Own(lock::lost())) }
}

/// Outside a transaction.
pub(super) fn plainly(ground: &Ground, result: Result<(), Trouble>) -> Result<()> {
    result.map_err(|trouble| match trouble {
        Trouble::Own(error) => error,
        Trouble::Driver(error) => ground.session.map(error),
    })
}
