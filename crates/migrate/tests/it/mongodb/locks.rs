//! What rules say of locks, beside the server's own counters of locks taken, and whether a write
//! waits behind the command while it waits behind an open transaction.

use std::time::Duration;

use ::mongodb::Client;
use ::mongodb::bson::{Bson, Document, doc};
use marula_core::{Blocks, Finding, Version};
use marula_migrate::mongodb::rules;
use marula_mongodb::{Session, SessionOptions};

use super::examples::{commands, findings, migration, run};

const SHOP: &str = "shop";

/// The strongest lock on a collection, the database or the server that was taken between two looks.
async fn taken(client: &Client) -> Vec<(String, String, i64)> {
    let ask = doc! { "serverStatus": 1, "locks": 1 };
    let status = client.database("admin").run_command(ask).await.unwrap();
    let locks = status.get_document("locks").unwrap();
    let mut all = Vec::new();
    for scope in ["Global", "Database", "Collection"] {
        let counts = locks.get_document(scope).and_then(|scope| scope.get_document("acquireCount"));
        for (mode, count) in counts.cloned().unwrap_or_default() {
            let count = match count {
                Bson::Int64(n) => n,
                Bson::Int32(n) => i64::from(n),
                _ => 0,
            };
            all.push((scope.to_owned(), mode, count));
        }
    }
    all
}

fn strongest(
    before: &[(String, String, i64)],
    after: &[(String, String, i64)],
) -> Option<&'static str> {
    let more = |mode: &str| {
        after.iter().any(|(scope, own, count)| {
            let was = before.iter().find(|(s, m, _)| s == scope && m == own);
            own == mode && scope != "Global" && *count > was.map_or(0, |(_, _, count)| *count)
        })
    };
    [("W", "X"), ("R", "S")].into_iter().find(|(mode, _)| more(mode)).map(|(_, name)| name)
}

async fn reset(client: &Client, setup: &str) {
    for name in [SHOP, "archive"] {
        client.database(name).drop().await.unwrap();
    }
    let setup = if setup.is_empty() { "[]" } else { setup };
    assert_eq!(run(client, &migration(setup)).await, None, "{setup}");
}

async fn send(client: &Client, command: Document) -> Result<Document, ::mongodb::error::Error> {
    let admin = ["renameCollection", "setParameter"].iter().any(|own| command.contains_key(*own));
    client.database(if admin { "admin" } else { SHOP }).run_command(command).await
}

/// Whether a write to the collection waits behind the command while that waits behind an open
/// transaction.
async fn writes_wait(client: &Client, collection: &str, command: &Document) -> Option<bool> {
    let database = client.database(SHOP);
    let documents = database.collection::<Document>(collection);
    let mut open = client.start_session().await.unwrap();
    open.start_transaction().await.unwrap();
    documents.insert_one(doc! { "_id": "open" }).session(&mut open).await.ok()?;
    let working = tokio::spawn({
        let (client, command) = (client.clone(), command.clone());
        async move { send(&client, command).await.is_ok() }
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let waits = !working.is_finished();
    let writing = tokio::spawn({
        let documents = documents.clone();
        async move { documents.insert_one(doc! { "_id": "write" }).await.is_ok() }
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let waited = waits && !writing.is_finished();
    open.abort_transaction().await.unwrap();
    working.await.unwrap();
    writing.await.unwrap();
    Some(waited)
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_are_what_rules_say() {
    let _turn = super::TURN.lock().await;
    let mut faults = Vec::new();
    let mut seen = 0;
    for (major, minor) in [(4, 4), (5, 0), (6, 0)] {
        let server = marula_lab::shared::mongodb(major, minor).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let client = session.client();
        let version = Version::new(major, minor, 0);
        for rule in rules() {
            if rule.info.since.is_some_and(|since| version < since) {
                continue;
            }
            for example in rule.info.examples {
                // No server here is that old, or sharded.
                let new = rule.info.id == "convert-to-unique" && version.major < 6
                    || example.setup.contains("timeseries") && version.major < 5;
                if new || ["foreground-index", "shard-key"].contains(&rule.info.id) {
                    continue;
                }
                let parsed = migration(example.statement);
                if parsed.options.transaction {
                    continue;
                }
                let at = format!("{major}.{minor} {} ({})", rule.info.id, example.name);
                let setup = if example.setup.is_empty() { "[]" } else { example.setup };
                let found = findings(&migration(setup), &parsed, version);
                reset(client, example.setup).await;
                let origin = client.database(SHOP).list_collection_names().await.unwrap();
                for (index, command) in commands(&parsed).into_iter().enumerate() {
                    let own: Vec<&Finding> = found
                        .iter()
                        .filter(|f| f.hazard.as_ref().is_some_and(|h| h.statement == index))
                        .collect();
                    let said = own.iter().find_map(|f| {
                        let hazard = f.hazard.as_ref()?;
                        Some((hazard.lock.clone()?, hazard.blocks))
                    });
                    let replaced = own.iter().find_map(|f| {
                        let hazard = f.hazard.as_ref()?;
                        let replaces = command.contains_key("aggregate") && hazard.lock.is_some();
                        hazard.object.clone().filter(|_| replaces)
                    });
                    let first = command.values().next().and_then(Bson::as_str);
                    let collection = replaced.unwrap_or(first.unwrap_or_default().to_owned());
                    let collection = collection.rsplit('.').next().unwrap().to_owned();
                    let there = origin.contains(&collection);
                    let before = taken(client).await;
                    let worked = send(client, command.clone()).await.is_ok();
                    let mut lock = strongest(&before, &taken(client).await);
                    let limited = command.contains_key("maxTimeMS");
                    let untold = lock == Some("X") && said.is_none() && !limited;
                    // The counters are the whole server's, and other tests work on it, too.
                    for _ in 0..if untold && worked { 3 } else { 0 } {
                        if lock != Some("X") {
                            break;
                        }
                        reset(client, example.setup).await;
                        let before = taken(client).await;
                        let _ = send(client, command.clone()).await;
                        lock = strongest(&before, &taken(client).await);
                    }
                    if !worked || !there {
                        continue;
                    }
                    seen += 1;
                    if let Some((said, _)) = &said
                        && lock != Some(said.as_str())
                    {
                        faults.push(format!("{at}: says {said}, seen {lock:?}"));
                    }
                    if lock == Some("X") && said.is_none() && !limited {
                        faults.push(format!("{at}: X was taken, and nothing says so"));
                    }
                    if let Some((_, blocks)) = said {
                        reset(client, example.setup).await;
                        if let Some(waited) = writes_wait(client, &collection, &command).await
                            && waited != (blocks >= Blocks::Writes)
                        {
                            faults.push(format!("{at}: says {blocks:?}, a write waited: {waited}"));
                        }
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "of {seen}:\n{}", faults.join("\n"));
    assert!(seen > 60, "{seen}");
}
