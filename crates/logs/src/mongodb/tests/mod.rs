#![allow(clippy::unwrap_used, clippy::panic)]

mod chunks;
mod names;
mod texts;

use std::io::Write;

use marula_core::{Digest, EventKind, Quiet};

use crate::{Request, digest};

pub(super) fn digest_of(log: &[u8]) -> Digest {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(log).unwrap();
    let request = Request { inputs: vec![file.path().into()], top: 1000, ..Request::default() };
    digest(&request, &Quiet).unwrap()
}

pub(super) fn line(second: u32, component: &str, context: &str, attributes: &str) -> String {
    format!(
        r#"{{"t":{{"$date":"2026-11-22T19:46:{second:02}.199+00:00"}},"s":"I",  "c":"{component}",  "id":51803,   "ctx":"{context}","msg":"Slow query","attr":{{{attributes}}}}}{}"#,
        "\n"
    )
}

const FIND: &str = r#""type":"command","ns":"shop.orders","appName":"web","command":{"find":"orders","filter":{"status":"a","at":{"$gt":{"$date":"2024-02-01T00:00:00.000Z"}}},"sort":{"at":-1},"limit":5,"lsid":{"id":{"$uuid":"93a5b61d-131f-4515-880b-13c4ddfc2f0c"}},"$db":"shop"},"planSummary":"COLLSCAN","keysExamined":0,"docsExamined":2000,"hasSortStage":true,"nreturned":5,"locks":{"Global":{"acquireCount":{"r":1}}},"remote":"10.0.0.7:33184","protocol":"op_msg","durationMillis":12"#;

#[test]
fn a_slow_query_is_told_with_all_its_numbers() {
    let digest = digest_of(line(1, "COMMAND", "conn8", FIND).as_bytes());
    assert_eq!(digest.sources[0].format.as_deref(), Some("mongodb json"));
    assert_eq!((digest.sources[0].entries, digest.sources[0].unread), (1, 0));
    let [statement] = digest.statements.as_slice() else { panic!("{digest:?}") };
    assert_eq!(
        statement.shape,
        "db.orders.find({at: {$gt: ?}, status: ?}).sort({at: -1}).limit(?)"
    );
    assert_eq!(
        (statement.operation.as_str(), statement.objects[0].as_str()),
        ("find", "shop.orders")
    );
    assert_eq!(statement.plans[0].name, "COLLSCAN, SORT");
    assert_eq!(
        (statement.hosts[0].name.as_str(), statement.applications[0].name.as_str()),
        ("10.0.0.7", "web")
    );
    let load = &statement.load;
    assert_eq!(
        (load.calls, load.returned, load.keys, load.reads),
        (1, Some(5), Some(0), Some(2000))
    );
    assert!((load.total_ms - 12.0).abs() < 1e-9);
    assert!(!statement.incomplete);
}

#[test]
fn a_get_more_joins_the_command_that_opened_its_cursor() {
    let more = FIND.replace(
        r#""planSummary""#,
        r#""originatingCommand":{"limit":5,"find":"x"},"planSummary""#,
    );
    let command = r#"{"getMore":123,"collection":"orders","$db":"shop"}"#;
    let start = more.find(r#"{"find":"orders""#).unwrap();
    let end = more.find(r#","originatingCommand""#).unwrap();
    let original = more[start..end].to_owned();
    let more = more.replacen(&original, command, 1).replace(r#"{"limit":5,"find":"x"}"#, &original);
    let log = line(1, "COMMAND", "conn8", FIND) + &line(2, "COMMAND", "conn8", &more);
    let digest = digest_of(log.as_bytes());
    assert_eq!(digest.statements.len(), 1, "{:#?}", digest.statements);
    assert_eq!(digest.statements[0].load.calls, 2);
}

const UPDATE: &str = r#""type":"update","ns":"shop.orders","command":{"q":{"_id":1},"u":{"$set":{"q":1}},"multi":false,"upsert":false},"planSummary":"IDHACK","keysExamined":1,"docsExamined":1,"nMatched":1,"nModified":1,"nUpserted":0,"durationMillis":2"#;
const BATCH: &str = r#""type":"command","ns":"shop.$cmd","command":{"update":"orders","ordered":true,"$db":"shop"},"reslen":60,"durationMillis":5"#;

#[test]
fn a_batched_write_is_counted_once() {
    let log = line(1, "WRITE", "conn8", UPDATE)
        + &line(1, "WRITE", "conn9", UPDATE)
        + &line(1, "WRITE", "conn8", UPDATE)
        + &line(1, "COMMAND", "conn8", BATCH)
        // Its statements were too quick to be logged.
        + &line(2, "COMMAND", "conn8", BATCH)
        // What came before the log began is not known.
        + &line(3, "COMMAND", "conn7", BATCH);
    let digest = digest_of(log.as_bytes());
    assert_eq!(digest.totals.calls, 5, "{:#?}", digest.statements);
    let statement = digest.statements.iter().find(|one| one.shape.contains("updateOne")).unwrap();
    assert_eq!((statement.load.calls, statement.load.returned), (3, Some(3)));
    let batch = digest.statements.iter().find(|one| one.shape.contains("runCommand")).unwrap();
    assert_eq!((batch.objects[0].as_str(), batch.operation.as_str()), ("shop.orders", "update"));
    assert!(batch.incomplete);
}

#[test]
fn what_the_server_cut_is_marked() {
    let cut = FIND.replace(r#","sort":{"at":-1},"limit":5,"lsid":{"id":{"$uuid":"93a5b61d-131f-4515-880b-13c4ddfc2f0c"}},"$db":"shop""#, "");
    let log = line(1, "COMMAND", "conn8", &cut);
    let log = log.trim_end().strip_suffix('}').unwrap().to_owned()
        + r#","truncated":{"command":{"filter":{"s":{"type":"string","size":20005}}}},"size":{"command":20270}}"#
        + "\n";
    let digest = digest_of(log.as_bytes());
    assert!(digest.statements[0].incomplete && digest.statements[0].samples[0].truncated);
    assert!(digest.statements[0].shape.ends_with('…'));
    assert_eq!(digest.sources[0].truncated, 1);
}

#[test]
fn failures_and_events_are_told() {
    let failed = FIND.replace(
        r#""planSummary""#,
        r#""ok":0,"errMsg":"operation exceeded \"time\" limit","errName":"MaxTimeMSExpired","errCode":50,"planSummary""#,
    );
    let mut log = line(1, "COMMAND", "conn8", &failed);
    for rest in [
        r#""s":"I",  "c":"INDEX",    "id":20384,   "ctx":"x","msg":"Index build: starting","attr":{"buildUUID":null,"namespace":"shop.orders","properties":{"v":2,"key":{"a":1},"name":"a_1"}}}"#,
        r#""s":"I",  "c":"NETWORK",  "id":22943,   "ctx":"listener","msg":"Connection accepted","attr":{"remote":"127.0.0.1:58056","connectionId":1,"connectionCount":1}}"#,
        r#""s":"I",  "c":"REPL",     "id":21358,   "ctx":"conn3","msg":"Replica set state transition","attr":{"newState":"PRIMARY","oldState":"SECONDARY"}}"#,
        r#""s":"I",  "c":"EXECUTOR", "id":6983000, "ctx":"conn1","svc":"R","msg":"Slow network response send time","attr":{"elapsed":{"totalMillis":109,"activeMillis":30}}}"#,
        r#""s":"W",  "c":"CONTROL",  "id":22120,   "ctx":"initandlisten","msg":"Access control is not enabled","tags":["startupWarnings"]}"#,
    ] {
        log += &format!("{{\"t\":{{\"$date\":\"2026-11-22T19:46:23.000+00:00\"}},{rest}\n");
    }
    log += "{\"t\":{\"$date\":\"2026-11-22T19:46:25.500+00:00\"},\"s\":\"I\",  \"c\":\"INDEX\",    \"id\":20345,   \"ctx\":\"x\",\"msg\":\"Index build: done building\",\"attr\":{\"namespace\":\"shop.orders\",\"index\":\"a_1\"}}\n";
    log += "garbage\n{\"t\":{\"$date\":\"2026-11-22T19:46:25.500+00:00\"},\"s\":\"I\",\"c\":\"COMMAND\",\"id\":51803,\"attr\":{\"type\":\"comm\n";
    let digest = digest_of(log.as_bytes());
    assert_eq!((digest.sources[0].entries, digest.sources[0].unread), (7, 2));
    let error = digest.errors.iter().find(|error| error.severity == "ERROR").unwrap();
    assert_eq!(error.code.as_deref(), Some("MaxTimeMSExpired"));
    assert!(error.sample.contains("exceeded \"time\" limit") && error.statement.is_some());
    assert_eq!(digest.errors.len(), 2);
    let event = |kind| digest.events.iter().find(|event| event.kind == kind).unwrap();
    assert_eq!(event(EventKind::IndexBuild).total, Some(2500.0));
    assert_eq!(event(EventKind::IndexBuild).about[0].name, "shop.orders");
    assert_eq!(event(EventKind::Connected).about[0].name, "127.0.0.1");
    assert_eq!(event(EventKind::Election).about[0].name, "PRIMARY");
    assert_eq!(event(EventKind::SlowConnection).total, Some(109.0));
    assert_eq!(event(EventKind::Cancelled).count, 1);
}

#[test]
fn the_statements_of_a_bulk_write_are_told() {
    let statement = r#""type":"bulkWrite","ns":"shop.orders","command":{"update":0,"filter":{"a":1},"updateMods":{"$set":{"b":2}},"multi":true},"nMatched":4,"durationMillis":3"#;
    let wrapper = r#""type":"command","ns":"admin.$cmd","command":{"bulkWrite":1,"ops":[],"nsInfo":[{"ns":"shop.orders"}],"$db":"admin"},"durationMillis":9"#;
    let log = line(1, "WRITE", "conn8", statement) + &line(1, "COMMAND", "conn8", wrapper);
    let digest = digest_of(log.as_bytes());
    assert_eq!(digest.totals.calls, 1, "{:#?}", digest.statements);
    let found = &digest.statements[0];
    assert_eq!(found.shape, "db.orders.updateMany({a: ?}, {$set: {b: ?}})");
    assert_eq!(found.samples[0].text, "db.orders.updateMany({ a: 1 }, { $set: { b: 2 } })");
}

#[test]
fn samples_are_statements_again() {
    let log = line(1, "COMMAND", "conn8", FIND) + &line(1, "WRITE", "conn8", UPDATE);
    for statement in digest_of(log.as_bytes()).statements {
        let parsed = marula_mongodb::shell::parse(&statement.samples[0].text).unwrap();
        assert_eq!(parsed.shape().text, statement.shape);
    }
}
