//! Text logs, from 2.6 to 4.2.

use super::digest_of;

fn one(line: &str) -> marula_core::StatementDigest {
    let digest = digest_of(format!("{line}\n").as_bytes());
    assert_eq!(digest.sources[0].format.as_deref(), Some("mongodb text"), "{line}");
    assert_eq!(digest.statements.len(), 1, "{line}: {digest:?}");
    digest.statements.into_iter().next().unwrap()
}

#[test]
fn every_version_has_its_own_form_of_the_same_query() {
    let shape = "db.orders.find({at: {$gt: ?}, status: ?}).sort({at: -1})";
    for line in [
        // 4.2
        r#"2020-01-01T00:00:00.123+0000 I  COMMAND  [conn8] command shop.orders appName: "my "web" app" command: find { find: "orders", filter: { status: "a", at: { $gt: new Date(1706745600000) } }, sort: { at: -1 }, lsid: { id: UUID("75524811-71ae-4651-83ca-b8c97869f4fb") }, $db: "shop" } planSummary: IXSCAN { status: 1, at: -1 } keysExamined:5 docsExamined:5 cursorExhausted:1 numYields:0 nreturned:5 reslen:385 locks:{} storage:{} protocol:op_msg 12ms"#,
        // 3.4
        r#"2017-01-01T00:00:00.123+0100 I COMMAND  [conn8] command shop.orders appName: "MongoDB Shell" command: find { find: "orders", filter: { status: "a", at: { $gt: new Date(1706745600000) } }, sort: { at: -1.0 } } planSummary: IXSCAN { status: 1, at: -1 } keysExamined:5 docsExamined:5 cursorExhausted:1 numYields:0 nreturned:5 reslen:385 locks:{} protocol:op_command 12ms"#,
        // 3.0
        r#"2015-01-01T00:00:00.123+0000 I QUERY    [conn8] query shop.orders query: { query: { status: "a", at: { $gt: new Date(1706745600000) } }, orderby: { at: -1 } } planSummary: IXSCAN { status: 1, at: -1 } ntoreturn:0 ntoskip:0 nscanned:5 nscannedObjects:5 keyUpdates:0 writeConflicts:0 numYields:0 nreturned:5 reslen:385 locks:{} 12ms"#,
        // 2.6
        r#"2014-01-01T00:00:00.123+0000 [conn8] query shop.orders query: { $query: { status: "a", at: { $gt: new Date(1706745600000) } }, $orderby: { at: -1 } } planSummary: IXSCAN { status: 1, at: -1 } ntoreturn:0 ntoskip:0 nscanned:5 nscannedObjects:5 keyUpdates:0 numYields:0 locks(micros) r:127 nreturned:5 reslen:385 12ms"#,
    ] {
        let found = one(line);
        assert_eq!(found.shape, shape, "{line}");
        let load = &found.load;
        assert_eq!((load.keys, load.reads, load.returned), (Some(5), Some(5), Some(5)), "{line}");
        assert!((load.total_ms - 12.0).abs() < 1e-9);
        assert_eq!(found.plans[0].name, "IXSCAN { status: 1, at: -1 }");
    }
}

#[test]
fn writes_before_and_after_3_6() {
    for (line, shape) in [
        (
            r#"2016-01-01T00:00:00.123+0000 I WRITE    [conn8] update shop.orders query: { _id: 1 } planSummary: IDHACK update: { $set: { x: "a, b }" } } keysExamined:1 docsExamined:1 nMatched:1 nModified:1 keyUpdates:0 numYields:0 locks:{} 12ms"#,
            "db.orders.updateOne({_id: ?}, {$set: {x: ?}})",
        ),
        (
            r#"2016-01-01T00:00:00.123+0000 I WRITE    [conn8] remove shop.orders query: { a: /^x, }/i } planSummary: COLLSCAN keysExamined:0 docsExamined:9 ndeleted:1 keyUpdates:0 numYields:0 locks:{} 12ms"#,
            "db.orders.deleteOne({a: ?})",
        ),
        (
            r#"2020-01-01T00:00:00.123+0000 I  WRITE    [conn8] remove shop.orders appName: "web" command: { q: { customer: 18 }, limit: 0 } planSummary: COLLSCAN keysExamined:0 docsExamined:1900 ndeleted:1 keysDeleted:200 numYields:14 locks:{} storage:{} 12ms"#,
            "db.orders.deleteMany({customer: ?})",
        ),
    ] {
        let found = one(line);
        assert_eq!((found.shape.as_str(), found.load.returned), (shape, Some(1)), "{line}");
    }
}

#[test]
fn a_string_with_a_line_break_does_not_end_its_entry() {
    let find = "2020-01-01T00:00:00.123+0000 I  COMMAND  [conn8] command shop.orders command: find { find: \"orders\", filter: { a: \"x\ny\", b: 1 } } planSummary: COLLSCAN keysExamined:0 docsExamined:9 nreturned:1 12ms";
    let log = format!("{find}\ngarbage\n{find}\nnothing at all\n");
    let digest = digest_of(log.as_bytes());
    let source = &digest.sources[0];
    assert_eq!((source.entries, source.unread, source.lines), (2, 2, 6));
    assert_eq!(source.unread_samples[0].line, 3);
    assert_eq!(digest.statements[0].shape, "db.orders.find({a: ?, b: ?})");
    assert_eq!(digest.totals.calls, 2);
}

#[test]
fn what_the_server_could_not_print_is_used_and_marked() {
    let digest = digest_of(
        br#"2020-01-01T00:00:00.123+0000 I  COMMAND  [conn8] warning: log line attempted (17kB) over max size (10kB), printing beginning and end ... command shop.orders appName: "web" command: find { find: "orders", filter: { _id: { $in: [ 0, 1, 2, 68 .......... 546, 2547 ] } }, $db: "shop" } planSummary: IXSCAN { _id: 1 } keysExamined:7 docsExamined:6 nreturned:5 protocol:op_msg 12ms
"#,
    );
    let found = &digest.statements[0];
    assert_eq!(found.shape, "db.orders.find({_id: {$in: [?]}}) …".replace("  ", " "));
    assert!(found.incomplete && found.samples[0].truncated);
    assert_eq!(
        (found.load.keys, found.load.reads, found.load.returned),
        (Some(7), Some(6), Some(5))
    );
    assert_eq!(found.samples[0].text, "db.orders.find({ _id: { $in: [0, 1, 2, 68] } })");
}
