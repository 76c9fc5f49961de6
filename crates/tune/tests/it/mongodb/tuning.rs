//! A whole workload: the set that is picked, what is turned down, what is left out.

use marula_core::{
    Engine, Quiet, Report, Statement, TunedStatement, Tuning, Verdict, WeightedStatement, Workload,
};
use marula_tune::TuneOptions;
use marula_tune::mongodb::tune;

use super::{fresh, set_up, target};

// The example prints what is not looked at here.
#[allow(dead_code)]
#[path = "../../../examples/shapes/mod.rs"]
mod shapes;

pub(super) const SHOP: &str = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 20000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
customer: {$mod: ['$i', 500]}, kind: {$mod: ['$i', 50]}, city: {$mod: ['$i', 9]}, \
at: {$mod: [{$multiply: ['$i', 7919]}, 20011]}, number: '$i', \
status: {$cond: [{$eq: [{$mod: ['$i', 40]}, 0]}, 'open', 'done']}, \
items: [{sku: {$mod: ['$i', 400]}, n: 1}, {sku: {$mod: [{$multiply: ['$i', 3]}, 401]}, n: 2}]}}, \
{$out: 'orders'}])
db.seed.aggregate([{$project: {i: {$range: [0, 500]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
number: '$i', name: 'somebody'}}, {$out: 'customers'}])
";

pub(super) fn workload(statements: &[(&str, u64)]) -> Workload {
    let weighted = |(text, calls): &(&str, u64)| WeightedStatement {
        statement: Statement::new(Engine::Mongodb, *text),
        calls: *calls,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    };
    Workload { engine: Engine::Mongodb, statements: statements.iter().map(weighted).collect() }
}

pub(super) async fn tuned_with(
    setup: &str,
    statements: &[(&str, u64)],
    options: &TuneOptions,
) -> Report {
    tuned_on((6, 0), setup, statements, options).await
}

async fn tuned_on(
    (major, minor): (u16, u16),
    setup: &str,
    statements: &[(&str, u64)],
    options: &TuneOptions,
) -> Report {
    let session = fresh(major, minor).await;
    set_up(&session, setup).await;
    let report = tune(&session, &target(&session), &workload(statements), options, &Quiet).await;
    let report = report.unwrap_or_else(|error| panic!("{error} {:?}", error.hints()));
    session.database().drop().await.unwrap();
    report
}

pub(super) async fn tuned(setup: &str, statements: &[(&str, u64)]) -> Report {
    tuned_with(setup, statements, &TuneOptions::default()).await
}

pub(super) fn tuning(report: &Report) -> &Tuning {
    report.tuning.as_ref().unwrap()
}

pub(super) fn of<'a>(report: &'a Report, part: &str) -> &'a TunedStatement {
    let found = tuning(report).statements.iter().find(|one| one.statement.text.contains(part));
    found.unwrap_or_else(|| panic!("no statement with {part}"))
}

pub(super) fn examined(plan: &Option<Box<marula_core::Plan>>) -> u64 {
    let summary = &plan.as_ref().unwrap().summary;
    summary.keys.unwrap_or(0) + summary.reads.unwrap_or(0)
}

pub(super) fn ups(report: &Report) -> Vec<&str> {
    report.changes.iter().flat_map(|change| &change.up).map(String::as_str).collect()
}

#[track_caller]
pub(super) fn assert_none_worse(report: &Report) {
    for one in &tuning(report).statements {
        let (before, after) = (examined(&one.before.plan), examined(&one.after.plan));
        assert!(
            after as f64 <= before as f64 * 1.1 + 50.0,
            "{}: {before} before, {after} after",
            one.statement.text
        );
        assert_ne!(one.results_equal, Some(false), "{}", one.statement.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_gets_fewer_indexes_than_it_has_shapes() {
    let statements = [
        ("db.orders.find({customer: 7})", 100),
        ("db.orders.find({customer: 7, status: 'open'})", 100),
        ("db.orders.find({status: 'done', customer: 9}).sort({at: -1}).limit(10)", 50),
        ("db.orders.find({kind: 3, at: {$gte: 19000}})", 20),
        ("db.orders.countDocuments({kind: 3})", 20),
        ("db.orders.find({$or: [{number: 77}, {'items.sku': 399}]})", 10),
        (
            "db.orders.aggregate([{$match: {customer: 11}}, {$lookup: {from: 'customers', \
             localField: 'customer', foreignField: 'number', as: 'c'}}])",
            10,
        ),
        ("db.orders.updateOne({number: 5}, {$set: {status: 'open'}})", 500),
        ("db.orders.insertOne({number: 1})", 200),
        ("db.orders.find({$where: 'this.a'})", 1),
        ("db.nowhere.find({a: 1})", 1),
        ("db.orders.find({a: ", 1),
    ];
    let report = tuned(SHOP, &statements).await;
    let told = tuning(&report);
    let all = format!("{:#?}\n{:#?}", ups(&report), told.turned_down);
    assert_eq!(told.left_out.len(), 3, "{:?}", told.left_out);
    assert_eq!(told.statements.len(), 8);
    assert!(report.changes.len() < 7, "{all}");
    assert!(ups(&report).iter().any(|up| up.contains("{ customer: 1")), "{all}");
    assert!(ups(&report).iter().any(|up| up.contains("{ kind: 1, at: 1 }")), "{all}");
    // Both branches of the $or have an index, the one that the update needs, too.
    assert!(ups(&report).iter().any(|up| up.contains("{ number: 1 }")), "{all}");
    assert!(ups(&report).iter().any(|up| up.contains("\"items.sku\": 1")), "{all}");
    assert!(told.after_ms < told.before_ms, "{} {}", told.before_ms, told.after_ms);
    assert_none_worse(&report);
    for part in ["customer: 7}", "customer: 9}", "at: {$gte", "$or", "$lookup"] {
        let one = of(&report, part);
        assert!(examined(&one.after.plan) * 5 < examined(&one.before.plan), "{part}: {all}");
        assert_eq!(one.results_equal, Some(true), "{part}");
        assert!(!one.uses.is_empty(), "{part}");
    }
    for change in &report.changes {
        assert_eq!(change.proof.verdict, Verdict::Proven, "{}", change.title);
    }
    let writes: Vec<&str> = told.writes.iter().map(|cost| cost.operation.as_str()).collect();
    assert_eq!(writes, ["INSERT", "UPDATE"]);
    assert!(told.writes.iter().all(|cost| cost.after_per_second > 0.0));
    assert!(told.storage.added > 0 && told.effort.built > 0);
    assert!(
        report.notes.iter().any(|note| note.contains("the server's cache")),
        "{:?}",
        report.notes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_makes_another_statement_slower_is_turned_down() {
    // The first hundred documents in the order of s hold x, so that a trial of the plan that reads
    // in that order looks splendid; the others with x are at the very end.
    let setup = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 40000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
s: '$i', x: {$cond: [{$or: [{$lt: ['$i', 150]}, {$gte: ['$i', 39850]}]}, 7, {$add: ['$i', 100]}]}, \
pad: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}}, {$out: 'c'}])
db.c.createIndex({x: 1})";
    let report = tuned(
        setup,
        &[("db.c.find({x: 7}).sort({s: 1})", 100), ("db.c.find({}).sort({s: 1}).limit(5)", 1)],
    )
    .await;
    assert_none_worse(&report);
    let victim = of(&report, "x: 7");
    assert!(examined(&victim.after.plan) < 1000, "{:?}", ups(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_set_for_many_shapes_is_nearly_as_good_as_the_best_order_for_each() {
    // More indexes are tried than a server takes of a collection, and some ranges are so wide that
    // reading everything is the best for them.
    let outcome = shapes::compare(2000, 22, 3).await.unwrap();
    assert_eq!(outcome.shapes, 22);
    assert!(outcome.orders > 20, "{outcome:?}");
    assert!(outcome.near * 100 >= outcome.shapes * 95, "{outcome:#?}");
    assert!(outcome.indexes.0 < outcome.indexes.1, "{outcome:#?}");
    assert!(outcome.bytes.0 < outcome.bytes.1, "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_best_off_reading_everything_is_told_to_go_on() {
    let wide = "db.orders.find({number: {$gte: 1000}})";
    let narrow = "db.orders.find({number: {$gte: 100, $lt: 130}})";
    let report = tuned(SHOP, &[(narrow, 1000), (wide, 1)]).await;
    let index = report.changes.iter().find(|one| one.up[0].contains("{ number: 1 }")).unwrap();
    let told = report.changes.iter().find(|one| one.up[0].contains("$natural")).unwrap();
    assert!(told.up[0].contains("$gte: 1000"), "{:?}", told.up);
    assert_eq!(told.down, [wide]);
    let first = format!("make {} first", told.id.0);
    assert!(index.hazards[0].contains(&first), "{:?}", index.hazards);
    assert_none_worse(&report);
    assert!(examined(&of(&report, "$lt: 130").after.plan) < 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_workload_gets_the_same_set() {
    let statements = [
        ("db.orders.find({customer: 7, status: 'open'})", 100),
        ("db.orders.find({customer: 9}).sort({at: -1}).limit(10)", 50),
        ("db.orders.find({kind: 3, at: {$gte: 19000}})", 20),
        ("db.orders.find({at: {$gte: 5000}}).sort({number: 1}).limit(5)", 20),
        ("db.orders.find({city: 3, kind: {$in: [1, 2]}}).sort({at: 1})", 20),
        ("db.orders.find({'items.sku': 399, city: 2})", 10),
        ("db.orders.insertOne({number: 1})", 200),
    ];
    let told = |report: &Report| {
        let mut picked: Vec<String> = ups(report).into_iter().map(Into::into).collect();
        picked.sort();
        let mut turned: Vec<String> =
            tuning(report).turned_down.iter().flat_map(|one| one.up.clone()).collect();
        turned.sort();
        (picked, turned)
    };
    let first = told(&tuned(SHOP, &statements).await);
    let second = told(&tuned(SHOP, &statements).await);
    assert_eq!(first, second);
    assert!(!first.1.is_empty(), "what was turned down is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_count_less_are_tuned_as_well() {
    for version in [(4, 4), (5, 0)] {
        let lookup = "db.orders.aggregate([{$match: {customer: {$lt: 5}}}, {$lookup: {from: \
                      'customers', localField: 'customer', foreignField: 'number', as: 'c'}}])";
        let unused = "db.orders.aggregate([{$match: {city: 3}}, {$lookup: {from: 'customers', \
                      localField: 'kind', foreignField: 'number', as: 'c'}}, {$group: {_id: \
                      '$customer', n: {$sum: 1}}}, {$sort: {_id: 1}}])";
        let statements = [
            (lookup, 10),
            (unused, 1),
            ("db.orders.find({kind: 3, at: {$gte: 19000}})", 20),
            ("db.orders.find({customer: 9}).sort({at: -1}).limit(10)", 50),
        ];
        let report = tuned_on(version, SHOP, &statements, &TuneOptions::default()).await;
        let all = format!("{version:?} {:#?}", ups(&report));
        // On 4.4 no plan shows what a $lookup reads: that the index is found all the same is due
        // to what the storage engine counts.
        assert!(ups(&report).iter().any(|up| up.contains("customers.createIndex")), "{all}");
        assert!(ups(&report).iter().any(|up| up.contains("{ kind: 1, at: 1 }")), "{all}");
        assert!(ups(&report).iter().any(|up| up.contains("{ customer: 1, at: -1 }")), "{all}");
        let rewritten = report.changes.iter().filter(|change| change.down == [unused]);
        assert_eq!(rewritten.count(), 1, "{all}");
        assert_none_worse(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_writes_would_pay_for_is_not_picked() {
    let rare = "db.orders.find({city: 3, kind: 7})";
    let report = tuned(SHOP, &[(rare, 1), ("db.orders.insertOne({number: 1})", 500_000)]).await;
    assert!(report.changes.is_empty(), "{:?}", ups(&report));
    let reasons: Vec<&str> =
        tuning(&report).turned_down.iter().map(|one| one.reason.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("500000 writes")), "{reasons:?}");
    let read_often = tuned(SHOP, &[(rare, 500_000), ("db.orders.insertOne({number: 1})", 1)]).await;
    assert_eq!(read_often.changes.len(), 1, "{:?}", ups(&read_often));
}
