//! Clients at work: each with a connection of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use marula_core::Result;
use marula_postgres::{ConnectSpec, Session, SessionOptions};
use tokio_postgres::SimpleQueryMessage;

use super::failed;
use super::load::{Kind, Load};
use crate::rehearse::Span;
use crate::rehearse::clients::{Ledger, Operation, Pace, deal};
use crate::rehearse::standing::{Standing, standing};

/// Rows that clients made, by table: their keys as text.
pub(super) type Made = Arc<Mutex<Vec<(usize, String)>>>;

/// Opens a session that a client uses.
async fn open(spec: &ConnectSpec, name: &str) -> Result<Session> {
    let options = SessionOptions { application_name: name.into(), ..SessionOptions::lab() };
    Session::open(spec, &options).await
}

/// Starts the clients. They write down what they measure until they are told to stop.
pub(super) async fn clients(
    spec: &ConnectSpec,
    load: &Load,
    clients: u32,
    rate: f64,
    ledger: &Arc<Ledger>,
    made: &Made,
) -> Result<Vec<tokio::task::JoinHandle<()>>> {
    let mut running = Vec::new();
    for client in 0..clients.max(1) {
        let sorts: Vec<(&str, u32)> =
            load.kinds.iter().map(|kind| (kind.about.name.as_str(), kind.weight)).collect();
        let own = deal(&sorts, client, clients).into_iter();
        let own: Vec<(usize, Kind)> =
            own.filter_map(|at| Some((at, load.kinds.get(at)?.clone()))).collect();
        if own.is_empty() {
            break;
        }
        let session = open(spec, "marula client").await?;
        let row =
            session.client().query_one("SELECT pg_backend_pid()", &[]).await.map_err(failed)?;
        let pid: i32 = row.get(0);
        let pace = Pace::new(clients, rate, client);
        let (ledger, made) = (ledger.clone(), made.clone());
        running.push(tokio::spawn(work(session, own, client as usize, pid, pace, ledger, made)));
    }
    Ok(running)
}

async fn work(
    session: Session,
    kinds: Vec<(usize, Kind)>,
    client: usize,
    pid: i32,
    mut pace: Pace,
    ledger: Arc<Ledger>,
    made: Made,
) {
    let mut ready = vec![false; kinds.len()];
    let mut turn = client * 7;
    loop {
        pace.wait(&ledger).await;
        if ledger.is_stopped() {
            return;
        }
        turn += 1;
        let at = turn % kinds.len();
        let (number, kind) = &kinds[at];
        let name = format!("m{number}");
        let execute = kind.execute(&name, turn / kinds.len());
        if kind.undone && session.client().batch_execute("BEGIN").await.is_err() {
            return;
        }
        let start = Instant::now();
        let done = once(&session, kind, &name, &execute, &mut ready[at]).await;
        let span = Span { start, end: Instant::now() };
        let error = match done {
            Ok(key) => {
                if let Some(key) = key {
                    made.lock().unwrap_or_else(PoisonError::into_inner).push((*number, key));
                }
                None
            }
            Err(error) => Some(failed(error).message().to_owned()),
        };
        if kind.undone {
            let _ = session.client().batch_execute("ROLLBACK").await;
        }
        if error.is_some() {
            let _ = session.client().batch_execute(&format!("DEALLOCATE {name}")).await;
            ready[at] = false;
        }
        ledger.add(Operation { kind: *number, connection: i64::from(pid), span, error });
        if session.is_closed() {
            return;
        }
    }
}

/// One operation; of an insert the new row's key.
async fn once(
    session: &Session,
    kind: &Kind,
    name: &str,
    execute: &str,
    ready: &mut bool,
) -> Result<Option<String>, tokio_postgres::Error> {
    if !*ready {
        session.client().batch_execute(&kind.prepare(name)).await?;
        *ready = true;
    }
    let messages = session.client().simple_query(execute).await?;
    let key = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) if kind.key.is_some() => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(key)
}

/// Takes out the rows that clients made.
pub(super) async fn tidy(session: &Session, load: &Load, made: &Made) {
    let all = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
    for (number, kind) in load.kinds.iter().enumerate() {
        let keys: Vec<&str> =
            all.iter().filter(|(of, _)| *of == number).map(|(_, key)| key.as_str()).collect();
        let (Some(key), false) = (&kind.key, keys.is_empty()) else { continue };
        let Some(table) = kind.about.statement.strip_prefix("INSERT INTO ") else { continue };
        let table = table.split(" (").next().unwrap_or_default();
        let sql = format!("DELETE FROM {table} WHERE {key} = ANY($1::text[])");
        // A table that is gone has no rows to take out.
        let _ = session.client().execute(&sql, &[&keys]).await;
    }
}

/// Starts a session that keeps a transaction open for a while, again and again: begins with `begin`,
/// runs `statements`, and lies there for `hold`.
pub(super) async fn stand(
    spec: &ConnectSpec,
    begin: &'static str,
    statements: Vec<String>,
    hold: Duration,
    ledger: &Arc<Ledger>,
) -> Result<(Standing, tokio::task::JoinHandle<()>)> {
    let session = open(spec, "marula standing").await?;
    let (own, mut turns) = standing(ledger);
    let task = tokio::spawn(async move {
        while turns.go_on() && !session.is_closed() {
            let client = session.client();
            let mut open = client.batch_execute(begin).await.is_ok();
            for statement in &statements {
                // What is gone cannot stand in the way.
                open &= client.batch_execute(statement).await.is_ok();
                if !open {
                    let _ = client.batch_execute("ROLLBACK").await;
                    open = client.batch_execute(begin).await.is_ok();
                }
            }
            turns.lie(hold).await;
            let _ = client.batch_execute("ROLLBACK").await;
            turns.rest().await;
        }
    });
    Ok((own, task))
}
