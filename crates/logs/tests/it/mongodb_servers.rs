//! Logs and profiles of real servers, against what the servers themselves count.

use std::collections::BTreeMap;

use bson::{Document, doc};
use marula_core::{Digest, Engine, EventKind, StatementDigest, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_logs::Request;
use marula_logs::mongodb::{read_profile, recent_log};
use marula_mongodb::{Session, SessionOptions};

use super::mongodb_generated::digest_of;

/// Everything a client does, once or a few times.
async fn workload(session: &Session) {
    let run = async |command: Document| session.database().run_command(command).await;
    let documents: Vec<Document> = (0..500)
        .map(|n| doc! { "_id": n, "customer": n % 20, "total": f64::from(n) * 1.5, "status": (["a", "b"][n as usize % 2]) })
        .collect();
    run(doc! { "insert": "orders", "documents": documents }).await.unwrap();
    run(doc! { "createIndexes": "orders", "indexes": [{ "key": { "status": 1 }, "name": "status_1" }] }).await.unwrap();
    for n in 0..5 {
        run(doc! { "find": "orders", "filter": { "status": "a", "total": { "$gt": n } }, "sort": { "total": -1 }, "limit": 5 }).await.unwrap();
        run(doc! { "find": "orders", "filter": { "total": { "$gt": n }, "status": "b" }, "sort": { "total": -1 }, "limit": 9 }).await.unwrap();
        run(doc! { "count": "orders", "query": { "customer": n } }).await.unwrap();
    }
    let reply =
        run(doc! { "find": "orders", "filter": { "total": { "$gte": 1 } }, "batchSize": 100 })
            .await
            .unwrap();
    let mut cursor = reply.get_document("cursor").unwrap().get_i64("id").unwrap();
    while cursor != 0 {
        let reply = run(doc! { "getMore": cursor, "collection": "orders", "batchSize": 100 })
            .await
            .unwrap();
        cursor = reply.get_document("cursor").unwrap().get_i64("id").unwrap();
    }
    let pipeline = vec![
        doc! { "$match": { "status": { "$in": ["a", "b", "c"] } } },
        doc! { "$group": { "_id": "$customer", "sum": { "$sum": "$total" } } },
        doc! { "$sort": { "sum": -1 } },
    ];
    run(doc! { "aggregate": "orders", "pipeline": pipeline, "cursor": {} }).await.unwrap();
    run(doc! { "distinct": "orders", "key": "customer", "query": { "status": "a" } })
        .await
        .unwrap();
    run(doc! { "update": "orders", "updates": [
        { "q": { "_id": 1 }, "u": { "$set": { "x": 1 } } },
        { "q": { "_id": 2 }, "u": { "$set": { "x": 2 } } },
        { "q": { "customer": 3 }, "u": { "$inc": { "x": 1 } }, "multi": true },
        { "q": { "_id": 9999 }, "u": { "$set": { "x": 1 } }, "upsert": true },
    ] })
    .await
    .unwrap();
    run(doc! { "delete": "orders", "deletes": [{ "q": { "_id": 5 }, "limit": 1 }, { "q": { "customer": 19 }, "limit": 0 }] }).await.unwrap();
    run(doc! { "findAndModify": "orders", "query": { "customer": 4 }, "sort": { "total": -1 }, "update": { "$inc": { "y": 1 } } }).await.unwrap();
    run(doc! { "find": "orders", "filter": { "$bad": 1 } }).await.unwrap_err();
}

/// The digest's statements on this database that the profiler tells as well, by shape.
fn by_shape(digest: &Digest, database: &str) -> BTreeMap<String, StatementDigest> {
    let of_ours = |one: &&StatementDigest| {
        let object = &one.objects[0];
        object.starts_with(&format!("{database}.")) && !object.contains('$')
    };
    digest.statements.iter().filter(of_ours).map(|one| (one.shape.clone(), one.clone())).collect()
}

#[tokio::test]
async fn log_and_profile_agree_with_each_other_and_with_the_server() {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for version in [Version::new(4, 4, 0), Version::new(5, 0, 0), Version::new(6, 0, 0)] {
        let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
        let options = StartOptions::default().setting("slowms", "0").setting("profile", "2");
        let server = MongoServer::start(&install, &options).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        workload(&session).await;
        let off = doc! { "profile": 0, "slowms": 100_000 };
        session.database().run_command(off).await.unwrap();

        let request = Request { top: 1000, ..Request::default() };
        let profile = read_profile(&session, &request).await.unwrap();
        let recent = recent_log(&session, &request).await.unwrap();
        let log = digest_of(&server.log(), 2);
        assert_eq!(log.sources[0].unread, 0, "{:?}", log.sources[0]);
        let database = session.database().name().to_owned();
        let (in_log, in_profile) = (by_shape(&log, &database), by_shape(&profile, &database));
        for (shape, profiled) in &in_profile {
            let logged = in_log.get(shape).unwrap_or_else(|| panic!("{version}: {shape}"));
            assert_eq!(logged.load, profiled.load, "{version}: {shape}");
            assert_eq!(
                (&logged.plans, &logged.fingerprint),
                (&profiled.plans, &profiled.fingerprint)
            );
            names.entry(shape.clone()).or_default().push(profiled.fingerprint.0.clone());
        }
        let extra: Vec<&String> =
            in_log.keys().filter(|shape| !in_profile.contains_key(*shape)).collect();
        assert!(extra.is_empty(), "{version}: {extra:?}");
        assert!(by_shape(&recent, &database).len() >= in_profile.len(), "{version}");

        counts_agree(&session, &profile, version).await;
        let calls = |start: &str| {
            in_log
                .iter()
                .filter(|(shape, _)| shape.starts_with(start))
                .map(|(_, one)| one.load.calls)
                .sum::<u64>()
        };
        // What was sent, getMores with their cursors and batches by their statements.
        assert_eq!(
            calls("db.orders.find({status: ?, total: {$gt: ?}}).sort({total: -1}).limit(?)"),
            10
        );
        assert_eq!(calls("db.orders.find({total: {$gte: ?}})"), 5);
        assert_eq!((calls("db.orders.updateOne"), calls("db.orders.updateMany")), (3, 1));
        assert_eq!((calls("db.orders.deleteOne"), calls("db.orders.deleteMany")), (1, 1));
        assert_eq!(calls("db.runCommand({update"), 0);
        let builds = log.events.iter().find(|event| event.kind == EventKind::IndexBuild).unwrap();
        assert!(builds.about.iter().any(|about| about.name == format!("{database}.orders")));
        assert!(log.errors.iter().any(|error| error.code.as_deref() == Some("BadValue")));
        // A sample is a statement again.
        for one in
            in_log.values().filter(|one| one.operation == "find" && !one.shape.contains("$bad"))
        {
            let command = marula_mongodb::shell::parse(&one.samples[0].text).unwrap();
            assert_eq!(command.shape().text, one.shape);
        }
    }
    for (shape, names) in names {
        assert!(names.iter().all(|name| *name == names[0]), "{shape}: {names:?}");
    }
}

/// Sums the profiler's documents on the server, and compares.
async fn counts_agree(session: &Session, digest: &Digest, version: Version) {
    let reply = session
        .database()
        .run_command(doc! {
            "aggregate": "system.profile",
            "pipeline": [
                { "$match": { "ns": { "$not": { "$regex": "system.profile$" } } } },
                { "$group": {
                    "_id": null, "calls": { "$sum": 1 }, "ms": { "$sum": "$millis" },
                    "keys": { "$sum": "$keysExamined" }, "reads": { "$sum": "$docsExamined" },
                    "errors": { "$sum": { "$cond": ["$errName", 1, 0] } },
                } },
            ],
            "cursor": {},
        })
        .await
        .unwrap();
    let batch = reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    let sums = batch[0].as_document().unwrap();
    let sum = |name: &str| match sums.get(name).unwrap() {
        bson::Bson::Int32(number) => u64::try_from(*number).unwrap(),
        bson::Bson::Int64(number) => u64::try_from(*number).unwrap(),
        other => panic!("{version}: {name} {other}"),
    };
    let totals = &digest.totals;
    assert_eq!(
        (totals.calls, totals.total_ms.round() as u64, totals.keys, totals.reads),
        (sum("calls"), sum("ms"), Some(sum("keys")), Some(sum("reads"))),
        "{version}"
    );
    assert_eq!(digest.errors.iter().map(|error| error.count).sum::<u64>(), sum("errors"));
}

#[tokio::test]
async fn an_index_advised_from_a_log_ends_what_was_slow() {
    let install = discover::choose_exactly(Engine::Mongodb, Some(Version::new(6, 0, 0))).unwrap();
    let options = StartOptions::default().setting("slowms", "0").setting("profile", "1");
    let server = MongoServer::start(&install, &options).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    let run = async |command: Document| session.database().run_command(command).await.unwrap();
    let documents: Vec<Document> = (0..5000)
        .map(|n| doc! { "_id": n, "customer": n % 500, "total": n % 97, "at": n })
        .collect();
    run(doc! { "insert": "orders", "documents": documents }).await;
    let reading = async || {
        for n in 0..10 {
            run(doc! { "find": "orders", "filter": { "customer": n, "total": { "$gt": 5 } }, "sort": { "at": -1 }, "limit": 3 }).await;
            run(doc! { "count": "orders", "query": { "customer": n } }).await;
        }
    };
    reading().await;
    let database = session.database().name().to_owned();
    let before = digest_of(&server.log(), 1);
    let (findings, changes) = marula_logs::mongodb::advise(&before);
    assert_eq!(findings.len(), 2, "{findings:#?}");
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!(
        change.up,
        [
            r#"db.orders.createIndex({ customer: 1, at: -1, total: 1 }, { name: "customer_1_at_-1_total_1" })"#
        ]
    );
    let create = marula_mongodb::shell::parse(&change.up[0]).unwrap();
    marula_mongodb::run::apply(&session, &create).await.unwrap();
    reading().await;
    let after = digest_of(&server.log(), 1);
    let reads = |digest: &Digest| {
        by_shape(digest, &database).values().filter_map(|one| one.load.reads).sum::<u64>()
    };
    assert!(reads(&before) >= 100_000, "{}", reads(&before));
    assert!(reads(&after) - reads(&before) <= 30, "{}", reads(&after) - reads(&before));
    // Nothing is advised twice.
    assert!(marula_logs::mongodb::advise(&after).1.is_empty());
}

#[tokio::test]
async fn waits_for_locks_and_spills_are_told_per_statement() {
    for version in [Version::new(4, 4, 0), Version::new(6, 0, 0)] {
        let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
        let options = StartOptions::default().setting("slowms", "0").setting("profile", "1");
        let server = MongoServer::start(&install, &options).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let admin = session.client().database("admin");
        let run = async |command: Document| session.database().run_command(command).await.unwrap();
        let documents: Vec<Document> =
            (0..3000).map(|n| doc! { "_id": n, "n": n % 97, "pad": "x".repeat(200) }).collect();
        run(doc! { "insert": "things", "documents": documents }).await;
        // More than may be sorted in memory.
        let limit =
            doc! { "setParameter": 1, "internalQueryMaxBlockingSortMemoryUsageBytes": 100_000 };
        admin.run_command(limit).await.unwrap();
        run(doc! { "aggregate": "things", "pipeline": [{ "$sort": { "n": 1 } }], "cursor": { "batchSize": 10_000 }, "allowDiskUse": true }).await;
        // A write that waits until the server may be written to again.
        admin.run_command(doc! { "fsync": 1, "lock": true }).await.unwrap();
        let waits = run(
            doc! { "update": "things", "updates": [{ "q": { "_id": 1 }, "u": { "$set": { "n": 5 } } }] },
        );
        let lets = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            admin.run_command(doc! { "fsyncUnlock": 1 }).await.unwrap();
        };
        tokio::join!(waits, lets);
        let log = digest_of(&server.log(), 1);
        let told = by_shape(&log, session.database().name());
        let one = |start: &str| {
            told.values()
                .find(|one| one.shape.starts_with(start))
                .unwrap_or_else(|| panic!("{told:#?}"))
        };
        let waited = one("db.things.updateOne").load.lock_ms.unwrap_or(0.0);
        assert!((200.0..5000.0).contains(&waited), "{version}: {waited}");
        let sorted = one("db.things.aggregate");
        assert!(
            sorted.plans[0].name.ends_with(", SORT (on disk)"),
            "{version}: {:?}",
            sorted.plans
        );
        let event = |kind| log.events.iter().find(|event| event.kind == kind).unwrap();
        assert!(event(EventKind::LockWait).max.unwrap() >= 200.0, "{version}");
        assert_eq!(event(EventKind::TempFile).count, 1, "{version}");
    }
}
