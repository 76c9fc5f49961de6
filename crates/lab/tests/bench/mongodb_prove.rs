use bson::{Document, doc};
use marula_core::{Change, ChangeKind, Engine, Quiet, Statement, Verdict};
use marula_lab::bench::Bench as _;
use marula_lab::bench::mongodb::MongoBench;
use marula_lab::prove::{Comparing, Comparison, Decided, Proved, prove};

use crate::support::{change, mongo_copy, mongo_source, options};

async fn bench(major: u16, minor: u16) -> MongoBench {
    let source = mongo_source(major, minor).await;
    let orders: Vec<Document> = (0..30_000)
        .map(|n| doc! { "customer": n % 3000, "kind": n % 500, "total": f64::from(n) * 0.1 })
        .collect();
    source.database().collection("orders").insert_many(orders).await.unwrap();
    mongo_copy(&source, &["orders"], Vec::new(), 1 << 30).await
}

fn index(id: &str, up: &str, down: &str) -> Change {
    Change { down: vec![down.to_owned()], ..change(id, Engine::Mongodb, ChangeKind::Index, &[up]) }
}

fn kind() -> Change {
    index(
        "c1",
        "db.orders.createIndex({kind: 1}, {name: \"kind_1\"})",
        "db.orders.dropIndex(\"kind_1\")",
    )
}

async fn proved(bench: &mut MongoBench, text: &str, changes: Vec<Change>) -> Proved {
    let statement = Statement::new(Engine::Mongodb, text);
    prove(bench, &statement, Comparison::Multiset, changes, &options(20.0), &Quiet).await.unwrap()
}

#[tokio::test]
async fn a_useful_index_is_proven_and_a_useless_one_refuted() {
    for (major, minor) in [(6, 0), (4, 4)] {
        let mut bench = bench(major, minor).await;
        let useless = index(
            "c2",
            "db.orders.createIndex({total: 1}, {name: \"total_1\"})",
            "db.orders.dropIndex(\"total_1\")",
        );
        let proved = proved(&mut bench, "db.orders.find({kind: 7})", vec![kind(), useless]).await;
        let proof = &proved.changes[0].proof;
        assert_eq!(proof.verdict, Verdict::Proven, "{}", proof.reason);
        assert_eq!(proof.results_equal, Some(true));
        assert!(proof.build.as_ref().unwrap().bytes > 0);
        assert_eq!(proof.after.as_ref().unwrap().reads, Some(60));
        assert_eq!(proved.changes[1].proof.verdict, Verdict::Refuted);
        assert_eq!(proved.best.unwrap().changes[0].0, "c1");
    }
}

#[tokio::test]
async fn hidden_indexes_are_not_used() {
    for (major, minor) in [(6, 0), (4, 4)] {
        let mut bench = bench(major, minor).await;
        let statement = Statement::new(Engine::Mongodb, "db.orders.find({kind: 7})");
        let limit = std::time::Duration::from_secs(10);
        bench.apply(&kind()).await.unwrap();
        let with = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(bench.uses(&with, &kind()), Some(true));
        bench.set_active(&kind(), false).await.unwrap();
        let without = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(bench.uses(&without, &kind()), Some(false));
        bench.set_active(&kind(), true).await.unwrap();
        let again = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(again.summary.indexes, with.summary.indexes);
        bench.revert(&kind()).await.unwrap();
        let gone = bench.plan(&statement, limit).await.unwrap();
        assert!(gone.summary.indexes.is_empty());
    }
}

#[tokio::test]
async fn a_write_is_only_explained_and_a_wrong_rewrite_refuted() {
    let mut bench = bench(6, 0).await;
    let write = "db.orders.updateMany({kind: 7}, {$set: {total: 0}})";
    let proved_write = proved(&mut bench, write, vec![kind()]).await;
    let proof = &proved_write.changes[0].proof;
    assert_eq!(proof.verdict, Verdict::Proven, "{}", proof.reason);
    assert_eq!(proof.results_equal, None);
    let zero = bench.session().database().collection::<Document>("orders");
    let zeros = zero.count_documents(doc! { "kind": 7, "total": 0 }).await.unwrap();
    assert_eq!(zeros, 0, "the write was run");
    bench.revert(&kind()).await.unwrap();

    let rewrite = change(
        "c1",
        Engine::Mongodb,
        ChangeKind::Rewrite,
        &["db.orders.aggregate([{$match: {kind: 7}}, {$group: {_id: null, n: {$sum: 1}}}])"],
    );
    let text = "db.orders.aggregate([{$match: {kind: 8}}, {$match: {customer: {$gt: 9}}}, {$group: {_id: null, n: {$sum: 1}}}])";
    let proved = proved(&mut bench, text, vec![rewrite]).await;
    assert_eq!(proved.changes[0].proof.verdict, Verdict::Refuted);
    assert_eq!(proved.changes[0].proof.results_equal, Some(false));
}

/// Every kind of 60 orders ties for the first ten; a rewrite may give others of them and be
/// right, or take from other documents and be wrong.
#[tokio::test]
async fn top_n_with_ties_is_compared_with_the_ties_broken() {
    let mut bench = bench(6, 0).await;
    let text = "db.orders.find({kind: {$lt: 9}}).sort({kind: 1}).limit(10)";
    let rewrite = |id: &str, filter: &str| {
        let stages = format!(
            "db.orders.aggregate([{{$sort: {{kind: 1}}}}, {{$match: {{kind: {filter}}}}}, {{$limit: 10}}])"
        );
        change(id, Engine::Mongodb, ChangeKind::Rewrite, &[&stages])
    };
    let changes = vec![rewrite("c1", "{$lte: 8}"), rewrite("c2", "{$gt: 0, $lt: 9}"), kind()];
    let comparing = || Comparing {
        comparison: Comparison::Incomparable("limit without a total order".into()),
        decide: Some(Box::new(|text: &str| {
            Some(Decided {
                text: text.replace("{kind: 1}", "{kind: 1, _id: 1}"),
                comparison: Comparison::Sequence,
                by: "ties broken by _id".into(),
            })
        })),
    };
    let statement = Statement::new(Engine::Mongodb, text);
    let options = options(20.0);
    let proved = prove(&mut bench, &statement, comparing(), changes.clone(), &options, &Quiet)
        .await
        .unwrap();
    let [right, wrong, index] = &proved.changes[..] else { panic!("three changes") };
    assert_eq!(right.proof.results_equal, Some(true), "{}", right.proof.reason);
    assert_eq!(wrong.proof.verdict, Verdict::Refuted);
    assert!(wrong.proof.reason.contains("THE RESULTS DIFFER"), "{}", wrong.proof.reason);
    assert!(wrong.proof.reason.ends_with("with ties broken by _id"), "{}", wrong.proof.reason);
    assert_eq!(index.proof.verdict, Verdict::Proven);
    assert!(
        index.proof.reason.ends_with("equal with ties broken by _id"),
        "{}",
        index.proof.reason
    );

    let open = Comparing { decide: None, ..comparing() };
    for change in &changes[2..] {
        bench.revert(change).await.unwrap();
    }
    let proved = prove(&mut bench, &statement, open, changes, &options, &Quiet).await.unwrap();
    assert_eq!(proved.changes[0].proof.results_equal, None);
    assert_eq!(proved.changes[1].proof.results_equal, None);
}
