//! A workload's tuning that is given no room, or ended early.

use std::time::{Duration, Instant};

use marula_core::{ErrorKind, Progress, Report, Result};
use marula_tune::mongodb::tune;
use marula_tune::{Stop, TuneOptions};

use super::tuning::{SHOP, of, tuned_with, tuning, ups, workload};
use super::{fresh, set_up, target};

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_nothing_still_rewrites() {
    let facet = "db.orders.aggregate([{$match: {kind: 3}}, {$lookup: {from: 'customers', \
        localField: 'customer', foreignField: 'number', as: 'c'}}, {$group: {_id: '$customer', n: \
        {$sum: 1}}}, {$sort: {_id: 1}}])";
    let options = TuneOptions { budget_bytes: Some(0), ..TuneOptions::default() };
    let report = tuned_with(SHOP, &[(facet, 1)], &options).await;
    assert_eq!(report.changes.len(), 1, "{:?}", ups(&report));
    assert!(!ups(&report)[0].contains("$lookup"), "{:?}", ups(&report));
    assert_eq!(of(&report, "$lookup").results_equal, Some(true));
}

/// Stops the work at the first step that begins so.
struct StopAt(&'static str, Stop);

impl Progress for StopAt {
    fn step(&self, what: &str) {
        if what.starts_with(self.0) {
            self.1.stop();
        }
    }

    fn advance(&self, _: u64, _: u64) {}
}

/// What is said of a workload whose tuning is stopped at a step.
async fn stopped_at(step: &'static str, statements: &[(&str, u64)]) -> Result<Report> {
    let session = fresh(6, 0).await;
    set_up(&session, SHOP).await;
    let options = TuneOptions::default();
    let progress = StopAt(step, options.stop.clone());
    let statements = workload(statements);
    let report = tune(&session, &target(&session), &statements, &options, &progress).await;
    session.database().drop().await.unwrap();
    report
}

const ONE: [(&str, u64); 2] =
    [("db.orders.find({customer: 7})", 100), ("db.orders.find({kind: 3, city: 2})", 1)];

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_leaves_the_best_set_proved_until_then() {
    for step in ["measuring every statement with the whole set", "proving the set"] {
        let report = stopped_at(step, &ONE).await.unwrap();
        assert_eq!(report.failure.as_ref().unwrap().kind, ErrorKind::Interrupted, "{step}");
        assert!(tuning(&report).interrupted, "{step}");
        assert!(ups(&report).concat().contains("{ customer: 1 }"), "{step}: {:?}", ups(&report));
        assert_eq!(of(&report, "customer: 7").results_equal, Some(true), "{step}");
    }
    // What was not measured yet is no part of it.
    let early = stopped_at("building index { customer: 1 }", &ONE).await.unwrap();
    assert!(tuning(&early).interrupted);
    assert_eq!(tuning(&early).statements.len(), 2);
    let none = stopped_at("reading the collections", &ONE).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Interrupted);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_slow_statement_to_end() {
    let slow = "db.orders.aggregate([{$lookup: {from: 'orders', let: {n: '$number'}, pipeline: \
                [{$match: {$expr: {$gt: [{$add: ['$number', '$$n']}, -1]}}}, {$count: 'n'}], as: \
                'x'}}])";
    let started = Instant::now();
    let report = stopped_at("measuring the statements", &[ONE[0], (slow, 1)]).await;
    assert_eq!(report.unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}
