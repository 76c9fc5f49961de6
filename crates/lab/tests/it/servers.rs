use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Instant;

use bson::doc;
use marula_core::{Engine, Version};
use marula_lab::{MongoServer, PostgresServer, StartOptions, discover, shared};
use mongodb::error::TRANSIENT_TRANSACTION_ERROR;

use crate::world::{command_line, user_of};

#[tokio::test]
async fn postgres_15_and_18_start_answer_and_leave_nothing() {
    for major in [15, 18] {
        let install =
            discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap();
        let server = PostgresServer::start(&install, &StartOptions::default()).await.unwrap();
        assert_eq!(server.version().major, major);

        let session = open(&server.spec()).await;
        let row = session.client().query_one("SELECT current_setting('fsync'), 6 * 7", &[]).await;
        let row = row.unwrap();
        assert_eq!((row.get::<_, String>(0).as_str(), row.get::<_, i32>(1)), ("off", 42));
        session.client().batch_execute("CREATE EXTENSION pg_trgm").await.unwrap();
        // Whoever is not the server's user cannot reach the data.
        assert_eq!(server.folder().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(!listens_on_tcp(server.pid()));
        drop(session);

        let (folder, pid) = (server.folder().to_owned(), server.pid());
        server.stop().await;
        assert!(!folder.exists() && command_line(pid).is_empty());
    }
}

#[tokio::test]
async fn a_postgres_database_is_fresh_each_time() {
    let server = shared::postgres(15).await.unwrap();
    for _ in 0..2 {
        let session = open(&server.create_database().await.unwrap()).await;
        session.client().batch_execute("CREATE TABLE t (id int)").await.unwrap();
    }
    assert!(std::ptr::eq(server, shared::postgres(15).await.unwrap()));
}

#[tokio::test]
async fn mongodb_of_every_version_starts_and_has_transactions_on_a_replica_set() {
    for version in [Version::new(4, 4, 0), Version::new(5, 0, 0), Version::new(6, 0, 0)] {
        let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
        let options = StartOptions::default().replica_set();
        let server = MongoServer::start(&install, &options).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let session = marula_mongodb::Session::open(&spec, &marula_mongodb::SessionOptions::lab())
            .await
            .unwrap();
        assert_eq!(
            (session.version().major, session.version().minor),
            (version.major, version.minor)
        );
        let orders = session.database().collection::<bson::Document>("orders");
        orders.insert_one(doc! { "_id": 1 }).await.unwrap();
        let mut transaction = session.client().start_session().await.unwrap();
        // Just after a collection is made a server may ask for the transaction to be begun again.
        for attempt in 1.. {
            transaction.start_transaction().await.unwrap();
            match orders.insert_one(doc! { "_id": 2 }).session(&mut transaction).await {
                Ok(_) => break,
                Err(error) if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && attempt < 50 => {
                    transaction.abort_transaction().await.unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(orders.count_documents(doc! {}).await.unwrap(), 1, "not committed yet");
        transaction.commit_transaction().await.unwrap();
        assert_eq!(orders.count_documents(doc! {}).await.unwrap(), 2);
        assert!(!listens_on_tcp(server.pid()));

        let (folder, pid) = (server.folder().to_owned(), server.pid());
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        drop(server);
        assert!(!folder.exists() && command_line(pid).is_empty());
    }
}

#[tokio::test]
async fn servers_of_root_run_as_another_user() {
    let server = shared::postgres(15).await.unwrap();
    let us = Path::new("/proc/self").metadata().unwrap().uid();
    let user = user_of(server.pid());
    if us == 0 {
        assert_ne!(user, 0);
        assert_eq!(server.folder().metadata().unwrap().uid(), user);
    } else {
        assert_eq!(user, us);
    }
}

#[tokio::test]
async fn what_a_server_said_before_it_gave_up_is_in_the_error() {
    let install = discover::choose(Engine::Postgres, None).unwrap().install;
    let options = StartOptions::default().setting("work_mem", "plenty");
    let error = PostgresServer::start(&install, &options).await.err().unwrap();
    assert!(error.message().contains("work_mem"), "{error}");

    let install = discover::choose(Engine::Mongodb, None).unwrap().install;
    let options = StartOptions::default().setting("storageEngine", "paper");
    let error = MongoServer::start(&install, &options).await.err().unwrap();
    assert!(error.message().contains("paper"), "{error}");
}

#[tokio::test]
async fn a_server_that_died_is_told_from_one_that_lives() {
    let install = discover::choose(Engine::Mongodb, None).unwrap().install;
    let mut server = MongoServer::start(&install, &StartOptions::default()).await.unwrap();
    assert!(server.died().is_none());
    let pid = server.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let until = Instant::now() + std::time::Duration::from_secs(5);
    let error = loop {
        match server.died() {
            Some(error) => break error,
            None => assert!(Instant::now() < until),
        }
    };
    assert!(error.message().contains("signal 9"), "{error}");
}

async fn open(spec: &marula_postgres::ConnectSpec) -> marula_postgres::Session {
    marula_postgres::Session::open(spec, &marula_postgres::SessionOptions::lab()).await.unwrap()
}

/// Whether the process holds a listening TCP socket.
fn listens_on_tcp(pid: u32) -> bool {
    let mut inodes = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // State 0A is LISTEN.
            if fields[3] == "0A" {
                inodes.push(format!("socket:[{}]", fields[9]));
            }
        }
    }
    Path::new(&format!("/proc/{pid}/fd"))
        .read_dir()
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|target| inodes.contains(&target.display().to_string()))
}

#[tokio::test]
async fn a_standby_follows_and_only_reads() {
    for major in [15, 18] {
        let install =
            discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap();
        let options = StartOptions::default()
            .setting("wal_level", "replica")
            .setting("max_wal_senders", "4")
            .setting("wal_writer_delay", "10ms");
        let primary = PostgresServer::start(&install, &options).await.unwrap();
        let spec = primary.create_database().await.unwrap();
        let session = open(&spec).await;
        let sql = "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id";
        session.client().batch_execute(sql).await.unwrap();
        let began = Instant::now();
        let standby = primary.standby(std::time::Duration::from_secs(60)).await.unwrap();
        println!("PostgreSQL {major}: a standby after {:?}", began.elapsed());
        assert!(!listens_on_tcp(standby.pid()));
        session.client().batch_execute("INSERT INTO t VALUES (1001)").await.unwrap();
        let there = open(&standby.spec().with_database(spec.database())).await;
        let until = Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let row = there.client().query_one("SELECT count(*) FROM t", &[]).await.unwrap();
            if row.get::<_, i64>(0) == 1001 {
                break;
            }
            assert!(Instant::now() < until);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(there.client().batch_execute("DELETE FROM t").await.is_err());
        drop(there);
        let folder = standby.folder().to_owned();
        standby.stop().await;
        assert!(!folder.exists());
    }
}

#[tokio::test]
async fn a_secondary_follows() {
    for version in [Version::new(4, 4, 0), Version::new(5, 0, 0), Version::new(6, 0, 0)] {
        let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
        let options = StartOptions::default().replica_set();
        let primary = MongoServer::start(&install, &options).await.unwrap();
        let lab = marula_mongodb::SessionOptions::lab();
        let session = marula_mongodb::Session::open(&primary.spec().with_database("shop"), &lab)
            .await
            .unwrap();
        let orders = session.database().collection::<bson::Document>("orders");
        orders.insert_many((0..100).map(|n| doc! { "_id": n })).await.unwrap();
        let began = Instant::now();
        let secondary = primary.secondary(std::time::Duration::from_secs(60)).await.unwrap();
        println!("MongoDB {version}: a secondary after {:?}", began.elapsed());
        orders.insert_one(doc! { "_id": 100 }).await.unwrap();
        let spec = secondary.spec().with_database("shop");
        let there = marula_mongodb::Session::open(&spec, &lab).await.unwrap();
        let orders = there.database().collection::<bson::Document>("orders");
        let until = Instant::now() + std::time::Duration::from_secs(30);
        while orders.count_documents(doc! {}).await.unwrap() < 101 {
            assert!(Instant::now() < until);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(orders.insert_one(doc! { "_id": 101 }).await.is_err());
    }
}
