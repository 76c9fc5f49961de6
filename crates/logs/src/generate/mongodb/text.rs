//! The workload as 4.2's text logs.

use std::io::Write;

use bson::{Bson, Document};
use marula_core::Timestamp;

use super::{Happened, enveloped};

/// Lines longer than this lose their middle.
const LONGEST: usize = 10_000;

/// Writes one operation.
pub(super) fn operation(out: &mut Vec<u8>, happened: &Happened<'_>) {
    let call = happened.call;
    let component = if call.kind == "command" { "COMMAND " } else { "WRITE   " };
    begin(out, happened.at, component, &format!("conn{}", happened.connection));
    let mut line = Vec::new();
    let _ = write!(
        line,
        "{} {} appName: \"{}\" command: ",
        call.kind, call.namespace, happened.application
    );
    if call.kind == "command" {
        let name = call.command.keys().next().map_or("", String::as_str);
        let _ = write!(line, "{name} ");
    }
    document(&mut line, &enveloped(call, &call.command));
    if let Some(originating) = &call.originating {
        line.extend_from_slice(b" originatingCommand: ");
        document(&mut line, &enveloped(call, originating));
    }
    if !call.plan.is_empty() {
        let _ = write!(line, " planSummary: {}", call.plan);
    }
    if let Some(keys) = call.keys {
        let _ = write!(line, " keysExamined:{keys}");
    }
    if let Some(documents) = call.documents {
        let _ = write!(line, " docsExamined:{documents}");
    }
    if call.sorts {
        line.extend_from_slice(b" hasSortStage:1");
    }
    if happened.spilled.is_some() {
        line.extend_from_slice(b" usedDisk:1");
    }
    if let Some((name, count)) = call.returned {
        let _ = write!(line, " {name}:{count}");
    }
    line.extend_from_slice(b" numYields:2 queryHash:DA394D5C planCacheKey:98E0C4C0");
    if let Some((code, name, message)) = call.error {
        let _ = write!(line, " ok:0 errMsg:\"{message}\" errName:{name} errCode:{code}");
    }
    line.extend_from_slice(b" reslen:385 locks:{ ReplicationStateTransition: { acquireCount: { w: 1 } }, Global: { acquireCount: { r: 1 } }, Database: { acquireCount: { r: 1 }");
    if happened.waited > 0 {
        let _ = write!(
            line,
            ", acquireWaitCount: {{ r: 1 }}, timeAcquiringMicros: {{ r: {} }}",
            happened.waited
        );
    }
    line.extend_from_slice(b" }, Collection: { acquireCount: { r: 1 } }, Mutex: { acquireCount: { r: 1 } } } storage:{ data: { bytesRead: 14808, timeReadingMicros: 5 } }");
    if call.kind == "command" {
        line.extend_from_slice(b" protocol:op_msg");
    }
    let _ = write!(line, " {}ms", happened.ms);
    if line.len() > LONGEST {
        let _ = write!(
            out,
            "warning: log line attempted ({}kB) over max size (10kB), printing beginning and end ... ",
            line.len() / 1024
        );
        out.extend_from_slice(&line[..2 * LONGEST / 3]);
        out.extend_from_slice(b" .......... ");
        out.extend_from_slice(&line[line.len() - LONGEST / 3..]);
    } else {
        out.extend_from_slice(&line);
    }
    out.push(b'\n');
}

/// An index build's two lines; gives how many lines it wrote.
pub(super) fn index_build(out: &mut Vec<u8>, at: i64, took: u64) -> u64 {
    begin(out, at, "INDEX   ", "conn4");
    let _ = writeln!(
        out,
        "index build: starting on shop.orders properties: {{ v: 2, key: {{ a: 1 }}, name: \"a_{at}\", ns: \"shop.orders\" }} using method: Hybrid"
    );
    begin(out, at + took as i64, "INDEX   ", "conn4");
    let _ = writeln!(out, "index build: done building index a_{at} on ns shop.orders");
    2
}

/// A connection made; gives how many lines it wrote.
pub(super) fn connection(out: &mut Vec<u8>, at: i64, host: u64) -> u64 {
    begin(out, at, "NETWORK ", "listener");
    let _ =
        writeln!(out, "connection accepted from 10.0.0.{host}:58056 #1 (1 connection now open)");
    1
}

fn begin(out: &mut Vec<u8>, at: i64, component: &str, context: &str) {
    let (year, month, day, ms) = Timestamp(at).to_civil();
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}+0000 I  {component} [{context}] ",
        ms % 1000
    );
}

/// A document as 4.2 prints it: nothing is escaped.
pub(super) fn document(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"{");
    for (place, (key, inner)) in document.iter().enumerate() {
        let _ = write!(out, "{}{key}: ", if place == 0 { " " } else { ", " });
        value(out, inner);
    }
    out.extend_from_slice(if document.is_empty() { b"}" } else { b" }" });
}

fn value(out: &mut Vec<u8>, value_of: &Bson) {
    let _ = match value_of {
        Bson::Document(inner) => {
            document(out, inner);
            Ok(())
        }
        Bson::Array(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                out.extend_from_slice(if place == 0 { b" " } else { b", " });
                value(out, item);
            }
            out.extend_from_slice(if items.is_empty() { b"]" } else { b" ]" });
            Ok(())
        }
        Bson::String(text) => write!(out, "\"{text}\""),
        Bson::Double(number) => write!(out, "{number:?}"),
        Bson::Int32(number) => write!(out, "{number}"),
        Bson::Int64(number) => write!(out, "{number}"),
        Bson::Boolean(yes) => write!(out, "{yes}"),
        Bson::Null => write!(out, "null"),
        Bson::ObjectId(id) => write!(out, "ObjectId('{id}')"),
        Bson::DateTime(at) => write!(out, "new Date({})", at.timestamp_millis()),
        Bson::Timestamp(stamp) => write!(out, "Timestamp({}, {})", stamp.time, stamp.increment),
        Bson::MinKey => write!(out, "MinKey"),
        Bson::RegularExpression(regex) => write!(out, "/{}/{}", regex.pattern, regex.options),
        Bson::Binary(binary) => match binary.to_uuid() {
            Ok(uuid) => write!(out, "UUID(\"{uuid}\")"),
            Err(_) => write!(out, "BinData(0, 00)"),
        },
        other => write!(out, "{other}"),
    };
}
