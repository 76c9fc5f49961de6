//! Long changes of collections: every step runs, and every check fails when it should.

use marula_core::Engine;
use marula_lab::shared;
use marula_migrate::mongodb::{generate, validator};
use marula_migrate::{Step, StepKind, Tool, files};
use marula_mongodb::{Session, SessionOptions};
use mongodb::bson::{Bson, Document, doc};

async fn session() -> Session {
    let server = shared::mongodb(6, 0).await.unwrap();
    let spec = server.create_database().await.unwrap();
    Session::open(&spec, &SessionOptions::lab()).await.unwrap()
}

/// Runs one migration's up part.
async fn run(session: &Session, text: &str) -> Result<(), String> {
    let path = std::path::Path::new("20260101000000_x.json");
    let migration = files::parse(path, text, Tool::Marula, Engine::Mongodb).unwrap();
    steps(session, migration.up).await
}

/// Runs one migration's way back.
async fn down(session: &Session, text: &str) -> Result<(), String> {
    let path = std::path::Path::new("20260101000000_x.json");
    let migration = files::parse(path, text, Tool::Marula, Engine::Mongodb).unwrap();
    steps(session, migration.down.unwrap()).await
}

async fn steps(session: &Session, steps: Vec<Step>) -> Result<(), String> {
    for step in steps {
        match step.kind {
            StepKind::Command(command) => {
                let ran = session.database().run_command(command).await;
                ran.map_err(|error| error.to_string())?;
            }
            StepKind::Backfill(fill) => {
                let update = match fill.update {
                    Bson::Document(update) => doc! { "q": fill.filter, "u": update, "multi": true },
                    update => doc! { "q": fill.filter, "u": update, "multi": true },
                };
                let command = doc! { "update": fill.collection, "updates": [update] };
                session.database().run_command(command).await.map_err(|error| error.to_string())?;
            }
            StepKind::Sql(_) => unreachable!("a file of commands"),
        }
    }
    Ok(())
}

async fn insert(session: &Session, documents: Vec<Document>) {
    let users = session.database().collection::<Document>("users");
    users.insert_many(documents).await.unwrap();
}

async fn count(session: &Session, filter: Document) -> u64 {
    session.database().collection::<Document>("users").count_documents(filter).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_renamed_and_its_check_fails_while_one_is_left() {
    let session = session().await;
    insert(&session, (0..100).map(|n| doc! { "mail": n }).collect()).await;
    let steps = generate::rename_field("users", "mail", "email");
    run(&session, &steps[0].1).await.unwrap();
    assert_eq!(count(&session, doc! { "$expr": { "$eq": ["$mail", "$email"] } }).await, 100);
    // What an old application writes meanwhile is filled by the check's own first step.
    insert(&session, vec![doc! { "mail": "late" }]).await;
    run(&session, &steps[1].1).await.unwrap();
    // A value that was written to one of the two alone is not thrown away.
    let users = session.database().collection::<Document>("users");
    let late = doc! { "mail": "late" };
    users.update_one(late.clone(), doc! { "$set": { "mail": "changed" } }).await.unwrap();
    for step in &steps[1..] {
        let failed = run(&session, &step.1).await.unwrap_err();
        assert!(failed.contains("1 documents: the new field has another value"), "{failed}");
    }
    assert_eq!(count(&session, doc! { "mail": { "$exists": true } }).await, 101);
    users.update_one(doc! { "mail": "changed" }, doc! { "$set": late }).await.unwrap();
    run(&session, &steps[2].1).await.unwrap();
    assert_eq!(count(&session, doc! { "mail": { "$exists": true } }).await, 0);
    assert_eq!(count(&session, doc! { "email": { "$exists": true } }).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_converted_stays_and_is_told() {
    let session = session().await;
    // Neither a fraction nor a truth is a whole number.
    let kept = [doc! { "age": 3.7 }, doc! { "age": true }];
    insert(&session, kept.to_vec()).await;
    insert(&session, vec![doc! { "age": "7" }, doc! { "age": "x" }, doc! { "age": 3.0 }]).await;
    let steps = generate::change_type("users", "age", "int");
    run(&session, &steps[0].1).await.unwrap();
    assert_eq!(count(&session, doc! { "age": { "$type": "int" } }).await, 2);
    let failed = run(&session, &steps[1].1).await.unwrap_err();
    assert!(failed.contains("3 documents: they could not be converted"), "{failed}");
    let users = session.database().collection::<Document>("users");
    for one in kept {
        assert_eq!(users.delete_many(one).await.unwrap().deleted_count, 1);
    }
    users.delete_many(doc! { "age": "x" }).await.unwrap();
    run(&session, &steps[1].1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_warns_first_and_refuses_when_all_documents_pass() {
    let session = session().await;
    insert(&session, vec![doc! { "name": "a" }, doc! { "other": 1 }]).await;
    let schema = serde_json::json!({ "$jsonSchema": { "required": ["name"] } });
    assert_eq!(validator::refused(&session, "users", &schema).await.unwrap(), 1);
    let own = doc! { "collMod": "users", "validator": { "a": { "$ne": 77 } }, "validationLevel": "moderate" };
    session.database().run_command(own).await.unwrap();
    let before = validator::of(&session, "users").await.unwrap();
    let steps = generate::validator("users", &schema, before.as_ref());
    // The way back leads to the validator there was.
    run(&session, &steps[0].1).await.unwrap();
    down(&session, &steps[0].1).await.unwrap();
    assert_eq!(validator::of(&session, "users").await.unwrap(), before);
    run(&session, &steps[0].1).await.unwrap();
    insert(&session, vec![doc! { "other": 2 }]).await;
    let failed = run(&session, &steps[1].1).await.unwrap_err();
    assert!(failed.contains("2 documents: they do not pass the validator"), "{failed}");
    let users = session.database().collection::<Document>("users");
    users.delete_many(doc! { "other": { "$exists": true } }).await.unwrap();
    run(&session, &steps[1].1).await.unwrap();
    assert!(users.insert_one(doc! { "other": 3 }).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_for_a_shard_key_is_filled_checked_and_indexed() {
    let session = session().await;
    insert(&session, (0..10).map(|n| doc! { "n": n }).collect()).await;
    let key = ["region".to_string(), "n".to_string()];
    let steps = generate::shard_key_field("users", "region", &"eu".into(), &key);
    assert!(run(&session, &steps[1].1).await.unwrap_err().contains("lack the field"));
    for (_, text) in &steps {
        run(&session, text).await.unwrap();
    }
    let users = session.database().collection::<Document>("users");
    assert!(users.list_index_names().await.unwrap().contains(&"region_1_n_1".to_string()));
    let steps = generate::drop_index("users", "region_1_n_1");
    for (_, text) in &steps {
        run(&session, text).await.unwrap();
    }
    assert_eq!(users.list_index_names().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_of_a_field_leaves_what_had_another_value() {
    let session = session().await;
    insert(&session, vec![doc! { "status": "vip" }, doc! {}, doc! {}]).await;
    let text = generate::add_field("users", "status", &"active".into());
    run(&session, &text).await.unwrap();
    assert_eq!(count(&session, doc! { "status": "active" }).await, 2);
    down(&session, &text).await.unwrap();
    assert_eq!(count(&session, doc! { "status": { "$exists": true } }).await, 1);
    assert_eq!(count(&session, doc! { "status": "vip" }).await, 1);
}
