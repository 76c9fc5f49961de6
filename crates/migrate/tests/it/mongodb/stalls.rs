//! What the rules on waiting say, seen on a server: writes wait behind an index build that waits
//! behind an open transaction, and stop waiting when maxTimeMS ends it.

use std::time::Duration;

use ::mongodb::bson::doc;
use marula_mongodb::{Session, SessionOptions};

#[tokio::test(flavor = "multi_thread")]
async fn writes_wait_behind_an_index_that_waits() {
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let session = Session::open(&server.create_database().await.unwrap(), &SessionOptions::lab())
        .await
        .unwrap();
    let client = session.client().clone();
    let database = client.database("stalls");
    database.drop().await.unwrap();
    let users = database.collection("users");
    users.insert_one(doc! { "_id": 1 }).await.unwrap();

    let mut open = client.start_session().await.unwrap();
    open.start_transaction().await.unwrap();
    users.insert_one(doc! { "_id": 2 }).session(&mut open).await.unwrap();

    // Without a limit it waits for the transaction, and a write waits for it.
    let index = doc! { "createIndexes": "users", "indexes": [{ "key": { "a": 1 }, "name": "a" }] };
    let building = tokio::spawn({
        let (database, index) = (database.clone(), index.clone());
        async move { database.run_command(index).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!building.is_finished(), "the index waits for the open transaction");
    let writing = tokio::spawn({
        let users = users.clone();
        async move { users.insert_one(doc! { "_id": 3 }).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!writing.is_finished(), "the write waits for the index");
    assert!(users.find_one(doc! { "_id": 1 }).await.unwrap().is_some(), "reads go on");
    open.commit_transaction().await.unwrap();
    building.await.unwrap().unwrap();
    writing.await.unwrap().unwrap();

    // With maxTimeMS it gives up, and writes go on while the transaction is still open.
    database.run_command(doc! { "dropIndexes": "users", "index": "a" }).await.unwrap();
    let mut open = client.start_session().await.unwrap();
    open.start_transaction().await.unwrap();
    users.insert_one(doc! { "_id": 4 }).session(&mut open).await.unwrap();
    let mut limited = index;
    limited.insert("maxTimeMS", 200);
    let error = database.run_command(limited).await.unwrap_err().to_string();
    assert!(error.contains("MaxTimeMSExpired") || error.contains("LockTimeout"), "{error}");
    users.insert_one(doc! { "_id": 5 }).await.unwrap();
    open.abort_transaction().await.unwrap();
}
