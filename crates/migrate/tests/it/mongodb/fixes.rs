//! Every fix leaves the same collections, and clears what it was made for.

use std::collections::BTreeSet;

use ::mongodb::Client;
use marula_core::{Finding, Severity, Version};
use marula_migrate::StepKind;
use marula_migrate::mongodb::rehearse::same;
use marula_migrate::mongodb::{fix, lint, rules, schema::Schema};
use marula_mongodb::{Session, SessionOptions};

use super::examples::{findings, migration, run};

/// Files beyond the rules' own examples: set-up, migration, and the rules it clears.
const FILES: [(&str, &str, &[&str]); 7] = [
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "age": "7"}, {"_id": 2, "age": "8"}, {"_id": 3}]}]"#,
        r#"["db.users.updateMany({}, [{$set: {age: {$toInt: '$age'}}}])"]"#,
        &["throwing-conversion", "unbatched-update-many"],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "a": 1, "b": 2}, {"_id": 2, "a": 2, "b": 2}]}]"#,
        r#"{"up": [
  {"createIndexes": "users", "indexes": [{"key": {"a": 1}, "name": "a_1", "unique": true}, {"key": {"b": 1}, "name": "b_1"}]},
  {"update": "users", "updates": [{"q": {"b": 2}, "u": {"$set": {"c": 3}}, "multi": true}]}
],
 "down": [{"dropIndexes": "users", "index": ["a_1", "b_1"]}]}"#,
        &["unique-index", "unbatched-update-many"],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "a": 1}]}]"#,
        "up:\n  - createIndexes: users\n    indexes: [{key: {a: 1}, name: a_1}]\n    commitQuorum: 1\n  - collMod: users\n    validator: {}\ndown: []\n",
        &["commit-quorum", "index-without-limit"],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1}, {"_id": 2}]}]"#,
        r#"{"options": {"transaction": true}, "up": [{"update": "users", "updates": [{"q": {}, "u": {"$set": {"c": 3}}, "multi": true}]}]}"#,
        &["collection-transaction", "unbatched-update-many"],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "a": 1}]}]"#,
        r#"[{"createIndexes": "users", "indexes": [{"key": {"a": 1}, "name": "a"}, {"key": {"b": 1}, "name": "b"}, {"key": {"c": 1}, "name": "c"}, {"key": {"d": 1}, "name": "d"}]}]"#,
        &["many-index-builds"],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "n": 1}]}]"#,
        r#"["db.users.updateMany({}, {$inc: {n: 1}})"]"#,
        &[],
    ),
    (
        r#"[{"insert": "users", "documents": [{"_id": 1, "a": 1}]}]"#,
        r#"[{"collMod": "users", "validator": {"a": {"$type": "int"}}}]"#,
        &["strict-validator", "index-without-limit"],
    ),
];

/// What was there before, with keys that are the same each time.
async fn prepare(client: &Client, setup: &str) {
    for name in ["shop", "archive"] {
        client.database(name).drop().await.unwrap();
    }
    let mut before = migration(if setup.is_empty() { "[]" } else { setup });
    for (at, step) in before.up.iter_mut().enumerate() {
        let StepKind::Command(command) = &mut step.kind else { continue };
        let Ok(documents) = command.get_array_mut("documents") else { continue };
        for (number, document) in documents.iter_mut().enumerate() {
            let document = document.as_document_mut().unwrap();
            if !document.contains_key("_id") {
                document.insert("_id", (at * 1000 + number) as i64);
            }
        }
    }
    assert_eq!(run(client, &before).await, None, "{setup}");
}

fn parsed(text: &str) -> marula_migrate::Migration {
    let yaml = text.starts_with("up:");
    let path = if yaml { "example.yaml" } else { "example.json" };
    let (tool, engine) = (marula_migrate::Tool::Marula, marula_core::Engine::Mongodb);
    marula_migrate::files::parse(std::path::Path::new(path), text, tool, engine)
        .unwrap_or_else(|error| panic!("{text}\n{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_leaves_the_same_collections() {
    let _turn = super::TURN.lock().await;
    let mut faults = Vec::new();
    let mut cleared: BTreeSet<String> = BTreeSet::new();
    for (major, minor) in [(4, 4), (6, 0)] {
        let server = marula_lab::shared::mongodb(major, minor).await.unwrap();
        let spec = server.spec().with_database("shop");
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let client = session.client();
        let version = Version::new(major, minor, 0);
        let mut all: Vec<(String, &str, &str, Option<&[&str]>)> = Vec::new();
        for rule in rules() {
            for example in rule.info.examples.iter().filter(|example| example.fires) {
                let at = format!("{} ({})", rule.info.id, example.name);
                all.push((at, example.setup, example.statement, None));
            }
        }
        for (setup, text, wanted) in FILES {
            all.push((text.to_owned(), setup, text, Some(wanted)));
        }
        for (at, setup, text, wanted) in all {
            let at = format!("{major}.{minor} {at}");
            let written = parsed(text);
            let mut schema = Schema::default();
            let before = migration(if setup.is_empty() { "[]" } else { setup });
            lint::follow(&mut schema, std::slice::from_ref(&before));
            let fixed = fix::fix(&written, &schema, version).unwrap();
            if let Some(wanted) = wanted {
                let mended = fixed.as_ref().map(|f| f.mended.clone()).unwrap_or_default();
                let missing = wanted.iter().filter(|rule| {
                    let early = **rule == "unique-index" && version.major < 6;
                    !early && !mended.iter().any(|own| own == *rule)
                });
                let missing: Vec<_> = missing.collect();
                if !missing.is_empty() || (wanted.is_empty() && fixed.is_some()) {
                    faults.push(format!("{at}: {missing:?} not cleared, but {mended:?}"));
                }
            }
            let Some(fixed) = fixed else { continue };
            let safe = parsed(&fixed.text);
            assert_eq!(safe.down.is_some(), written.down.is_some(), "{at}\n{}", fixed.text);
            let left = findings(&before, &safe, version);
            let left: Vec<&Finding> = left
                .iter()
                .filter(|f| f.severity > Severity::Info && fixed.mended.contains(&f.rule))
                // A build that may take long is given no limit; other changes are.
                .filter(|f| f.rule != "index-without-limit" || !f.title.contains("createIndexes"))
                .collect();
            if !left.is_empty() {
                faults.push(format!("{at}: left {left:?}\n{}", fixed.text));
            }
            if at.contains("foreground-index") || at.contains("shard-key") {
                continue;
            }
            prepare(client, setup).await;
            let failed = run(client, &written).await;
            let wanted_state = same::state(&session).await.unwrap();
            prepare(client, setup).await;
            let failed_too = run(client, &safe).await;
            // What failed as written need not fail, but must not be the other way round.
            if failed.is_none() && failed_too.is_some() {
                faults.push(format!("{at}: fails: {failed_too:?}\n{}", fixed.text));
                continue;
            }
            let differences =
                same::differences(&wanted_state, &same::state(&session).await.unwrap());
            let expected = |line: &String| {
                line.contains("validationLevel") && line.contains("moderate")
                    || (line.starts_with("gone") && fixed.text.contains("moderate"))
            };
            if failed.is_none() && !differences.iter().all(expected) {
                faults.push(format!("{at}: {differences:?}\n{}", fixed.text));
            }
            cleared.extend(fixed.mended);
        }
    }
    println!("cleared and proved: {cleared:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cleared.len() >= 9, "{cleared:?}");
}
