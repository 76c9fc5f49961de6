//! Long changes of collections: every step runs, and every check fails when it should.

use marula_core::Engine;
use marula_lab::shared;
use marula_migrate::mongodb::{generate, validator};
use marula_migrate::{Step, StepKind, Tool, files};
use marula_mongodb::{Session, SessionOptions};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, Decimal128, Document, Timestamp, bson, doc};

async fn session() -> Session {
    session_of(6, 0).await
}

async fn session_of(major: u16, minor: u16) -> Session {
    let server = shared::mongodb(major, minor).await.unwrap();
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
    let steps = generate::rename_field("users", "mail", "email").unwrap();
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

/// The values of a field that is kept in order of `_id`.
async fn values(session: &Session, field: &str) -> Vec<Bson> {
    let users = session.database().collection::<Document>("users");
    let mut found = users.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
    let mut values = Vec::new();
    while found.advance().await.unwrap() {
        let document: Document = found.deserialize_current().unwrap();
        values.push(document.get(field).cloned().unwrap_or(Bson::Undefined));
    }
    values
}

fn moment(text: &str) -> Bson {
    DateTime::parse_rfc3339_str(text).unwrap().into()
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse::<Decimal128>().unwrap())
}

/// To which type, what is made of what, and what stays as it is.
type Conversion = (&'static str, Vec<(Bson, Bson)>, Vec<Bson>);

fn conversions() -> Vec<Conversion> {
    let id = ObjectId::parse_str("65a1b2c3d4e5f60718293a4b").unwrap();
    let day = moment("2024-01-02T00:00:00Z");
    let (deep, list) = (bson!({ "deep": 1 }), bson!([1, "x"]));
    vec![
        (
            "bool",
            vec![
                (0.into(), false.into()),
                (1.0.into(), true.into()),
                (0_i64.into(), false.into()),
                (decimal("1"), true.into()),
            ],
            vec![
                "false".into(),
                "true".into(),
                "".into(),
                2.into(),
                0.5.into(),
                id.into(),
                day.clone(),
                deep.clone(),
                list.clone(),
            ],
        ),
        (
            "date",
            vec![
                ("2024-01-02".into(), day.clone()),
                ("2024-01-02T03:04:05Z".into(), moment("2024-01-02T03:04:05Z")),
                ("2024-01-02T03:04:05.678Z".into(), moment("2024-01-02T03:04:05.678Z")),
                (1_704_153_600_000_i64.into(), day.clone()),
                (1_704_153_600_000_f64.into(), day.clone()),
            ],
            vec![
                id.into(),
                decimal("0.123"),
                0.1.into(),
                1.5.into(),
                Bson::Timestamp(Timestamp { time: 5, increment: 1 }),
                "2024-01-02T03:04:05+02:00".into(),
                "2024-01-02T03:04:05".into(),
                "soon".into(),
                true.into(),
                5.into(),
                bson!(["2024-01-02"]),
            ],
        ),
        (
            "decimal",
            vec![
                (5.into(), decimal("5")),
                (0.5.into(), decimal("0.500000000000000")),
                ("1.50".into(), decimal("1.50")),
            ],
            vec![(0.1 + 0.2).into(), "1,5".into(), true.into(), day.clone()],
        ),
        (
            "double",
            vec![
                (5.into(), 5.0.into()),
                (7_i64.into(), 7.0.into()),
                ("0.5".into(), 0.5.into()),
                (decimal("0.5"), 0.5.into()),
            ],
            vec![
                1_152_921_504_606_846_977_i64.into(),
                "9007199254740993".into(),
                "1.50".into(),
                decimal("0.1234567890123456789"),
                true.into(),
                day.clone(),
            ],
        ),
        (
            "int",
            vec![("7".into(), 7.into()), (3.0.into(), 3.into()), (9_i64.into(), 9.into())],
            vec![
                list.clone(),
                bson!([["x"]]),
                3.7.into(),
                true.into(),
                "007".into(),
                (1_i64 << 40).into(),
                deep.clone(),
            ],
        ),
        (
            "long",
            vec![(7.into(), 7_i64.into()), (day.clone(), 1_704_153_600_000_i64.into())],
            vec![true.into(), id.into(), 0.5.into()],
        ),
        (
            "objectId",
            vec![(id.to_hex().into(), id.into())],
            vec![id.to_hex().to_uppercase().into(), "x".into(), 5.into()],
        ),
        (
            "string",
            vec![
                (5.into(), "5".into()),
                (true.into(), "true".into()),
                (false.into(), "false".into()),
                (id.into(), id.to_hex().into()),
                (day, "2024-01-02T00:00:00.000Z".into()),
            ],
            vec![list, deep, DateTime::from_millis(1_000_000_000_000_000).into()],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_values_that_come_back_the_same_are_converted_and_the_rest_is_told_by_its_type() {
    for (major, minor) in [(4, 4), (6, 0)] {
        let session = session_of(major, minor).await;
        let users = session.database().collection::<Document>("users");
        for (to, made, stays) in conversions() {
            users.drop().await.unwrap();
            let all = made.iter().map(|(from, _)| from.clone()).chain(stays.clone());
            let all = all.chain([Bson::Null]).enumerate();
            insert(&session, all.map(|(n, value)| doc! { "_id": n as i32, "v": value }).collect())
                .await;
            let steps = generate::change_type("users", "v", to).unwrap();
            run(&session, &steps[0].1).await.unwrap();
            let made = made.iter().map(|(_, then)| then.clone());
            let should: Vec<Bson> = made.chain(stays.clone()).chain([Bson::Null]).collect();
            assert_eq!(values(&session, "v").await, should, "{to} on {major}.{minor}");
            let failed = run(&session, &steps[1].1).await.unwrap_err();
            let count = format!("{} documents: ", stays.len());
            assert!(failed.contains(&count), "{to}: {failed}");
            if to == "int" {
                let kinds =
                    "7 documents: 2 array, 1 bool, 1 double, 1 long, 1 object, 1 string could";
                assert!(failed.contains(kinds), "{failed}");
            }
            users.delete_many(doc! { "v": { "$in": stays } }).await.unwrap();
            users.delete_many(doc! { "v": { "$type": ["object", "array"] } }).await.unwrap();
            run(&session, &steps[1].1).await.unwrap();
            down(&session, &steps[1].1).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_where_a_nested_field_would_go_is_left_and_told() {
    let session = session().await;
    let users = session.database().collection::<Document>("users");
    let documents = [
        doc! { "_id": 1, "phone": "1", "contact": "Bob" },
        doc! { "_id": 2, "phone": "2", "contact": { "name": "Ann" } },
        doc! { "_id": 3, "phone": "3" },
        doc! { "_id": 4, "phone": "4", "contact": [{ "name": "Eve" }] },
        doc! { "_id": 5, "phone": "5", "contact": null },
    ];
    insert(&session, documents.to_vec()).await;
    let steps = generate::rename_field("users", "phone", "contact.phone").unwrap();
    run(&session, &steps[0].1).await.unwrap();
    let then = values(&session, "contact").await;
    assert_eq!(then[0], "Bob".into());
    assert_eq!(then[1], bson!({ "name": "Ann", "phone": "2" }));
    assert_eq!(then[2], bson!({ "phone": "3" }));
    assert_eq!((&then[3], &then[4]), (&bson!([{ "name": "Eve" }]), &Bson::Null));
    for step in &steps[1..] {
        let failed = run(&session, &step.1).await.unwrap_err();
        assert!(
            failed.contains("3 documents: they hold a list or a plain value where"),
            "{failed}"
        );
    }
    // The other way a list is no document either, and neither is what a shard key's field goes into.
    let back = generate::rename_field("users", "contact.name", "name").unwrap();
    run(&session, &back[0].1).await.unwrap();
    assert_eq!(count(&session, doc! { "name": { "$exists": true } }).await, 1);
    let failed = run(&session, &back[1].1).await.unwrap_err();
    assert!(failed.contains("1 documents: they hold a list"), "{failed}");
    let key = ["contact.region".to_string()];
    let shard = generate::shard_key_field("users", "contact.region", &"eu".into(), &key).unwrap();
    run(&session, &shard[0].1).await.unwrap();
    assert_eq!(values(&session, "contact").await[0], "Bob".into());
    assert!(run(&session, &shard[1].1).await.unwrap_err().contains("3 documents: they lack"));
    down(&session, &shard[0].1).await.unwrap();
    assert_eq!(values(&session, "contact").await, then);
    for text in [
        generate::add_field("users", "contact.since", &1.into()).unwrap(),
        generate::drop_field("users", "contact.name").unwrap(),
    ] {
        let failed = run(&session, &text).await.unwrap_err();
        assert!(failed.contains("documents: they hold"), "{failed}");
        assert_eq!(values(&session, "contact").await, then);
    }
    users.delete_many(doc! { "_id": { "$in": [1, 4, 5] } }).await.unwrap();
    run(&session, &steps[1].1).await.unwrap();
    run(&session, &steps[2].1).await.unwrap();
    for step in steps.iter().rev() {
        down(&session, &step.1).await.unwrap();
    }
    assert_eq!(values(&session, "phone").await, ["2".into(), "3".into()]);
    assert_eq!(count(&session, doc! { "contact.phone": { "$exists": true } }).await, 0);
}

#[test]
fn names_that_cannot_be_are_refused_before_a_file_is_written() {
    let rename = |old, new| generate::rename_field("c", old, new).map(|_| ());
    let index = |fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_string()).collect();
        generate::add_index("c", &fields, false).map(|_| ())
    };
    for (refused, why) in [
        (rename("a", "a"), "which it is"),
        (rename("a", "a.b"), "lies inside the other"),
        (rename("a.b", "a"), "lies inside the other"),
        (rename("a", "$b"), "begins with $"),
        (rename("a", "b..c"), "a part of it is empty"),
        (rename("_id", "a"), "keeps its _id"),
        (rename("a", "_id"), "keeps its _id"),
        (generate::change_type("c", "_id", "int").map(|_| ()), "keeps its _id"),
        (generate::change_type("c", "n", "integer").map(|_| ()), "not converted to 'integer'"),
        (generate::change_type("c", "n", "number").map(|_| ()), "not converted to 'number'"),
        (generate::add_field("c", "_id", &0.into()).map(|_| ()), "keeps its _id"),
        (generate::drop_field("c", "_id.a").map(|_| ()), "keeps its _id"),
        (index(&["s:-1"]), "of the kind -1"),
        (index(&["s", "s"]), "s is named twice"),
        (index(&["_id"]), "every collection has an index on _id"),
        (generate::drop_index("c", "_id_", None).map(|_| ()), "cannot be dropped"),
    ] {
        let error = refused.unwrap_err();
        assert!(error.message().contains(why), "{why}: {error}");
    }
    // Names that begin alike, and an index over all fields, are no such thing.
    rename("a", "ab").unwrap();
    index(&["$**"]).unwrap();
    index(&["_id", "a.b"]).unwrap();
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
    let series = generate::shard_key_field("users", "region", &"eu".into(), &key).unwrap();
    assert!(run(&session, &series[1].1).await.unwrap_err().contains("lack the field"));
    for (_, text) in &series {
        run(&session, text).await.unwrap();
    }
    let users = session.database().collection::<Document>("users");
    assert!(users.list_index_names().await.unwrap().contains(&"region_1_n_1".to_string()));
    let steps = generate::drop_index("users", "region_1_n_1", None).unwrap();
    for (_, text) in &steps {
        run(&session, text).await.unwrap();
    }
    assert_eq!(users.list_index_names().await.unwrap().len(), 1);
    // All of the series leads back, but for the index, which the other series dropped.
    users.insert_one(doc! { "n": 10, "region": "us" }).await.unwrap();
    for (_, text) in series[..2].iter().rev() {
        down(&session, text).await.unwrap();
    }
    assert_eq!(count(&session, doc! { "region": { "$exists": true } }).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_of_a_field_leaves_what_had_another_value() {
    let session = session().await;
    let text = generate::add_field("users", "n", &0.into()).unwrap();
    let before = [bson!([0, 5, 6]), decimal("0.00"), Bson::Null, bson!([0])];
    insert(&session, before.iter().map(|value| doc! { "n": value.clone() }).collect()).await;
    insert(&session, vec![doc! { "_id": "z" }]).await;
    run(&session, &text).await.unwrap();
    assert_eq!(count(&session, doc! { "n": 0, "_id": "z" }).await, 1);
    down(&session, &text).await.unwrap();
    let kept = values(&session, "n").await;
    assert!(
        before.iter().all(|one| kept.contains(one)) && kept.contains(&Bson::Undefined),
        "{kept:?}"
    );
    session.database().collection::<Document>("users").drop().await.unwrap();
    insert(&session, vec![doc! { "status": "vip" }, doc! {}, doc! {}]).await;
    let text = generate::add_field("users", "status", &"active".into()).unwrap();
    run(&session, &text).await.unwrap();
    assert_eq!(count(&session, doc! { "status": "active" }).await, 2);
    down(&session, &text).await.unwrap();
    assert_eq!(count(&session, doc! { "status": { "$exists": true } }).await, 1);
    assert_eq!(count(&session, doc! { "status": "vip" }).await, 1);
}
