#![allow(clippy::unwrap_used, clippy::panic)]

use marula_core::Verdict;

use super::super::tests::{digest_of, line};
use super::advise;

/// A slow query line: the command, plan, documents examined, documents returned, milliseconds.
fn slow(
    collection: &str,
    command: &str,
    plan: &str,
    examined: u32,
    returned: u32,
    ms: u32,
) -> String {
    line(
        1,
        "COMMAND",
        "conn1",
        &format!(
            r#""type":"command","ns":"shop.{collection}","command":{command},"planSummary":"{plan}","keysExamined":0,"docsExamined":{examined},"nreturned":{returned},"durationMillis":{ms}"#
        ),
    )
}

#[test]
fn indexes_are_merged_by_prefix_and_nothing_is_claimed_to_be_proven() {
    let log = [
        slow("orders", r#"{"find":"orders","filter":{"status":"a","customer":5,"at":{"$gt":1}},"sort":{"at":-1},"limit":20}"#, "COLLSCAN", 9000, 20, 500),
        slow("orders", r#"{"find":"orders","filter":{"customer":5}}"#, "COLLSCAN", 9000, 3, 100),
        slow("orders", r#"{"count":"orders","query":{"customer":5,"status":"b"}}"#, "COLLSCAN", 9000, 0, 90),
        slow("orders", r#"{"find":"orders","filter":{"total":{"$gt":5}}}"#, "COLLSCAN", 9000, 3, 80),
        // Well served: by `_id`, by an index, or because there is nothing to read.
        slow("orders", r#"{"find":"orders","filter":{"_id":5}}"#, "IDHACK", 1, 1, 700),
        slow("orders", r#"{"find":"orders","filter":{"sku":5}}"#, "IXSCAN { sku: 1 }", 5, 5, 700),
        slow("small", r#"{"find":"small","filter":{"a":5}}"#, "COLLSCAN", 20, 1, 700),
    ]
    .concat();
    let (findings, changes) = advise(&digest_of(log.as_bytes()));
    let up: Vec<&str> = changes.iter().map(|change| change.up[0].as_str()).collect();
    assert_eq!(
        up,
        [
            r#"db.orders.createIndex({ customer: 1, status: 1, at: -1 }, { name: "customer_1_status_1_at_-1" })"#,
            r#"db.orders.createIndex({ total: 1 }, { name: "total_1" })"#,
        ]
    );
    assert_eq!(changes[0].down, [r#"db.orders.dropIndex("customer_1_status_1_at_-1")"#]);
    assert!(changes.iter().all(|change| change.proof.verdict == Verdict::NotTried));
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["collection-scan", "collection-scan", "count-miss", "collection-scan"]);
    assert!(findings[..3].iter().all(|finding| finding.changes[0].0 == "c1"));
    assert_eq!(findings[3].changes[0].0, "c2");
}

#[test]
fn each_branch_of_an_or_has_its_index_and_seen_ones_are_not_proposed() {
    let log = [
        slow("o", r#"{"find":"o","filter":{"$or":[{"a":1},{"b":{"$lt":2}}]}}"#, "COLLSCAN", 9000, 2, 500),
        slow("o", r#"{"find":"o","filter":{"c":1,"d":2}}"#, "IXSCAN { c: 1 }", 5000, 2, 400),
        slow("o", r#"{"find":"o","filter":{"e":1,"f":{"$ne":2}}}"#, "IXSCAN { e: 1 }", 5000, 2, 300),
        slow("o", r#"{"aggregate":"o","pipeline":[{"$match":{"g":1}},{"$sort":{"h":1}},{"$limit":5}],"cursor":{}}"#, "COLLSCAN", 5000, 5, 200),
        // One branch that no index serves.
        slow("o", r#"{"find":"o","filter":{"$or":[{"x":1},{"y":{"$ne":2}}]}}"#, "COLLSCAN", 9000, 2, 100),
    ]
    .concat();
    let (findings, changes) = advise(&digest_of(log.as_bytes()));
    let keys: Vec<&str> =
        changes.iter().map(|change| change.up[0].split("{ name").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "db.o.createIndex({ a: 1 }, ",
            "db.o.createIndex({ b: 1 }, ",
            "db.o.createIndex({ c: 1, d: 1 }, ",
            "db.o.createIndex({ g: 1, h: 1 }, ",
        ]
    );
    assert!(changes[2].conditions.iter().any(|condition| condition.contains("extends { c: 1 }")));
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["collection-scan", "fetch-filter", "fetch-filter", "collection-scan", "collection-scan"]
    );
}

#[test]
fn a_slow_lookup_gets_an_index_on_the_other_collection() {
    let log = [
        slow("orders", r#"{"aggregate":"orders","pipeline":[{"$lookup":{"from":"payments","localField":"_id","foreignField":"orderId","as":"p"}}],"cursor":{}}"#, "COLLSCAN", 60, 60, 900),
        slow("orders", r#"{"aggregate":"orders","pipeline":[{"$lookup":{"from":"customers","localField":"customer","foreignField":"_id","as":"c"}}],"cursor":{}}"#, "COLLSCAN", 60, 60, 900),
    ]
    .concat();
    let (findings, changes) = advise(&digest_of(log.as_bytes()));
    let up: Vec<&str> = changes.iter().map(|change| change.up[0].as_str()).collect();
    assert_eq!(up, [r#"db.payments.createIndex({ orderId: 1 }, { name: "orderId_1" })"#]);
    assert_eq!(changes[0].relation.as_deref(), Some("shop.payments"));
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["lookup-scan"]);
}
