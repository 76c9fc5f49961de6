use bson::doc;
use marula_core::{Engine, Quiet, Report, Verdict};
use marula_design::ReviewOptions;
use marula_design::mongodb::{review, rules};
use marula_mongodb::{Operation, Session, SessionOptions, run, shell};

use crate::postgres::target;

async fn database(version: (u16, u16), setup: &str) -> Session {
    let server = marula_lab::shared::mongodb(version.0, version.1).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    for command in shell::parse_many(setup).unwrap_or_else(|error| panic!("{setup}\n{error}")) {
        let made = match &command.operation {
            // The guard would refuse the $out that makes the data: the test sends it itself.
            Operation::Aggregate(_) => {
                let answer = session.database().run_command(command.to_command()).await;
                answer.map(|_| ()).map_err(|error| error.to_string())
            }
            _ => run::apply(&session, &command).await.map(|_| ()).map_err(|e| e.to_string()),
        };
        made.unwrap_or_else(|error| panic!("{}: {error}", command.to_shell()));
    }
    session
}

async fn reviewed(session: &Session, prove: bool) -> Report {
    let options = ReviewOptions { prove, ..ReviewOptions::default() };
    review(session, &target(Engine::Mongodb), &options, &Quiet).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_fires_where_it_says_and_every_fix_is_proven() {
    let mut faults = Vec::new();
    for version in [(4, 4), (5, 0), (6, 0)] {
        for rule in rules() {
            assert!(rule.info.examples.iter().any(|example| !example.fires));
            for example in rule.info.examples {
                let at = format!("{version:?} {} ({})", rule.info.id, example.name);
                let session = database(version, example.setup).await;
                let report = reviewed(&session, example.fires).await;
                let own: Vec<_> =
                    report.findings.iter().filter(|found| found.rule == rule.info.id).collect();
                if own.is_empty() == example.fires {
                    let all: Vec<_> = report.findings.iter().map(|found| &found.rule).collect();
                    faults.push(format!("{at}: fires {} expected; found {all:?}", example.fires));
                }
                for finding in own {
                    assert!(finding.severity <= rule.info.severity, "{at}");
                    assert!(!finding.explanation.is_empty(), "{at}");
                    for id in &finding.changes {
                        let change = report.changes.iter().find(|one| one.id == *id).unwrap();
                        if change.proof.verdict != Verdict::Proven {
                            faults.push(format!("{at}: {:?}: {}", change.up, change.proof.reason));
                        }
                    }
                }
                session.database().drop().await.unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_collections_are_many() {
    let session = database((6, 0), "").await;
    for n in 0..1001 {
        // Named so that no other rule takes them for one collection cut in pieces.
        let name = format!("c{n}x");
        session.database().create_collection(name).await.unwrap();
    }
    let report = reviewed(&session, false).await;
    let found: Vec<_> = report.findings.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(found, ["many-collections"]);
    session.database().drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_the_data_does_not_allow_is_refuted_and_the_target_is_left_alone() {
    let session = database((6, 0), "").await;
    let users = session.database().collection("users");
    // More than the sample sees: the copy holds the two that are equal.
    let mut all: Vec<_> =
        (0..3000).map(|i| doc! { "_id": i, "email": format!("u{i}@example.org") }).collect();
    all.push(doc! { "_id": 3000, "email": "u2999@example.org" });
    users.insert_many(all).await.unwrap();
    let options = ReviewOptions { sample: 200, ..ReviewOptions::default() };
    let report = review(&session, &target(Engine::Mongodb), &options, &Quiet).await.unwrap();
    let found = report.findings.iter().find(|one| one.rule == "natural-key-not-unique").unwrap();
    let change = report.changes.iter().find(|one| one.id == found.changes[0]).unwrap();
    assert_ne!(change.proof.verdict, Verdict::Proven, "{change:?}");
    assert!(report.notes.iter().any(|note| note.contains("--sample")), "{:?}", report.notes);
    assert_eq!(users.list_index_names().await.unwrap(), ["_id_"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_collections_have_no_findings() {
    let session = database(
        (6, 0),
        "db.createCollection('customers', {validator: {name: {$type: 'string'}}})
db.customers.insertMany([{_id: 1, name: 'Ann'}, {_id: 2, name: 'Bo'}])
db.orders.insertMany([{_id: 1, customer_id: 1, total: NumberDecimal('9.99'), at: ISODate('2026-01-01T00:00:00Z'), items: [{sku: 'a', n: 1}]}])
db.orders.createIndex({customer_id: 1})",
    )
    .await;
    let report = reviewed(&session, true).await;
    let found: Vec<_> = report.findings.iter().map(|one| (&one.rule, &one.title)).collect();
    assert!(found.is_empty(), "{found:?}");
}
