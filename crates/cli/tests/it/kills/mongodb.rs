//! The same on MongoDB: a replica set, and a server that stands alone.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use marula_core::Engine;
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::{ConnectSpec, Session, SessionOptions};

use super::{Dice, End, Project, after, kill_when, wanted};

/// On a replica set anything goes: `$inc` tells whether something was done twice.
const SET: [(&str, &str); 4] = [
    (
        "1_make.json",
        r#"{"up": [
 {"create": "items"},
 {"insert": "items", "documents": [{"a": 1, "n": 0}, {"a": 2, "n": 0}]},
 {"insert": "ran", "documents": [{"what": "make"}]},
 "db.items.createIndex({a: 1}, {name: 'a_1'})",
 {"create": "gone"}],
"down": [{"drop": "items"}]}"#,
    ),
    (
        "2_fill.json",
        r#"{"up": [
 {"backfill": {"collection": "items", "filter": {}, "update": {"$inc": {"n": 10}}, "batch": 300}},
 {"update": "items", "updates": [{"q": {"a": {"$gt": 5}}, "u": [{"$set": {"n": {"$add": ["$n", 1]}}}], "multi": true}]},
 {"insert": "ran", "documents": [{"what": "fill"}]},
 {"update": "ran", "updates": [{"q": {"what": "make"}, "u": {"$inc": {"times": 1}}}]}],
"down": []}"#,
    ),
    (
        "3_change.json",
        r#"{"up": [
 {"collMod": "items", "validator": {"n": {"$gte": 0}}},
 {"drop": "gone"},
 "db.items.createIndex({n: 1, a: 1}, {name: 'n_a'})",
 "db.items.dropIndex('a_1')",
 {"delete": "items", "deletes": [{"q": {"a": {"$mod": [7, 0]}}, "limit": 0}]},
 {"create": "log", "capped": true, "size": 4096}],
"down": []}"#,
    ),
    (
        "4_together.json",
        r#"{"options": {"transaction": true}, "up": [
 {"insert": "ran", "documents": [{"what": "together"}]},
 {"update": "items", "updates": [{"q": {"a": 1}, "u": {"$inc": {"n": 100}}}]}],
"down": []}"#,
    ),
];

/// Alone: what may run twice, or is left out by its own filter.
const ALONE: [(&str, &str); 3] = [
    SET[0],
    (
        "2_fill.json",
        r#"{"up": [
 {"backfill": {"collection": "items", "filter": {"b": {"$exists": false}}, "update": {"$set": {"b": 1}, "$inc": {"n": 10}}, "batch": 300}},
 {"update": "items", "updates": [{"q": {}, "u": [{"$set": {"c": {"$add": ["$a", 1]}}}], "multi": true}]},
 {"insert": "ran", "documents": [{"what": "fill"}]}],
"down": []}"#,
    ),
    SET[2],
];

struct Eye {
    runtime: tokio::runtime::Runtime,
    session: Session,
}

impl Eye {
    fn new(spec: &ConnectSpec) -> Eye {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let session = runtime.block_on(Session::open(spec, &SessionOptions::lab())).unwrap();
        Eye { runtime, session }
    }

    fn first(&self, collection: &str, stages: Vec<Document>) -> Option<Document> {
        self.runtime.block_on(async {
            let documents = self.session.database().collection::<Document>(collection);
            let mut cursor = documents.aggregate(stages).await.ok()?;
            cursor.advance().await.ok()?.then(|| cursor.deserialize_current().unwrap())
        })
    }

    fn load(&self) {
        let items: Vec<Document> = (3..6003).map(|a| doc! { "_id": a, "a": a, "n": 0 }).collect();
        // In the journal before anything is killed: what is lost then would be the test's own.
        let load = doc! { "insert": "items", "documents": items, "writeConcern": { "j": true } };
        let database = self.session.database();
        self.runtime.block_on(async { database.run_command(load).await }).unwrap();
    }

    /// How many commands the history knows as done or begun, and how many documents.
    fn at(&self) -> (i64, i64) {
        let steps = doc! { "$sum": { "$add": [{ "$multiply": [2, { "$size": "$done" }] },
        { "$cond": [{ "$eq": [{ "$type": "$current" }, "object"] }, 1, 0] }] } };
        let rows = doc! { "$sum": "$current.batch.rows" };
        let group = doc! { "$group": { "_id": 1, "steps": steps, "rows": rows } };
        let found = self.first("marula.migrations", vec![group]).unwrap_or_default();
        let number = |key: &str| match found.get(key) {
            Some(bson::Bson::Int32(n)) => i64::from(*n),
            Some(bson::Bson::Int64(n)) => *n,
            _ => 0,
        };
        (number("steps"), number("rows"))
    }

    fn state(&self) -> String {
        let mut said = Vec::new();
        let sum = |field: &str| doc! { "$sum": field };
        let group = doc! { "$group": { "_id": 1, "count": { "$sum": 1 }, "n": sum("$n"),
        "b": sum("$b"), "c": sum("$c"), "squares": { "$sum": { "$multiply": ["$a", "$n"] } } } };
        said.push(format!("{:?}", self.first("items", vec![group])));
        let all = doc! { "$group": { "_id": 1, "ran": { "$push": { "what": "$what", "times": "$times" } } } };
        said.push(format!("{:?}", self.first("ran", vec![doc! { "$sort": { "what": 1 } }, all])));
        let history = doc! { "$group": { "_id": 1, "all": { "$push": { "k": "$_id", "s": "$state",
        "c": "$current", "d": { "$size": "$done" } } } } };
        let sorted = vec![doc! { "$sort": { "position": 1 } }, history];
        said.push(format!("{:?}", self.first("marula.migrations", sorted)));
        self.runtime.block_on(async {
            let database = self.session.database();
            let mut names = database.list_collection_names().await.unwrap();
            names.sort();
            said.push(format!("{names:?}"));
            let mut indexes =
                database.collection::<Document>("items").list_index_names().await.unwrap();
            indexes.sort();
            said.push(format!("{indexes:?}"));
        });
        said.join("\n")
    }

    /// Leaves nothing behind: with every database that stays a crashed server's start takes longer.
    fn tidy(&self) {
        let _ = self.runtime.block_on(async { self.session.database().drop().await });
    }

    fn wait_for_primary(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        self.runtime.block_on(async {
            loop {
                let admin = self.session.client().database("admin");
                let hello = admin.run_command(doc! { "isMaster": 1 }).await;
                if hello.is_ok_and(|hello| hello.get_bool("ismaster").unwrap_or(false)) {
                    return;
                }
                assert!(Instant::now() < until, "no primary");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
}

fn server(replica: bool) -> MongoServer {
    let version = marula_core::Version::new(6, 0, 0);
    let install = discover::choose_exactly(Engine::Mongodb, Some(version)).unwrap();
    // Often checkpoints, so that what is played back after a crash is little.
    let options = StartOptions::default().setting("syncdelay", "5");
    let options = if replica { options.replica_set() } else { options };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(MongoServer::start(&install, &options)).unwrap()
}

fn fresh(server: &MongoServer, files: &[(&str, &str)]) -> (Project, Eye) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let project = Project::new(server.url_of(spec.database().unwrap()), files);
    let eye = Eye::new(&spec);
    // The first command makes the collection; the documents come right behind it.
    project.expect(&["migrate", "apply", "t", "--to", "1"]);
    eye.load();
    (project, eye)
}

fn undisturbed(server: &MongoServer, files: &[(&str, &str)]) -> (String, Duration) {
    let (project, eye) = fresh(server, files);
    let began = Instant::now();
    project.expect(&["migrate", "apply", "t"]);
    let took = began.elapsed();
    let state = eye.state();
    assert!(state.contains("n_a") && !state.contains("a_1") && state.contains("log"), "{state}");
    (state, took)
}

fn same_end(project: &Project, eye: &Eye, expected: &str, how: &str) {
    assert_eq!(eye.state(), expected, "{how}");
    let status = project.expect(&["migrate", "verify", "t"]);
    assert!(!status.contains("At work now"), "a lock is stuck: {status}");
}

fn kill_the_program(replica: bool, files: &[(&str, &str)], wanted: usize) {
    let server = server(replica);
    let (expected, took) = undisturbed(&server, files);
    let mut dice = Dice::new();
    let (mut kills, mut rounds) = (0, 0);
    while kills < wanted {
        let (project, eye) = fresh(&server, files);
        let mut killed = Vec::new();
        for at in 0.. {
            if rounds % 3 == 2 && at > 15 {
                project.expect(&["migrate", "apply", "t"]);
                break;
            }
            let child = project.apply();
            let (from, rows) = eye.at();
            let end = match rounds % 3 {
                0 => kill_when(child, || eye.at().0 > from),
                1 => {
                    let more = i64::try_from(dice.below(700)).unwrap();
                    kill_when(child, || {
                        let now = eye.at();
                        now.0 > from + 1 || now.1 > rows + more
                    })
                }
                _ => kill_when(child, after(&mut dice, took)),
            };
            if end == End::Done {
                break;
            }
            killed.push(eye.at());
            kills += 1;
        }
        same_end(&project, &eye, &expected, &format!("round {rounds}, killed at {killed:?}"));
        eye.tidy();
        rounds += 1;
    }
    println!(
        "MongoDB (replica set: {replica}): the program was killed {kills} times, {rounds} rounds"
    );
}

#[test]
fn the_program_is_killed_on_a_replica_set() {
    kill_the_program(true, &SET, wanted(35));
}

#[test]
fn the_program_is_killed_on_a_server_that_stands_alone() {
    kill_the_program(false, &ALONE, wanted(20));
}

#[test]
fn the_server_is_killed_and_comes_back() {
    for (replica, files, usual) in [(true, &SET[..], 6), (false, &ALONE[..], 4)] {
        let mut server = server(replica);
        let (expected, took) = undisturbed(&server, files);
        let mut dice = Dice::new();
        let (mut kills, mut rounds, wanted) = (0, 0, wanted(usual));
        while kills < wanted {
            let (project, eye) = fresh(&server, files);
            loop {
                let mut child = project.apply();
                let from = eye.at().0;
                let mut random = after(&mut dice, took);
                let ended = loop {
                    if child.try_wait().unwrap().is_some() {
                        break true;
                    }
                    if if rounds % 2 == 0 { eye.at().0 > from + 1 } else { random() } {
                        break false;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                };
                if !ended {
                    server.crash().unwrap();
                    kills += 1;
                    if replica {
                        eye.wait_for_primary();
                    }
                }
                let output = child.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                match output.status.code() {
                    Some(0) => break,
                    Some(2 | 3) if !ended => assert!(said.contains("error:"), "{said}"),
                    code => panic!("{code:?}: {said}"),
                }
            }
            same_end(&project, &eye, &expected, &format!("round {rounds}"));
            eye.tidy();
            rounds += 1;
        }
        println!(
            "MongoDB (replica set: {replica}): the server was killed {kills} times, {rounds} rounds"
        );
    }
}
