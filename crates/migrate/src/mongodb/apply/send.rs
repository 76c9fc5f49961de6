//! Commands on their way: what is not done is an error, and what is done is on disk.

use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};
use mongodb::ClientSession;
use mongodb::error::{
    Error as DriverError, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT,
};

use rand::Rng;

use super::{Ground, lock};
use crate::apply::{ApplyOptions, retry};

/// Another transaction wrote to the same document.
const WRITE_CONFLICT: i32 = 112;
/// Commands that take a write concern.
const WRITING: [&str; 10] = [
    "insert",
    "update",
    "delete",
    "findAndModify",
    "create",
    "createIndexes",
    "drop",
    "dropIndexes",
    "collMod",
    "renameCollection",
];
/// Commands for the database admin.
const OF_ADMIN: [&str; 9] = [
    "renameCollection",
    "shardCollection",
    "refineCollectionShardKey",
    "reshardCollection",
    "enableSharding",
    "movePrimary",
    "setParameter",
    "setFeatureCompatibilityVersion",
    "setDefaultRWConcern",
];

/// A command's name.
pub(super) fn name(command: &Document) -> &str {
    command.keys().next().map_or("", String::as_str)
}

/// Runs a command by itself; what it changed is on the disks of most members when it returns.
pub(super) async fn alone(ground: &Ground, command: &Document) -> Result<Document> {
    lock::check(ground)?;
    let mut command = command.clone();
    let own = name(&command).to_string();
    let writes_out = own == "aggregate"
        && command.get_array("pipeline").is_ok_and(|stages| {
            stages
                .last()
                .and_then(Bson::as_document)
                .is_some_and(|stage| stage.contains_key("$out") || stage.contains_key("$merge"))
        });
    if (WRITING.contains(&own.as_str()) || writes_out) && !command.contains_key("writeConcern") {
        command.insert("writeConcern", doc! { "w": "majority", "j": true });
    }
    let database = match command.remove("$db") {
        Some(Bson::String(other)) => ground.session.client().database(&other),
        _ if OF_ADMIN.contains(&own.as_str()) => ground.session.client().database("admin"),
        _ => ground.session.database().clone(),
    };
    let mut session = ground.work.lock().await;
    let reply = database.run_command(command).session(&mut *session).await;
    checked(reply.map_err(|error| said(ground.session.map(error)))?)
}

/// What a check that is written into a pipeline says: it fails by a conversion that cannot be done,
/// of a text made for people.
fn said(error: Error) -> Error {
    let text = error.message();
    let own = text
        .split_once("Failed to parse number '")
        .and_then(|(_, rest)| rest.split_once("' in $convert"))
        .filter(|(own, _)| own.contains(" documents: "));
    match own {
        Some((own, _)) => Error::new(ErrorKind::Refused, own)
            .hint("find them with the $match of this step; then marula migrate apply goes on"),
        None => error,
    }
}

/// Fails for what a reply says in its inside.
pub(super) fn checked(reply: Document) -> Result<Document> {
    let first =
        reply.get_array("writeErrors").ok().and_then(|errors| errors.first()?.as_document());
    let trouble = first.or_else(|| reply.get_document("writeConcernError").ok());
    let Some(trouble) = trouble else { return Ok(reply) };
    let message = trouble.get_str("errmsg").unwrap_or("the write failed").to_string();
    let code = number(trouble, "code");
    let why = trouble.get_document("errInfo").ok().map(ToString::to_string);
    let mut error = Error::new(ErrorKind::Server, message).code(code.to_string());
    if let Some(why) = why {
        error =
            error.hint(format!("the server adds: {}", why.chars().take(300).collect::<String>()));
    }
    Err(error)
}

/// A number of any width.
pub(super) fn number(document: &Document, key: &str) -> i64 {
    match document.get(key) {
        Some(Bson::Int32(n)) => i64::from(*n),
        Some(Bson::Int64(n)) => *n,
        Some(Bson::Double(n)) => *n as i64,
        _ => 0,
    }
}

/// What can be tried again inside a transaction's work.
pub(super) enum Trouble {
    /// The server's.
    Driver(DriverError),
    /// Ours.
    Own(Error),
}

impl From<DriverError> for Trouble {
    fn from(error: DriverError) -> Self {
        Trouble::Driver(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Own(error)
    }
}

/// Does `work` in a transaction, again and again while it meets others, for as long as a command
/// would be tried that gets no lock: nobody queues for a document, so it is asked for often.
pub(super) async fn together<T>(
    ground: &Ground,
    options: &ApplyOptions,
    mut work: impl AsyncFnMut(&mut ClientSession) -> Result<T, Trouble>,
) -> Result<T> {
    use mongodb::options::{Acknowledgment, ReadConcern, TransactionOptions, WriteConcern};
    let stop = &options.stop;
    let mut session = ground.work.lock().await;
    let (mut tried, mut conflicts) = (0, 0);
    let until = Instant::now() + options.lock_timeout.saturating_mul(options.tries.max(1));
    loop {
        lock::check(ground)?;
        let concern = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        let how = TransactionOptions::builder()
            .read_concern(ReadConcern::snapshot())
            .write_concern(concern)
            .build();
        let begun = session.start_transaction().with_options(how).await;
        begun.map_err(|error| ground.session.map(error))?;
        let trouble = match work(&mut session).await {
            Ok(value) => match commit(&mut session, ground).await {
                Ok(()) => return Ok(value),
                Err(error) => error,
            },
            Err(Trouble::Own(error)) => {
                let _ = session.abort_transaction().await;
                return Err(error);
            }
            Err(Trouble::Driver(error)) => {
                let _ = session.abort_transaction().await;
                error
            }
        };
        let conflict = matches!(trouble.kind.as_ref(),
            mongodb::error::ErrorKind::Command(command) if command.code == WRITE_CONFLICT);
        let passing = trouble.contains_label(TRANSIENT_TRANSACTION_ERROR);
        if conflict && Instant::now() < until {
            conflicts += 1;
            tokio::time::sleep(Duration::from_millis(rand::rng().random_range(5..=60))).await;
            stop.check()?;
            continue;
        }
        tried += 1;
        // A connection that broke is no conflict: the next command will say whether it is back.
        if !passing || conflict || tried >= options.tries {
            let error = ground.session.map(trouble);
            return Err(match conflict {
                true => error.hint(format!(
                    "somebody else's transaction holds one of its documents: it was tried {} times; \
                     see db.currentOp() for who does, or raise --tries",
                    conflicts + 1
                )),
                false => error,
            });
        }
        tokio::time::sleep(retry::pause(tried) / 4).await;
        stop.check()?;
    }
}

async fn commit(session: &mut ClientSession, ground: &Ground) -> Result<(), DriverError> {
    for _ in 0..5 {
        match session.commit_transaction().await {
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {
                if lock::check(ground).is_err() {
                    return Err(error);
                }
            }
            other => return other,
        }
    }
    session.commit_transaction().await
}

/// Runs a command inside a transaction.
pub(super) async fn inside(
    ground: &Ground,
    session: &mut ClientSession,
    command: &Document,
) -> Result<Document, Trouble> {
    let mut command = command.clone();
    command.remove("writeConcern");
    let database = match command.remove("$db") {
        Some(Bson::String(other)) => ground.session.client().database(&other),
        _ => ground.session.database().clone(),
    };
    let reply = database.run_command(command).session(session).await?;
    Ok(checked(reply)?)
}
