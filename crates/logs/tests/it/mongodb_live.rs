//! Live MongoDB servers: what the profile tells of a bounded workload between two moments, and the
//! server's log read on this machine and through the server, at once and followed.

use std::collections::BTreeMap;
use std::time::Duration;

use bson::{Bson, Document, doc};
use marula_core::{Digest, Engine, Quiet, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_logs::mongodb::{MongodbLog, clock, read_profile};
use marula_logs::{Filter, Follow, Request, digest};
use marula_mongodb::{Session, SessionOptions};

const VERSIONS: [Version; 3] =
    [Version::new(4, 4, 0), Version::new(5, 0, 0), Version::new(6, 0, 0)];

async fn server(version: Version) -> MongoServer {
    let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
    let options = StartOptions::default().setting("slowms", "0").setting("profile", "2");
    MongoServer::start(&install, &options).await.unwrap()
}

/// A client that is not this program.
async fn client(server: &MongoServer) -> Session {
    let spec = server.create_database().await.unwrap();
    let options = SessionOptions { application_name: "shop".into(), ..SessionOptions::lab() };
    Session::open(&spec, &options).await.unwrap()
}

fn request(filter: Filter) -> Request {
    Request { top: 1000, filter, ..Request::default() }
}

/// Seven finds, three counts and an update for each of `rounds`.
async fn workload(session: &Session, rounds: i32) {
    let run = async |command: Document| session.database().run_command(command).await.unwrap();
    for round in 0..rounds {
        for n in 0..7 {
            run(doc! { "find": "orders", "filter": { "customer": n, "round": round } }).await;
        }
        for n in 0..3 {
            run(doc! { "count": "orders", "query": { "customer": n } }).await;
        }
        let update = doc! { "q": { "_id": round }, "u": { "$inc": { "times": 1 } } };
        run(doc! { "update": "orders", "updates": [update] }).await;
    }
}

async fn fill(session: &Session) {
    let documents: Vec<Document> =
        (0..300).map(|n| doc! { "_id": n, "customer": n % 20, "round": n % 2 }).collect();
    let insert = doc! { "insert": "orders", "documents": documents };
    session.database().run_command(insert).await.unwrap();
}

/// Calls by operation on the shop's collection.
fn calls(digest: &Digest) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for one in digest.statements.iter().filter(|one| one.objects[0].ends_with(".orders")) {
        *found.entry(one.operation.clone()).or_default() += one.load.calls;
    }
    found
}

fn wanted(rounds: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([
        ("find".into(), 7 * rounds),
        ("count".into(), 3 * rounds),
        ("update".into(), rounds),
    ])
}

/// What the server itself sums of its profile since a moment, of reads.
async fn read_since(session: &Session, since: bson::DateTime) -> (u64, u64, u64, u64) {
    let pipeline = vec![
        doc! { "$match": {
            "ts": { "$gte": since },
            "ns": { "$regex": r"\.orders$" },
            "op": { "$in": ["query", "command"] },
        } },
        doc! { "$group": {
            "_id": null, "calls": { "$sum": 1 }, "ms": { "$sum": "$millis" },
            "documents": { "$sum": "$docsExamined" }, "returned": { "$sum": "$nreturned" },
        } },
    ];
    let command = doc! { "aggregate": "system.profile", "pipeline": pipeline, "cursor": {} };
    let reply = session.database().run_command(command).await.unwrap();
    let batch = reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    let sums = batch[0].as_document().unwrap();
    let sum = |name: &str| match sums.get(name).unwrap() {
        Bson::Int32(number) => u64::try_from(*number).unwrap(),
        Bson::Int64(number) => u64::try_from(*number).unwrap(),
        other => panic!("{name} {other}"),
    };
    (sum("calls"), sum("ms"), sum("documents"), sum("returned"))
}

#[tokio::test]
async fn the_profile_between_two_moments_is_told_exactly() {
    for version in VERSIONS {
        let server = server(version).await;
        let session = client(&server).await;
        fill(&session).await;
        workload(&session, 2).await;
        // The profile's moments are of milliseconds: what ended before is not of the same one.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let from = clock(&session).await.unwrap();
        let none = Filter { from: Some(from), ..Filter::default() };
        let told = read_profile(&session, &request(none.clone())).await.unwrap();
        assert_eq!(calls(&told), BTreeMap::new(), "{version}");
        workload(&session, 3).await;
        let told = read_profile(&session, &request(none)).await.unwrap();
        assert_eq!(calls(&told), wanted(3), "{version}");

        // Reads of the collection, as the server sums them.
        let [orders] = told.objects.as_slice() else { panic!("{version}: {:?}", told.objects) };
        assert!(orders.name.ends_with(".orders"), "{version}: {}", orders.name);
        assert_eq!(orders.statements, 2, "{version}");
        let load = &orders.load;
        let sums = read_since(&session, bson::DateTime::from_millis(from.0)).await;
        // A count gives a number back, which no document of the profile tells.
        assert_eq!(
            (load.calls, load.total_ms.round() as u64, load.reads.unwrap()),
            (sums.0, sums.1, sums.2),
            "{version}"
        );
        let finds = told.statements.iter().find(|one| one.operation == "find").unwrap();
        assert_eq!(finds.load.returned, Some(sums.3), "{version}");
    }
}

#[tokio::test]
async fn the_servers_log_is_read_here_and_through_the_server() {
    for version in VERSIONS {
        let server = server(version).await;
        let session = client(&server).await;
        let own = Session::open(session.spec(), &SessionOptions::lab()).await.unwrap();
        fill(&session).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let from = clock(&own).await.unwrap();
        workload(&session, 4).await;
        for through in [false, true] {
            let opened = if through {
                MongodbLog::open_through_server(&own, false).await.unwrap()
            } else {
                MongodbLog::open(&own, false).await.unwrap()
            };
            assert_eq!(opened.log.about.contains("1,024 lines"), through, "{}", opened.log.about);
            let filter = Filter { from: Some(from), not_own: true, ..Filter::default() };
            let asked = Request { inputs: opened.log.inputs.clone(), ..request(filter) };
            let mut told = digest(&asked, &Quiet).unwrap();
            opened.log.name(&mut told);
            assert_eq!(calls(&told), wanted(4), "{version}: through the server {through}");
            // What this program asked to get at the log is not among what the server did.
            let asking = ["getLog", "getCmdLineOpts", "serverStatus"];
            let names: Vec<_> = told.statements.iter().map(|one| one.operation.clone()).collect();
            assert!(!names.iter().any(|name| asking.contains(&name.as_str())), "{names:?}");
            if through {
                assert_eq!(told.sources[0].name, "getLog");
            }
        }
    }
}

#[tokio::test]
async fn the_servers_log_is_followed() {
    for version in VERSIONS {
        let server = server(version).await;
        let session = client(&server).await;
        let own = Session::open(session.spec(), &SessionOptions::lab()).await.unwrap();
        fill(&session).await;
        workload(&session, 1).await;
        for through in [false, true] {
            let mut opened = if through {
                MongodbLog::open_through_server(&own, true).await.unwrap()
            } else {
                MongodbLog::open(&own, true).await.unwrap()
            };
            let filter = Filter { not_own: true, ..Filter::default() };
            let asked = Request { inputs: opened.log.inputs.clone(), ..request(filter) };
            let mut follow = Follow::begin(&asked, Duration::from_secs(600)).unwrap();
            for turn in 1..=2 {
                workload(&session, 2).await;
                let mut told = BTreeMap::new();
                for _ in 0..200 {
                    opened.refresh(&own).await.unwrap();
                    let digest = follow.poll();
                    told = calls(&digest);
                    let asking = digest.statements.iter().any(|one| one.operation == "getLog");
                    assert!(!asking, "{version}: its own questions are shown");
                    if told == wanted(2 * turn) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                assert_eq!(told, wanted(2 * turn), "{version}: through the server {through}");
            }
        }
    }
}
