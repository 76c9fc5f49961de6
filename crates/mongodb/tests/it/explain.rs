//! Explains of real servers: the summary agrees with the server's own counts.

use std::time::{Duration, Instant};

use marula_core::{ErrorKind, Plan};
use marula_mongodb::explain::{Mode, explain, raw};
use marula_mongodb::{plan, run, shell};

/// Statement, indexes used, collections scanned, keys, documents read (with lookups' inner reads
/// from 5.0 on), documents returned, sorted in memory. `None`: whatever the version says.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    Option<u64>,
    Option<u64>,
    Option<u64>,
    bool,
);

const BY_STATUS: &[&str] = &["status_1_at_-1"];
const NONE: &[&str] = &[];
const ORDERS: &[&str] = &["orders"];

const CASES: &[Case] = &[
    ("db.orders.find({customer: 7})", NONE, ORDERS, Some(0), Some(2_000), Some(10), false),
    ("db.orders.find({status: 'paid'})", BY_STATUS, NONE, Some(500), Some(500), Some(500), false),
    (
        "db.orders.find({status: 'paid'}).sort({at: -1}).limit(5)",
        BY_STATUS,
        NONE,
        Some(5),
        Some(5),
        Some(5),
        false,
    ),
    (
        "db.orders.find({status: 'paid'}).sort({total: -1})",
        BY_STATUS,
        NONE,
        Some(500),
        Some(500),
        Some(500),
        true,
    ),
    (
        "db.orders.find({}).sort({total: 1}).limit(3)",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        Some(3),
        true,
    ),
    ("db.orders.find({_id: 5})", &["_id_"], NONE, Some(1), Some(1), Some(1), false),
    (
        "db.orders.find({status: 'paid'}, {_id: 0, status: 1})",
        BY_STATUS,
        NONE,
        Some(500),
        Some(0),
        Some(500),
        false,
    ),
    (
        "db.orders.find({status: 'paid', total: {$gt: 100}})",
        BY_STATUS,
        NONE,
        Some(500),
        Some(500),
        None,
        false,
    ),
    (
        "db.orders.find({$or: [{status: 'paid'}, {_id: 4}]})",
        &["status_1_at_-1", "_id_"],
        NONE,
        Some(501),
        Some(501),
        Some(501),
        false,
    ),
    (
        "db.orders.find({$or: [{status: 'paid'}, {customer: 4}]})",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        None,
        false,
    ),
    ("db.orders.find({}).skip(100).limit(5)", NONE, ORDERS, Some(0), None, Some(5), false),
    ("db.orders.findOne({status: 'new'})", BY_STATUS, NONE, Some(1), Some(1), Some(1), false),
    ("db.orders.count({status: 'paid'})", BY_STATUS, NONE, None, Some(0), None, false),
    ("db.orders.countDocuments({status: 'paid'})", BY_STATUS, NONE, None, Some(0), None, false),
    ("db.orders.distinct('status')", BY_STATUS, NONE, None, Some(0), None, false),
    ("db.orders.distinct('customer')", NONE, ORDERS, Some(0), Some(2_000), None, false),
    (
        "db.orders.updateMany({customer: 7}, {$set: {x: 1}})",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        None,
        false,
    ),
    (
        "db.orders.updateOne({status: 'paid'}, [{$set: {x: 1}}])",
        BY_STATUS,
        NONE,
        Some(1),
        Some(1),
        None,
        false,
    ),
    ("db.orders.deleteMany({status: 'paid'})", BY_STATUS, NONE, Some(500), Some(500), None, false),
    (
        "db.orders.findOneAndUpdate({status: 'paid'}, {$inc: {n: 1}}, {sort: {total: 1}})",
        BY_STATUS,
        NONE,
        Some(500),
        None,
        None,
        true,
    ),
    (
        "db.orders.aggregate([{$match: {status: 'paid'}}, {$sort: {at: -1}}, {$limit: 7}])",
        BY_STATUS,
        NONE,
        Some(7),
        Some(7),
        Some(7),
        false,
    ),
    (
        "db.orders.aggregate([{$match: {customer: 7}}, {$group: {_id: '$status', n: {$sum: 1}}}, {$sort: {n: -1}}])",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        None,
        true,
    ),
    (
        "db.orders.aggregate([{$unwind: '$items'}, {$group: {_id: '$items.sku', n: {$sum: '$items.n'}}}])",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        Some(50),
        false,
    ),
    (
        "db.orders.aggregate([{$match: {customer: 7}}, {$facet: {a: [{$count: 'n'}], b: [{$limit: 1}]}}])",
        NONE,
        ORDERS,
        Some(0),
        Some(2_000),
        Some(1),
        false,
    ),
    (
        "db.orders.aggregate([{$match: {_id: {$lt: 20}}}, {$lookup: {from: 'customers', localField: 'customer', foreignField: '_id', as: 'c'}}])",
        &["_id_"],
        NONE,
        None,
        None,
        Some(20),
        false,
    ),
];

fn describe(text: &str, plan: &Plan) -> String {
    format!("{} {text}\n{:#?}", plan.version.unwrap(), plan.summary)
}

#[tokio::test]
async fn summaries_agree_with_the_servers_counts() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        for (text, indexes, scans, keys, reads, returned, sorted) in CASES {
            let command = shell::parse(text).unwrap();
            let plan = explain(&place.target, &command, Mode::Execute)
                .await
                .unwrap_or_else(|e| panic!("{} {text}: {e}", place.version));
            let told = describe(text, &plan);
            assert!(plan.executed, "{told}");
            assert_eq!(plan.version, Some(place.version), "{told}");
            let mut found: Vec<_> = plan.summary.indexes.iter().map(String::as_str).collect();
            let mut wanted = indexes.to_vec();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{told}");
            assert_eq!(plan.summary.scans, *scans, "{told}");
            assert_eq!(plan.summary.sort_in_memory, *sorted, "{told}");
            assert!(!plan.summary.spilled, "{told}");
            for (name, wanted, found) in [
                ("keys", keys, plan.summary.keys),
                ("reads", reads, plan.summary.reads),
                ("returned", returned, plan.summary.returned),
            ] {
                // A limit may make the server read one entry more.
                if let Some(wanted) = wanted {
                    let found = found.unwrap_or_else(|| panic!("no {name}: {told}"));
                    assert!(
                        found == *wanted || found == wanted + 1 && *wanted < 600,
                        "{name} is {found}, not {wanted}: {told}"
                    );
                }
            }
            let estimate = explain(&place.target, &command, Mode::Estimate).await.unwrap();
            assert!(!estimate.executed, "{told}");
            assert_eq!(estimate.summary.scans, *scans, "estimate of {told}");
            for (_, node) in plan.tree.walk() {
                assert_ne!(node.op, "UNKNOWN", "{told}");
                assert!(node.native.get("inputStage").is_none());
            }
        }
    }
}

#[tokio::test]
async fn a_lookup_without_an_index_tells_its_inner_reads_from_5_0_on() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        let command = shell::parse(
            "db.orders.aggregate([{$match: {_id: {$lt: 20}}},
             {$lookup: {from: 'customers', localField: 'customer', foreignField: 'number', as: 'c'}}])",
        )
        .unwrap();
        let plan = explain(&place.target, &command, Mode::Execute).await.unwrap();
        let walked = plan.tree.walk();
        let lookup = walked.iter().find(|(_, node)| node.op == "$lookup").unwrap().1;
        assert_eq!(lookup.relation.as_deref(), Some("customers"));
        if place.version.major >= 5 {
            assert_eq!(plan.summary.scans, ["customers"], "{plan:#?}");
            assert_eq!(plan.summary.reads, Some(20 + 20 * 200), "{:?}", plan.summary);
        } else {
            assert_eq!(plan.summary.reads, Some(20));
            assert!(lookup.details.iter().any(|line| line.contains("unknown")), "{lookup:?}");
        }
    }
}

#[tokio::test]
async fn a_saved_explain_reads_like_the_live_one() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        for (text, ..) in CASES {
            let command = shell::parse(text).unwrap();
            let reply = raw(&place.target, &command, Mode::Execute).await.unwrap();
            let live = plan::from_document(reply.clone()).unwrap();
            let value = bson::Bson::Document(reply.clone());
            for saved in [
                value.clone().into_relaxed_extjson().to_string(),
                value.clone().into_canonical_extjson().to_string(),
                marula_mongodb::command::print_document(&reply),
                format!(
                    "shop> {text}.explain('executionStats')\n{}\nshop> ",
                    marula_mongodb::command::print_document(&reply)
                ),
            ] {
                let read = plan::parse(&saved).unwrap_or_else(|e| panic!("{text}: {e}\n{saved}"));
                assert_eq!(read.plan.summary, live.plan.summary, "{text}");
                assert_eq!(read.plan.tree.walk().len(), live.plan.tree.walk().len());
                assert!(plan::parse(&saved[..saved.len() / 2]).is_err());
            }
            if place.version.major >= 5 {
                let known = live.command.unwrap_or_else(|| panic!("{text}: no command"));
                assert_eq!(known.collection, "orders", "{text}");
            }
        }
    }
}

#[tokio::test]
async fn what_runs_too_long_is_stopped_by_the_server() {
    let place = crate::support::place((6, 0)).await;
    let hurried = place.target.with_timeout(Duration::from_millis(300));
    let slow = shell::parse(
        "db.orders.aggregate([{$unwind: '$items'}, {$lookup: {from: 'orders', pipeline: [{$unwind: '$items'}, {$sort: {'items.sku': 1}}], as: 'x'}}, {$count: 'n'}])",
    )
    .unwrap();
    let started = Instant::now();
    for error in [
        explain(&hurried, &slow, Mode::Execute).await.unwrap_err(),
        run::run(&hurried, &slow, |_| Ok(())).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(error.server_code(), Some("MaxTimeMSExpired"));
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(explain(&hurried, &slow, Mode::Estimate).await.is_ok());
}

#[tokio::test]
async fn a_collection_that_does_not_exist_is_named_with_its_neighbours() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        for text in ["db.ordres.find({a: 1})", "db.ordres.aggregate([{$group: {_id: '$a'}}])"] {
            let command = shell::parse(text).unwrap();
            let error = explain(&place.target, &command, Mode::Execute).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            assert!(error.hints()[0].contains("orders"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn results_are_streamed() {
    let place = crate::support::place((4, 4)).await;
    for (text, wanted) in [
        ("db.orders.find({})", 2_000),
        ("db.orders.aggregate([{$match: {status: 'paid'}}])", 500),
        ("db.orders.distinct('status')", 3),
        ("db.orders.count()", 1),
        ("db.orders.countDocuments({status: 'paid'})", 1),
        ("db.orders.findOne()", 1),
        ("db.orders.find().limit(7)", 7),
    ] {
        let mut seen = 0;
        let command = shell::parse(text).unwrap();
        let count = run::run(&place.target, &command, |_| {
            seen += 1;
            Ok(())
        })
        .await
        .unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((seen, count), (wanted, wanted), "{text}");
    }
}
