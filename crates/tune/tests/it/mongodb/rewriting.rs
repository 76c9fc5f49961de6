//! Rewrites on data made to trip them: null and missing fields, arrays, mixed types, ties, empty
//! arrays, days that end in another zone. A rewrite is declined, or gives the same results.

use marula_core::{Change, ChangeKind, Verdict};
use marula_mongodb::{Session, run, shell};
use marula_tune::ProveMode;

use super::{explained, fresh, set_up};

/// 6,000 documents as one would wish them.
const CLEAN: &str = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 6000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
k: {$mod: ['$i', 40]}, v: {$mod: [{$multiply: ['$i', 7919]}, 6007]}, t: {$mod: ['$i', 7]}, \
at: {$add: [ISODate('2020-01-01'), {$multiply: ['$i', 21600000]}]}, \
sub: {x: {$mod: ['$i', 300]}, y: '$i'}, \
items: [{n: 1, p: {$mod: ['$i', 9]}}, {n: {$mod: ['$i', 5]}, p: 2}]}}, {$out: 'c'}])
";

/// The same, and what is not as one would wish.
const ODD: &str = "\
db.c.insertMany([{_id: -1}, {_id: -2, k: null, v: null, t: null, at: null, sub: null, items: null}, \
{_id: -3, k: [1, 2], v: [5, 1], t: [3], at: ISODate('2021-12-31T23:59:59.999Z'), sub: {x: [7, 8]}, items: []}, \
{_id: -4, k: 'a', v: 'a', t: 1.5, at: ISODate('2022-01-01T00:00:00Z'), sub: {x: null}, items: [{n: null}, {}]}, \
{_id: -5, k: 1, v: -1.5, t: 1, at: ISODate('2021-01-01T00:00:00Z'), sub: {x: 7.0}, items: [{n: 'x'}, {n: 2.5}]}, \
{_id: -6, k: NumberLong(1), v: NumberLong(5), t: NumberLong(1), at: ISODate('2020-12-31T23:00:00Z'), sub: {}, items: [{n: [1, 2]}]}])
";

/// A statement, and a word of the rewrite it gets on clean data.
const STATEMENTS: [(&str, &str); 19] = [
    (
        "db.c.aggregate([{$addFields: {w: {$type: '$v'}}}, {$sort: {v: 1, _id: 1}}, {$limit: 7}])",
        "sort by v",
    ),
    (
        "db.c.aggregate([{$project: {when: '$v', k: 1}}, {$sort: {when: -1, _id: 1}}, {$limit: 7}])",
        "sort by v",
    ),
    (
        "db.c.aggregate([{$project: {when: '$v', k: 1}}, {$sort: {when: 1, _id: -1}}, {$skip: 3}, {$limit: 7}])",
        "sort by v",
    ),
    ("db.c.aggregate([{$unset: 'items'}, {$sort: {v: 1}}, {$limit: 5}])", "sort by v"),
    (
        "db.c.aggregate([{$match: {sub: {$type: 'object'}}}, {$replaceRoot: {newRoot: '$sub'}}, {$match: {x: 7}}])",
        "before sub",
    ),
    (
        "db.c.aggregate([{$match: {sub: {$type: 'object'}}}, {$replaceWith: '$sub'}, {$match: {$or: [{x: {$gte: 298}}, {x: null}]}}])",
        "before sub",
    ),
    ("db.c.find({$expr: {$in: ['$k', [1, 3]]}})", "$in instead"),
    (
        "db.c.aggregate([{$match: {$expr: {$in: ['$k', [1, 3]]}}}, {$group: {_id: '$t', n: {$sum: 1}}}])",
        "$in instead",
    ),
    (
        "db.c.find({$expr: {$and: [{$eq: [{$year: '$at'}, 2021]}, {$eq: [{$month: '$at'}, 12]}]}})",
        "interval of at",
    ),
    (
        "db.c.countDocuments({$expr: {$eq: [{$dateToString: {format: '%Y-%m-%d', date: '$at'}}, '2021-01-01']}})",
        "interval of at",
    ),
    ("db.c.find({$expr: {$gte: [{$year: '$at'}, 2024]}})", "interval of at"),
    (
        "db.c.aggregate([{$sort: {k: 1, _id: 1}}, {$group: {_id: '$k', last: {$last: '$v'}}}])",
        "the other way",
    ),
    (
        "db.c.aggregate([{$sort: {v: 1}}, {$group: {_id: '$k', n: {$sum: '$t'}, m: {$max: '$v'}}}])",
        "leave out the $sort",
    ),
    ("db.c.aggregate([{$group: {_id: null, m: {$min: '$v'}}}])", "the least v"),
    (
        "db.c.aggregate([{$match: {k: {$gte: 1}}}, {$group: {_id: null, m: {$max: '$v'}}}])",
        "the greatest v",
    ),
    (
        "db.c.aggregate([{$unwind: '$items'}, {$group: {_id: '$_id', n: {$sum: '$items.n'}, c: {$sum: 1}}}])",
        "elements of items",
    ),
    (
        "db.c.aggregate([{$lookup: {from: 'c', localField: 'k', foreignField: '_id', as: 'w'}}, {$unwind: '$w'}, {$group: {_id: '$k', n: {$sum: '$t'}, v: {$first: '$w.v'}, w: {$last: '$w'}}}])",
        "before the $lookup",
    ),
    (
        "db.c.aggregate([{$lookup: {from: 'c', localField: 't', foreignField: '_id', as: 'w'}}, {$unwind: {path: '$w', preserveNullAndEmptyArrays: true}}, {$group: {_id: '$t', n: {$sum: 1}, x: {$first: '$w.sub.x'}}}])",
        "before the $lookup",
    ),
    (
        "db.c.aggregate([{$match: {_id: {$lt: 500}}}, {$lookup: {from: 'c', localField: 'k', foreignField: 't', as: 'w'}}, {$group: {_id: '$k', n: {$sum: 1}, v: {$first: '$w.v'}}}])",
        "before the $lookup",
    ),
];

async fn rewrites(session: &Session, statement: &str) -> Vec<Change> {
    let report = explained(session, statement, ProveMode::Lab).await;
    let changes = report.changes.into_iter();
    changes.filter(|change| change.kind == ChangeKind::Rewrite).collect()
}

/// Whether a rewrite gives the documents that the statement gives, in whatever order.
async fn same(session: &Session, change: &Change) -> bool {
    let mut results = Vec::new();
    for text in [&change.up[0], &change.down[0]] {
        let mut found = Vec::new();
        let command = shell::parse(text).unwrap();
        run::run(session, &command, |document| {
            found.push(format!("{document:?}"));
            Ok(())
        })
        .await
        .unwrap();
        found.sort();
        results.push(found);
    }
    assert!(!results[0].is_empty(), "nothing to compare");
    results[0] == results[1]
}

#[tokio::test(flavor = "multi_thread")]
async fn on_clean_data_each_is_proposed_and_gives_the_same() {
    let session = fresh(6, 0).await;
    set_up(&session, CLEAN).await;
    set_up(
        &session,
        "db.c.createIndex({v: 1})\ndb.c.createIndex({at: 1})\ndb.c.createIndex({k: 1})",
    )
    .await;
    for (statement, word) in STATEMENTS {
        let found = rewrites(&session, statement).await;
        let named = found.iter().find(|change| change.title.contains(word));
        let named = named.unwrap_or_else(|| panic!("{statement}: {found:#?}"));
        // What is first in a group is not compared, though here it is the same in all of it.
        let same = word == "before the $lookup" && same(&session, named).await;
        let equal = named.proof.results_equal == Some(true) || same;
        assert!(equal, "{statement}: {}", named.proof.reason);
    }
    session.database().drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_odd_data_each_is_declined_or_gives_the_same() {
    for (major, minor) in [(6, 0), (5, 0), (4, 4)] {
        let session = fresh(major, minor).await;
        // So few that all of them are sampled.
        set_up(&session, &CLEAN.replace("6000]", "600]").replace("21600000]", "216000000]")).await;
        set_up(&session, ODD).await;
        for (statement, _) in STATEMENTS {
            for change in rewrites(&session, statement).await {
                assert_ne!(
                    change.proof.results_equal,
                    Some(false),
                    "{major}.{minor} {statement}: {:?} {}",
                    change.up,
                    change.proof.reason
                );
                if change.title.contains("before the $lookup") {
                    assert!(same(&session, &change).await, "{major}.{minor} {statement}");
                }
            }
        }
        session.database().drop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrite_opens_the_way_for_an_index() {
    let session = fresh(6, 0).await;
    set_up(&session, CLEAN).await;
    for statement in [STATEMENTS[0].0, STATEMENTS[4].0, STATEMENTS[8].0, STATEMENTS[13].0] {
        // Which set is best is told by the clock: what a busy machine hid is asked once more.
        let mut reads = opened(&session, statement).await;
        if reads.1 * 5 >= reads.0 {
            reads = opened(&session, statement).await;
        }
        assert!(reads.1 * 5 < reads.0, "{statement}: {} and {} documents", reads.0, reads.1);
    }
    session.database().drop().await.unwrap();
}

/// What the statement reads before and after the best proven set of changes.
async fn opened(session: &Session, statement: &str) -> (u64, u64) {
    let report = explained(session, statement, ProveMode::Lab).await;
    let best = report.best.unwrap_or_else(|| panic!("{statement}: {:#?}", report.changes));
    assert_eq!(best.proof.verdict, Verdict::Proven);
    let reads = |side: Option<marula_core::Measurement>| side.unwrap().reads.unwrap();
    (reads(best.proof.before), reads(best.proof.after))
}
