//! Clients at work, and transactions that stand in the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use marula_core::Result;
use marula_mongodb::{Session, SessionOptions};

use super::load::{Kind, Load, MARK, send};
use crate::rehearse::Span;
use crate::rehearse::clients::{Ledger, Operation, Pace, deal};
use crate::rehearse::standing::{Standing, standing};

/// Documents that clients made: the collection and the key.
pub(super) type Made = Arc<Mutex<Vec<(String, Bson)>>>;

/// A session under a name of its own on the same database.
pub(super) async fn named(of: &Session, name: &str) -> Result<Session> {
    let options = SessionOptions { application_name: name.into(), ..SessionOptions::lab() };
    Session::open(&of.spec().with_database(of.database().name()), &options).await
}

/// Starts the clients. They write down what they measure until they are told to stop.
pub(super) async fn clients(
    copy: &Session,
    load: &Load,
    clients: u32,
    rate: f64,
    ledger: &Arc<Ledger>,
    made: &Made,
) -> Result<Vec<tokio::task::JoinHandle<()>>> {
    let mut session = named(copy, "marula client").await?;
    let sorts: Vec<(&str, u32)> =
        load.kinds.iter().map(|kind| (kind.about.name.as_str(), kind.weight)).collect();
    let mut running = Vec::new();
    for client in 0..clients.max(1) {
        // Each driver holds ten connections, and nobody may wait for one of them.
        if client > 0 && client % 8 == 0 {
            session = named(copy, "marula client").await?;
        }
        let own = deal(&sorts, client, clients).into_iter();
        let own: Vec<(usize, Kind)> =
            own.filter_map(|at| Some((at, load.kinds.get(at)?.clone()))).collect();
        if own.is_empty() {
            break;
        }
        let mut pace = Pace::new(clients, rate, client);
        let (session, ledger, made) = (session.clone(), ledger.clone(), made.clone());
        running.push(tokio::spawn(async move {
            let mut turn = client as usize * 7;
            loop {
                pace.wait(&ledger).await;
                if ledger.is_stopped() {
                    return;
                }
                turn += 1;
                let (number, kind) = &own[turn % own.len()];
                let (command, id) = kind.command(turn / own.len());
                let start = Instant::now();
                let done = send(&session, command).await;
                let span = Span { start, end: Instant::now() };
                if let (Ok(()), Some(id)) = (&done, id) {
                    let made_one = (kind.about.object.clone(), id);
                    made.lock().unwrap_or_else(PoisonError::into_inner).push(made_one);
                }
                let connection = i64::from(client);
                ledger.add(Operation { kind: *number, connection, span, error: done.err() });
            }
        }));
    }
    Ok(running)
}

/// Takes out what clients made and wrote.
pub(super) async fn tidy(copy: &Session, load: &Load, made: &Made) {
    let all = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
    for (name, _) in &load.stands {
        let collection = copy.database().collection::<Document>(name);
        let ids: Vec<Bson> =
            all.iter().filter(|(of, _)| of == name).map(|(_, id)| id.clone()).collect();
        for ids in ids.chunks(10_000) {
            // A collection that is gone has nothing to take out.
            let _ = collection.delete_many(doc! { "_id": { "$in": ids.to_vec() } }).await;
        }
        let marked = doc! { "update": name, "bypassDocumentValidation": true, "updates": [{
            "q": { MARK: { "$exists": true } }, "u": { "$unset": { MARK: "" } }, "multi": true,
        }] };
        let _ = copy.database().run_command(marked).await;
    }
}

/// Starts a transaction that is kept open for `hold`, again and again: it reads each collection, and
/// with `writes` updates a document of each.
pub(super) async fn stand(
    copy: &Session,
    stands: Vec<(String, Option<Bson>)>,
    writes: bool,
    hold: Duration,
    ledger: &Arc<Ledger>,
) -> Result<(Standing, tokio::task::JoinHandle<()>)> {
    let session = named(copy, "marula standing").await?;
    let (own, mut turns) = standing(ledger);
    let task = tokio::spawn(async move {
        while turns.go_on() {
            let Ok(mut open) = session.client().start_session().await else { return };
            let mut began = open.start_transaction().await.is_ok();
            for (name, key) in &stands {
                let command = match key {
                    Some(key) if writes => doc! { "update": name, "updates": [{
                    "q": { "_id": key.clone() }, "u": { "$set": { MARK: 0 } } }] },
                    _ => doc! { "find": name, "limit": 1, "singleBatch": true },
                };
                began &= session.database().run_command(command).session(&mut open).await.is_ok();
            }
            turns.lie(if began { hold } else { Duration::ZERO }).await;
            let _ = open.abort_transaction().await;
            turns.rest().await;
        }
    });
    Ok((own, task))
}
