//! No fixed order of index fields wins: both are proposed, and the lab tells which is better.

use marula_core::Verdict;
use marula_tune::ProveMode;

use super::{assert_proven, change, explained, fresh, set_up};

/// 50,000 documents of which the equality keeps a fifth; `r` and `s` are spread evenly and have
/// nothing to do with each other.
const DATA: &str = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 50000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
e: {$mod: ['$i', 5]}, r: {$mod: [{$multiply: ['$i', 7919]}, 50021]}, \
s: {$mod: [{$multiply: ['$i', 31337]}, 50023]}, pad: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}}, \
{$out: 'c'}])";

const SORT_FIRST: &str = "{ e: 1, s: 1, r: 1 }";
const RANGE_FIRST: &str = "{ e: 1, r: 1, s: 1 }";

async fn best(statement: &str) -> (String, u64, u64) {
    let session = fresh(6, 0).await;
    set_up(&session, DATA).await;
    let report = explained(&session, statement, ProveMode::Lab).await;
    let best = report.best.clone().unwrap();
    assert_eq!(best.proof.verdict, Verdict::Proven);
    let chosen = report.changes.iter().find(|change| best.changes.contains(&change.id)).unwrap();
    let keys = |part: &str| {
        let proof = &change(&report, part).proof;
        proof.after.as_ref().unwrap().plan.as_ref().unwrap().summary.keys.unwrap()
    };
    (chosen.up[0].clone(), keys(SORT_FIRST), keys(RANGE_FIRST))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_range_wants_the_sort_first() {
    let (chosen, sort_first, range_first) =
        best("db.c.find({e: 1, r: {$gte: 10000}}).sort({s: 1}).limit(20)").await;
    assert!(chosen.contains("s: 1, r: 1 }"), "{chosen}: {sort_first} and {range_first} keys");
    assert!(sort_first * 50 < range_first, "{sort_first} and {range_first} keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_range_wants_the_range_first() {
    let (chosen, sort_first, range_first) =
        best("db.c.find({e: 1, r: {$gte: 49970}}).sort({s: 1}).limit(20)").await;
    assert!(chosen.contains("r: 1, s: 1 }"), "{chosen}: {sort_first} and {range_first} keys");
    assert!(range_first * 50 < sort_first, "{sort_first} and {range_first} keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_in_stands_before_the_sort() {
    let (chosen, sort_first, range_first) =
        best("db.c.find({e: 1, r: {$in: [5, 777, 40001]}}).sort({s: 1}).limit(20)").await;
    assert!(chosen.contains("r: 1, s: 1 }"), "{chosen}: {sort_first} and {range_first} keys");
    assert!(range_first * 50 < sort_first, "{sort_first} and {range_first} keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_exists_is_extended_and_one_that_serves_is_not_proposed_again() {
    let session = fresh(6, 0).await;
    set_up(&session, DATA).await;
    set_up(&session, "db.c.createIndex({e: 1})").await;
    let report = explained(&session, "db.c.find({e: 1, r: 77}).limit(20)", ProveMode::Lab).await;
    let extended = change(&report, "{ e: 1, r: 1 }");
    assert!(extended.title.contains("extending e_1"), "{}", extended.title);
    assert_proven(extended);
    set_up(&session, "db.c.createIndex({e: 1, r: 1})").await;
    let report = explained(&session, "db.c.find({e: 1, r: 77}).limit(20)", ProveMode::Off).await;
    assert!(report.changes.is_empty(), "{:?}", report.changes);
}
