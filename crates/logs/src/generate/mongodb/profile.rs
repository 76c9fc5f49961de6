//! The workload as documents of `system.profile`.

use bson::{Bson, Document, doc};

use super::{Happened, enveloped, json, text};

/// Writes a line of relaxed extended JSON.
pub(super) fn line(out: &mut Vec<u8>, happened: &Happened<'_>) {
    json::document(out, &document(happened));
    out.push(b'\n');
}

/// Writes an item of an array, in canonical extended JSON.
pub(super) fn item(out: &mut Vec<u8>, happened: &Happened<'_>, first: bool) {
    out.extend_from_slice(if first { b"" } else { b",\n" });
    let value = Bson::Document(document(happened)).into_canonical_extjson();
    let _ = serde_json::to_writer(out, &value);
}

/// Writes BSON.
pub(super) fn bson(out: &mut Vec<u8>, happened: &Happened<'_>) {
    let _ = document(happened).to_writer(out);
}

fn document(happened: &Happened<'_>) -> Document {
    let call = happened.call;
    let first = call.command.keys().next().map_or("", String::as_str);
    let op = match (call.kind, first) {
        ("command", "find") => "query",
        ("command", "getMore") => "getmore",
        ("command", "insert") => "insert",
        (kind, _) => kind,
    };
    let command = if call.cut.is_some() {
        let mut text = Vec::new();
        text::document(&mut text, &call.command);
        text.truncate(5000);
        doc! { "$truncated": String::from_utf8_lossy(&text).into_owned() + "..." }
    } else {
        enveloped(call, &call.command)
    };
    let mut found = doc! { "op": op, "ns": call.namespace, "command": command };
    if let Some(originating) = &call.originating {
        found.insert("originatingCommand", enveloped(call, originating));
    }
    let number = |count: u64| Bson::Int32(count as i32);
    if let Some(keys) = call.keys {
        found.insert("keysExamined", number(keys));
    }
    if let Some(documents) = call.documents {
        found.insert("docsExamined", number(documents));
    }
    if call.sorts {
        found.insert("hasSortStage", true);
    }
    if happened.spilled.is_some() {
        found.insert("usedDisk", true);
    }
    if let Some((name, count)) = call.returned {
        found.insert(name, number(count));
    }
    found.insert("numYield", 2);
    let mut lock = doc! { "acquireCount": { "r": Bson::Int64(1) } };
    if happened.waited > 0 {
        lock.insert("acquireWaitCount", doc! { "r": Bson::Int64(1) });
        lock.insert("timeAcquiringMicros", doc! { "r": number(happened.waited) });
    }
    found.insert("locks", doc! { "Global": lock });
    if let Some((code, name, message)) = call.error {
        found.extend(doc! { "ok": 0.0, "errMsg": message, "errName": name, "errCode": code });
    }
    found.extend(
        doc! { "responseLength": 385, "protocol": "op_msg", "millis": number(happened.ms) },
    );
    if !call.plan.is_empty() {
        found.insert("planSummary", call.plan);
    }
    found.extend(doc! {
        "execStats": { "stage": "COLLSCAN", "nReturned": 1, "works": 3 },
        "ts": bson::DateTime::from_millis(happened.at),
        "client": format!("10.0.0.{}", happened.host),
        "appName": happened.application,
        "allUsers": [],
        "user": "",
    });
    found
}
