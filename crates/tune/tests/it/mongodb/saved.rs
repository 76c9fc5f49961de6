//! Saved explains are diagnosed without a server.

use bson::doc;
use marula_core::{Engine, Quiet, Target, TargetKind, Verdict};
use marula_mongodb::explain::{Mode, raw};
use marula_mongodb::{plan, shell};
use marula_tune::ExplainOptions;
use marula_tune::mongodb::explain_saved;

use super::{fresh, ops, rules_of, set_up};

pub(super) fn file() -> Target {
    Target {
        name: "plan.json".into(),
        kind: TargetKind::PlanFile,
        engine: Engine::Mongodb,
        database: None,
        version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rules_fire_on_the_saved_explain_of_every_version() {
    let cases = [
        ("db.orders.find({status: 3})", "collection-scan"),
        ("db.orders.find({status: {$gte: 0}, total: {$gte: 5}}).sort({total: 1})", "memory-sort"),
        ("db.orders.find({$or: [{total: 3}, {status: 77}]})", "or-scan"),
        ("db.orders.deleteMany({total: 3})", "write-scan"),
    ];
    for (major, minor) in [(4, 4), (5, 0), (6, 0)] {
        let session = fresh(major, minor).await;
        let setup = "db.seed.insertOne({_id: 0})\ndb.seed.aggregate([{$project: {i: {$range: [0, \
                     3000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', status: {$mod: ['$i', 10]}, \
                     total: '$i'}}, {$out: 'orders'}])";
        set_up(&session, setup).await;
        for (statement, rule) in cases {
            let command = shell::parse(statement).unwrap();
            let reply = raw(&session, &command, Mode::Execute).await.unwrap();
            let text = bson::Bson::Document(reply).into_relaxed_extjson().to_string();
            let saved = plan::parse(&text).unwrap();
            let options = ExplainOptions::default();
            let report = explain_saved(saved, None, &file(), &options, &Quiet).await.unwrap();
            assert!(
                rules_of(&report).contains(&rule),
                "{major}.{minor} {statement}: {:?}\n{}",
                rules_of(&report),
                ops(&report)
            );
            for change in &report.changes {
                assert_eq!(change.proof.verdict, Verdict::NotTried);
                assert!(change.proof.reason.contains("no server"), "{}", change.proof.reason);
            }
        }
        session.database().run_command(doc! {"dropDatabase": 1}).await.unwrap();
    }
}
