//! Several writes as one transaction.

use std::time::Duration;

use bson::{Bson, Document, doc};
use marula_core::{Error, Result};
use marula_mongodb::Session;
use mongodb::error::{ErrorKind, WriteFailure};
use rand::Rng;

use crate::mongodb::CopyRead;
use crate::mongodb::load::written;
use crate::mongodb::write::Step;

/// What a server says of a second document with a key.
const DUPLICATE_KEY: i32 = 11_000;
/// How often a transaction that met another one is tried again.
const RETRIES: u32 = 60;

/// Several writes, all done or none; tried again when another transaction was in the way.
pub(super) async fn together(session: &Session, steps: &[Step]) -> Result<()> {
    let mut tries = 0;
    loop {
        let mut transaction = session.client().start_session().await.map_err(|f| session.map(f))?;
        let begun = transaction.start_transaction().write_concern(durable()).await;
        begun.map_err(|failure| session.map(failure))?;
        let mut done = Ok(());
        for step in steps {
            done = match sent(session, &mut transaction, step).await {
                Ok(reply) => match written(&reply) {
                    Ok(()) => Ok(()),
                    Err(error) => return abort(session, &mut transaction, error).await,
                },
                Err(failure) => Err(failure),
            };
            if done.is_err() {
                break;
            }
        }
        if done.is_ok() {
            done = transaction.commit_transaction().await;
        }
        match done {
            Ok(()) => return Ok(()),
            Err(failure)
                if (failure.contains_label("TransientTransactionError")
                    || met(&failure, steps))
                    && tries < RETRIES =>
            {
                let _ = transaction.abort_transaction().await;
                // Longer each time, and never twice the same: those that met do not meet again.
                let most = 1 << tries.min(6);
                let pause = Duration::from_millis(rand::rng().random_range(0..=most));
                tokio::time::sleep(pause).await;
                tries += 1;
            }
            Err(failure) => {
                let _ = transaction.abort_transaction().await;
                return Err(session.map(failure));
            }
        }
    }
}

/// Whether an update found nothing.
pub(super) fn is_none(reply: &Document) -> bool {
    matches!(reply.get("n"), Some(Bson::Int32(0) | Bson::Int64(0)))
}

/// Whether another writer began the same bucket before: nothing else of buckets is unique.
fn met(failure: &mongodb::error::Error, steps: &[Step]) -> bool {
    let duplicate = match failure.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        _ => false,
    };
    duplicate && steps.iter().any(|step| step.append.is_some())
}

/// Reads what a step copies, and sends it.
async fn sent(
    session: &Session,
    transaction: &mut mongodb::ClientSession,
    step: &Step,
) -> mongodb::error::Result<Document> {
    let mut command = step.command.clone();
    let mut collections: Vec<&str> =
        step.copies.iter().map(|copy| copy.collection.as_str()).collect();
    collections.sort_unstable();
    collections.dedup();
    for name in collections {
        // One find for all that is copied from a collection.
        let copies = || step.copies.iter().filter(|copy| copy.collection == name);
        let any: Vec<Document> = copies().map(|copy| copy.filter.clone()).collect();
        let filter = match any.as_slice() {
            [one] => one.clone(),
            _ if any.iter().all(|filter| filter.len() == 1 && filter.contains_key("_id")) => {
                let ids: Vec<Bson> =
                    any.iter().filter_map(|filter| filter.get("_id").cloned()).collect();
                doc! { "_id": { "$in": ids } }
            }
            _ => doc! { "$or": any },
        };
        let collection = session.database().collection::<Document>(name);
        let mut cursor = collection.find(filter).session(&mut *transaction).await?;
        while let Some(found) = cursor.next(&mut *transaction).await.transpose()? {
            let is_it = |copy: &&CopyRead| {
                copy.filter.iter().all(|(field, value)| found.get(field) == Some(value))
            };
            for copy in copies().filter(is_it) {
                set(&mut command, &copy.into, found.get(&copy.field).cloned());
            }
        }
    }
    if let Some(refill) = &step.refill {
        let collection = session.database().collection::<Document>(&refill.collection);
        let read = collection.aggregate(refill.pipeline.clone()).session(&mut *transaction);
        let mut cursor = read.await?;
        let mut elements = Vec::new();
        while let Some(found) = cursor.next(&mut *transaction).await.transpose()? {
            elements.push(Bson::Document(found));
        }
        set(&mut command, &refill.into, Some(Bson::Array(elements)));
    }
    let reply = session.database().run_command(command).session(&mut *transaction).await?;
    if let Some(append) = step.append.as_ref().filter(|_| is_none(&reply)) {
        super::append::append(session, transaction, append).await?;
    }
    Ok(reply)
}

/// Sets or removes what is at a path of fields and places in arrays.
fn set(document: &mut Document, path: &str, value: Option<Bson>) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if rest.is_empty() {
        match value {
            Some(value) => drop(document.insert(first, value)),
            None => drop(document.remove(first)),
        }
        return;
    }
    match document.get_mut(first) {
        Some(Bson::Document(inner)) => set(inner, rest, value),
        Some(Bson::Array(elements)) => {
            let (at, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let element = at.parse().ok().and_then(|at: usize| elements.get_mut(at));
            if let Some(Bson::Document(inner)) = element {
                set(inner, rest, value);
            }
        }
        _ => {}
    }
}

async fn abort(
    session: &Session,
    transaction: &mut mongodb::ClientSession,
    error: Error,
) -> Result<()> {
    transaction.abort_transaction().await.map_err(|failure| session.map(failure))?;
    Err(error)
}

fn durable() -> mongodb::options::WriteConcern {
    let mut concern = mongodb::options::WriteConcern::majority();
    concern.journal = Some(true);
    concern
}
