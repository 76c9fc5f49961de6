use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bson::RawDocumentBuf;
use marula_core::{Error, ErrorKind, Progress, Result};
use marula_mongodb::Session;
use mongodb::Database;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::counts::{Counts, Scale};
use super::super::world::{Shop, prepare};
use super::encode::{COLLECTIONS, Collection};

/// How many inserts are under way at a time: the server works on some while others are made or
/// travel.
const INSERTERS: usize = 4;

/// Loads `shop` into the session's database, which must be empty: raw BSON in bulk inserts,
/// several at a time, while further documents are generated.
///
/// # Errors
/// `Refused` when there is a collection already, which it names; `Server`. What was loaded
/// before an error stays.
pub async fn load_mongodb(
    session: &Session,
    scale: Scale,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Counts> {
    let database = session.database();
    refuse_filled(session).await?;
    progress.step(&format!("loading shop at scale {scale} into MongoDB"));
    let (shop, rows) = prepare(scale, seed).await?;
    let total = COLLECTIONS.iter().map(|collection| rows.get(collection.name)).sum();
    let mut counts = Counts::default();
    for collection in &COLLECTIONS {
        let before = counts.total();
        let rows = load_collection(database, collection, shop.clone(), &|rows| {
            progress.advance(before + rows, total);
        })
        .await?;
        counts.add(collection.name, rows);
    }
    Ok(counts)
}

/// Refuses a database in which there is a collection already.
async fn refuse_filled(session: &Session) -> Result<()> {
    let database = session.database();
    let mut names = database.list_collection_names().await.map_err(|error| {
        Error::new(ErrorKind::Server, "cannot tell whether the database is empty")
            .at(session.spec().to_string())
            .because(error)
    })?;
    names.retain(|name| !name.starts_with("system."));
    let Some(first) = names.iter().min() else { return Ok(()) };
    Err(Error::new(
        ErrorKind::Refused,
        format!("the database {} is not empty: it holds the collection {first}", database.name()),
    )
    .at(session.spec().to_string())
    .hint("load shop into a new, empty database")
    .hint("or, if an interrupted load left it, drop the database: db.dropDatabase()"))
}

async fn load_collection(
    database: &Database,
    collection: &'static Collection,
    shop: Arc<Shop>,
    advance: &(dyn Fn(u64) + Sync),
) -> Result<u64> {
    let name = collection.name;
    database.create_collection(name).await.map_err(|error| failed(name, error))?;
    let next = Arc::new(AtomicU64::new(0));
    let (sender, mut inserted) = mpsc::unbounded_channel();
    // Dropping the set, when this future is dropped or fails, ends the inserters.
    let mut inserters: JoinSet<Result<()>> = JoinSet::new();
    for _ in 0..INSERTERS {
        let (database, shop) = (database.clone(), shop.clone());
        let (next, sender) = (next.clone(), sender.clone());
        inserters.spawn(async move {
            let units = (collection.units)(&shop);
            loop {
                let start = next.fetch_add(collection.part, Ordering::Relaxed);
                if start >= units {
                    return Ok(());
                }
                let end = (start + collection.part).min(units);
                let shop = shop.clone();
                let made =
                    tokio::task::spawn_blocking(move || collection.insert(&shop, start..end));
                let (command, count) =
                    made.await.map_err(|error| failed(collection.name, error))?;
                insert(&database, collection.name, command, count).await?;
                let _ = sender.send(count);
            }
        });
    }
    drop(sender);
    let mut rows = 0;
    while let Some(count) = inserted.recv().await {
        rows += count;
        advance(rows);
    }
    while let Some(ended) = inserters.join_next().await {
        ended.map_err(|error| failed(name, error))??;
    }
    Ok(rows)
}

async fn insert(database: &Database, name: &str, command: Vec<u8>, count: u64) -> Result<()> {
    let command = RawDocumentBuf::from_bytes(command).map_err(|error| failed(name, error))?;
    let reply = database.run_raw_command(command).await.map_err(|error| failed(name, error))?;
    let taken = reply.get_i32("n").unwrap_or_default();
    if u64::try_from(taken) == Ok(count) && !reply.contains_key("writeErrors") {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Server,
        format!("the server took {taken} of {count} documents of the collection {name}"),
    ))
}

fn failed(name: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Server, format!("loading the collection {name} failed")).because(error)
}
