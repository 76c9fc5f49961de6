//! Servers with somebody who follows: standbys and secondaries that only read, fall behind, or are
//! behind on purpose.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use marula_core::{Engine, Version};
use marula_lab::{MongoServer, PostgresServer, StartOptions, discover};
use marula_mongodb::{ConnectSpec, Session, SessionOptions};

use super::{Eye, Project};

const LIMIT: Duration = Duration::from_secs(60);

fn said(project: &Project, code: i32, args: &[&str], words: &[&str]) {
    let (found, said) = project.run(args);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(found, Some(code), "marula {}: {said}", args.join(" "));
    for word in words {
        assert!(flat.contains(word), "'{word}' is not in: {said}");
    }
}

/// Waits until `count` has stood still for two seconds, or has not begun to grow within twenty (on a
/// busy machine the replica can be behind before the first batch), and gives it.
fn stands_still(mut count: impl FnMut() -> u64, all: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(90);
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        let still = Duration::from_secs(if now > 0 { 2 } else { 20 });
        if now == all || since.elapsed() > still {
            return now;
        }
        assert!(Instant::now() < until, "it neither pauses nor ends: {now} of {all}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_standby_is_refused_and_a_backfill_waits_for_it() {
    let fill = "-- migrate:up batch:20 pace:40ms\nUPDATE t SET a = 1;\n";
    for major in [15, 18] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let install =
            discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap();
        let options = StartOptions::default()
            .setting("wal_level", "replica")
            .setting("max_wal_senders", "4")
            .setting("wal_writer_delay", "10ms");
        let primary = runtime.block_on(PostgresServer::start(&install, &options)).unwrap();
        let eye = Eye::new(&primary.spec());
        eye.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 3000)");
        let standby = runtime.block_on(primary.standby(LIMIT)).unwrap();

        let project = Project::new(standby.url(), &[("1_fill.sql", fill)]);
        said(
            &project,
            2,
            &["migrate", "apply", "t"],
            &["this server is a standby: it only reads", "target_session_attrs=primary"],
        );
        said(&project, 0, &["migrate", "status", "t"], &["0 applied, 1 to come"]);

        let of_standby = Eye::new(&standby.spec());
        of_standby.run("SELECT pg_wal_replay_pause()");
        let project = Project::new(primary.url(), &[("1_fill.sql", fill)]);
        let child = project.marula(&["migrate", "apply", "t", "--max-lag", "1s"]).spawn().unwrap();
        let done = || eye.number("SELECT count(*) FROM t WHERE a = 1").unsigned_abs();
        let paused = stands_still(done, 3000);
        assert!(paused < 3000, "{major}: it did not wait for the standby");
        of_standby.run("SELECT pg_wal_replay_resume()");
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("s for standby marula_standby"), "{text}");
        assert_eq!(done(), 3000);
    }
}

struct Member {
    runtime: tokio::runtime::Runtime,
    session: Session,
}

impl Member {
    fn of(spec: &ConnectSpec) -> Member {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let session = runtime.block_on(Session::open(spec, &SessionOptions::lab())).unwrap();
        Member { runtime, session }
    }

    fn admin(&self, command: Document) -> Document {
        let admin = self.session.client().database("admin");
        self.runtime.block_on(async { admin.run_command(command).await }).unwrap()
    }

    fn done(&self) -> u64 {
        let items = self.session.database().collection::<Document>("items");
        self.runtime.block_on(async { items.count_documents(doc! { "a": 1 }).await }).unwrap()
    }
}

#[test]
fn a_secondary_is_refused_and_a_backfill_waits_for_it_unless_it_is_delayed() {
    let fill = r#"{"up": [{"backfill": {"collection": "items", "update": {"$set": {"a": 1}}, "batch": 20, "pace": "40ms"}}]}"#;
    for version in [(4, 4), (6, 0)] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let wanted = Version::new(version.0, version.1, 0);
        let install = discover::choose_exactly(Engine::Mongodb, Some(wanted)).unwrap();
        let options =
            StartOptions::default().replica_set().setting("setParameter", "enableTestCommands=1");
        let primary = runtime.block_on(MongoServer::start(&install, &options)).unwrap();
        let first = Member::of(&primary.spec().with_database("shop"));
        let items: Vec<Document> = (0..3000).map(|n| doc! { "_id": n }).collect();
        let load = first.session.database().collection::<Document>("items");
        first.runtime.block_on(async { load.insert_many(items).await }).unwrap();
        let secondary = runtime.block_on(primary.secondary(LIMIT)).unwrap();

        let project = Project::new(secondary.url_of("shop"), &[("1_fill.json", fill)]);
        said(
            &project,
            2,
            &["migrate", "apply", "t"],
            &["this server is a secondary: it only reads", "name the whole replica set"],
        );
        said(&project, 0, &["migrate", "status", "t"], &["0 applied, 1 to come"]);

        let second = Member::of(&secondary.spec().with_database("admin"));
        let applying = |mode: &str| {
            second.admin(doc! { "configureFailPoint": "rsSyncApplyStop", "mode": mode });
        };
        applying("alwaysOn");
        let project = Project::new(primary.url_of("shop"), &[("1_fill.json", fill)]);
        let apply = || project.marula(&["migrate", "apply", "t", "--max-lag", "1s"]);
        let child = apply().spawn().unwrap();
        let paused = stands_still(|| first.done(), 3000);
        assert!(paused < 3000, "{version:?}: it did not wait for the secondary");
        applying("off");
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("the backfill waited"), "{text}");
        assert_eq!(first.done(), 3000);

        // Behind on purpose is not behind.
        let reply = first.admin(doc! { "replSetGetConfig": 1 });
        let mut config = reply.get_document("config").unwrap().clone();
        config.insert("version", config.get_i32("version").unwrap() + 1);
        let delay = if version.0 == 4 { "slaveDelay" } else { "secondaryDelaySecs" };
        let member = config.get_array_mut("members").unwrap()[1].as_document_mut().unwrap();
        member.insert(delay, 3600_i64);
        member.insert("hidden", true);
        first.admin(doc! { "replSetReconfig": config });
        let again = fill.replace("\"a\": 1", "\"b\": 1").replace("40ms", "20ms");
        std::fs::write(project.path().join("migrations/2_again.json"), again).unwrap();
        let output = apply().output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(!text.contains("the backfill waited"), "{text}");
    }
}
