//! The workload as JSON logs.

use std::io::Write;

use bson::{Bson, Document, doc};
use marula_core::Timestamp;

use super::{Happened, enveloped};

/// Writes one operation as MongoDB `major` does.
pub(super) fn operation(out: &mut Vec<u8>, happened: &Happened<'_>, major: u8) {
    let call = happened.call;
    let component = if call.kind == "command" { "COMMAND" } else { "WRITE" };
    let context = format!("conn{}", happened.connection);
    begin(out, happened.at, ("I", component, 51803, &context, "Slow query"), major);
    let _ = write!(
        out,
        r#","attr":{{"type":"{}","ns":"{}","appName":"{}","command":"#,
        call.kind, call.namespace, happened.application
    );
    let whole = enveloped(call, &call.command);
    let shown = if call.cut.is_some() { shortened(&call.command) } else { whole };
    document(out, &shown);
    if let Some(originating) = &call.originating {
        out.extend_from_slice(b",\"originatingCommand\":");
        document(out, &enveloped(call, originating));
    }
    if !call.plan.is_empty() {
        let _ = write!(out, r#","planSummary":"{}""#, call.plan);
    }
    if major >= 6 {
        out.extend_from_slice(br#","planningTimeMicros":228"#);
    }
    if let Some(keys) = call.keys {
        let _ = write!(out, r#","keysExamined":{keys}"#);
    }
    if let Some(documents) = call.documents {
        let _ = write!(out, r#","docsExamined":{documents}"#);
    }
    if call.sorts {
        out.extend_from_slice(br#","hasSortStage":true"#);
    }
    if let Some(bytes) = happened.spilled {
        out.extend_from_slice(br#","usedDisk":true"#);
        if major >= 8 {
            let _ = write!(out, r#","sortSpills":3,"sortSpilledBytes":{bytes}"#);
        }
    }
    if let Some((name, count)) = call.returned {
        let _ = write!(out, r#","{name}":{count}"#);
    }
    if call.kind == "update" {
        out.extend_from_slice(br#","nModified":1,"nUpserted":0"#);
    }
    out.extend_from_slice(br#","numYields":2,"queryHash":"DA394D5C","planCacheKey":"98E0C4C0""#);
    if let Some((code, name, message)) = call.error {
        let _ = write!(out, r#","ok":0,"errMsg":"{message}","errName":"{name}","errCode":{code}"#);
    }
    out.extend_from_slice(br#","reslen":385,"locks":{"FeatureCompatibilityVersion":{"acquireCount":{"r":2}},"ReplicationStateTransition":{"acquireCount":{"w":1}},"Global":{"acquireCount":{"r":1}},"Database":{"acquireCount":{"r":1}"#);
    if happened.waited > 0 {
        let _ = write!(
            out,
            r#","acquireWaitCount":{{"r":1}},"timeAcquiringMicros":{{"r":{}}}"#,
            happened.waited
        );
    }
    out.extend_from_slice(br#"},"Collection":{"acquireCount":{"r":1}},"Mutex":{"acquireCount":{"r":1}}},"storage":{"data":{"bytesRead":14817,"timeReadingMicros":5}}"#);
    if major >= 5 {
        let _ =
            write!(out, r#","remote":"10.0.0.{}:{}""#, happened.host, 40_000 + happened.connection);
    }
    if call.kind == "command" {
        out.extend_from_slice(br#","protocol":"op_msg""#);
    }
    if major >= 8 {
        out.extend_from_slice(br#","queryShapeHash":"AB","workingMillis":0"#);
    }
    let _ = write!(out, r#","durationMillis":{}}}"#, happened.ms);
    if call.cut.is_some() {
        out.extend_from_slice(br#","truncated":{"command":{"filter":{"_id":{"$in":{"300":{"type":"int","size":4}}}}}},"size":{"command":29146}"#);
    }
    out.extend_from_slice(b"}\n");
}

/// The command up to where the log ends it: in the middle of the list.
fn shortened(command: &Document) -> Document {
    let Some((name, target)) = command.iter().next() else { return Document::new() };
    let ids: Vec<Bson> = (0..300).map(|n| Bson::Int32(100_000 + n)).collect();
    let mut short = doc! { name: target.clone() };
    short.insert("filter", doc! { "_id": { "$in": ids } });
    short
}

/// An index build's two lines; gives how many lines it wrote.
pub(super) fn index_build(out: &mut Vec<u8>, at: i64, took: u64) -> u64 {
    let thread = "IndexBuildsCoordinatorMongod-0";
    begin(out, at, ("I", "INDEX", 20384, thread, "Index build: starting"), 6);
    let _ = writeln!(
        out,
        r#","attr":{{"buildUUID":null,"namespace":"shop.orders","properties":{{"v":2,"key":{{"a":1}},"name":"a_{at}"}},"method":"Hybrid"}}}}"#
    );
    begin(out, at + took as i64, ("I", "INDEX", 20345, thread, "Index build: done building"), 6);
    let _ = writeln!(
        out,
        r#","attr":{{"buildUUID":null,"namespace":"shop.orders","index":"a_{at}","commitTimestamp":null}}}}"#
    );
    2
}

/// A connection made; gives how many lines it wrote.
pub(super) fn connection(out: &mut Vec<u8>, at: i64, host: u64) -> u64 {
    begin(out, at, ("I", "NETWORK", 22943, "listener", "Connection accepted"), 6);
    let _ = writeln!(
        out,
        r#","attr":{{"remote":"10.0.0.{host}:58056","connectionId":1,"connectionCount":1}}}}"#
    );
    1
}

fn begin(out: &mut Vec<u8>, at: i64, head: (&str, &str, u32, &str, &str), major: u8) {
    let (severity, component, id, context, message) = head;
    let (year, month, day, ms) = Timestamp(at).to_civil();
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let service = if major >= 8 { r#""svc":"S", "# } else { "" };
    let _ = write!(
        out,
        "{{\"t\":{{\"$date\":\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}+00:00\"}},\"s\":\"{severity}\",  \"c\":\"{component}\",  \"id\":{id},   {service}\"ctx\":\"{context}\",\"msg\":\"{message}\"",
        ms % 1000
    );
}

/// Relaxed extended JSON.
pub(super) fn document(out: &mut Vec<u8>, document: &Document) {
    let value = Bson::Document(document.clone()).into_relaxed_extjson();
    let _ = serde_json::to_writer(out, &value);
}
