//! Attempts to write, run code or hang through the read-only path: none succeeds, and the data
//! is what it was.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use futures_util::TryStreamExt;
use marula_core::{ErrorKind, Result};
use marula_mongodb::explain::{Mode, explain};
use marula_mongodb::{Session, run, shell};

use crate::attack_set::{HARMLESS, NOT_COMMANDS, REFUSED};

/// Sent, and stopped by the time limit rather than left running.
const SLOW: &[&str] = &[
    "db.orders.aggregate([{$match: {$expr: {$regexMatch: {input: {$reduce: {input: {$range: [0, 20000]}, initialValue: '', in: {$concat: ['$$value', 'a']}}}, regex: '(a+)+$'}}}}])",
    "db.orders.aggregate([{$addFields: {x: {$reduce: {input: {$range: [0, 2000000]}, initialValue: 0, in: {$add: ['$$value', 1]}}}}}, {$match: {x: {$lt: 0}}}])",
    "db.orders.aggregate([{$unwind: '$items'}, {$lookup: {from: 'orders', let: {i: '$_id'}, pipeline: [{$match: {$expr: {$ne: ['$_id', '$$i']}}}, {$sort: {total: 1}}, {$unwind: '$items'}, {$count: 'n'}], as: 'x'}}, {$match: {x: 1}}])",
];

async fn attempt(session: &Session, text: &str) -> Result<()> {
    let command = shell::parse(text)?;
    explain(session, &command, Mode::Execute).await?;
    run::run(session, &command, |_| Ok(())).await?;
    Ok(())
}

async fn state(session: &Session) -> (Vec<String>, Vec<Document>, Vec<Document>) {
    let database = session.database();
    let mut names = database.list_collection_names().await.unwrap();
    names.sort();
    let orders = database.collection::<Document>("orders");
    let documents =
        orders.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap();
    let indexes = database.run_command(doc! { "listIndexes": "orders" }).await.unwrap();
    (names, documents, vec![indexes.get_document("cursor").unwrap().clone()])
}

fn without_cursor_ids(
    mut state: (Vec<String>, Vec<Document>, Vec<Document>),
) -> (Vec<String>, Vec<Document>, Vec<Document>) {
    for index in &mut state.2 {
        index.remove("id");
    }
    state
}

#[tokio::test]
async fn nothing_gets_through() {
    assert!(REFUSED.len() + NOT_COMMANDS.len() + HARMLESS.len() + SLOW.len() >= 40);
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        let before = without_cursor_ids(state(&place.lab).await);
        for (text, word) in REFUSED {
            let error = attempt(&place.target, text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{text}: {error}");
            assert!(error.message().contains(word), "{text}: {error}");
        }
        for text in NOT_COMMANDS {
            let error = attempt(&place.target, text).await.unwrap_err();
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Refused | ErrorKind::Syntax | ErrorKind::Unsupported
                ),
                "{text}: {error}"
            );
        }
        for text in HARMLESS {
            if let Err(error) = attempt(&place.target, text).await {
                assert!(
                    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Server),
                    "{text}: {error}"
                );
            }
        }
        assert_eq!(without_cursor_ids(state(&place.lab).await), before, "on {}", place.version);
    }
}

#[tokio::test]
async fn what_hangs_is_stopped() {
    let place = crate::support::place((6, 0)).await;
    let hurried = place.target.with_timeout(Duration::from_millis(400));
    for text in SLOW {
        let started = Instant::now();
        let outcome = attempt(&hurried, text).await;
        assert!(started.elapsed() < Duration::from_secs(10), "{text}: {:?}", started.elapsed());
        let error = outcome.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Server), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_view_that_runs_code_is_refused_by_name() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        let code = doc! { "$match": { "$expr": { "$function": {
        "body": "function() { return true }", "args": [], "lang": "js" } } } };
        let database = place.lab.database();
        for (name, on, pipeline) in [
            ("coded", "orders", vec![code]),
            ("above", "coded", vec![]),
            ("plain", "orders", vec![doc! { "$match": { "status": "paid" } }]),
        ] {
            database
                .run_command(doc! { "create": name, "viewOn": on, "pipeline": pipeline })
                .await
                .unwrap();
        }
        for text in [
            "db.coded.find({})",
            "db.above.aggregate([])",
            "db.orders.aggregate([{$lookup: {from: 'above', localField: 'a', foreignField: 'b', as: 'x'}}])",
            "db.orders.aggregate([{$facet: {a: [{$match: {}}]}}, {$unionWith: 'coded'}])",
        ] {
            let error = attempt(&place.target, text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{text}: {error}");
            assert!(error.message().contains("the view 'coded'"), "{text}: {error}");
        }
        attempt(&place.target, "db.plain.find({}).limit(3)").await.unwrap();
        // The lab is the program's own: there it may run.
        attempt(&place.lab, "db.coded.find({}).limit(1)").await.unwrap();
    }
}
