//! Every rule's examples: it fires or stays quiet as it says, and the server takes or refuses the
//! commands as it says.

use std::path::Path;

use ::mongodb::Client;
use ::mongodb::bson::{Document, doc};
use marula_core::{Engine, Finding, Version};
use marula_migrate::lint::LintOptions;
use marula_migrate::mongodb::{lint, rules, schema::Schema};
use marula_migrate::{Migration, StepKind, Tool};
use marula_mongodb::{Session, SessionOptions};

pub fn migration(text: &str) -> Migration {
    let path = Path::new("example.json");
    marula_migrate::files::parse(path, text, Tool::Marula, Engine::Mongodb)
        .unwrap_or_else(|error| panic!("{text}\n{error}"))
}

pub fn commands(migration: &Migration) -> Vec<Document> {
    let steps = migration.up.iter().map(|step| match &step.kind {
        StepKind::Command(command) => command.clone(),
        StepKind::Backfill(fill) => doc! { "update": &fill.collection, "updates": [{
            "q": fill.filter.clone(), "u": fill.update.clone(), "multi": true,
        }] },
        StepKind::Sql(_) => unreachable!(),
    });
    steps.collect()
}

pub fn findings(setup: &Migration, migration: &Migration, version: Version) -> Vec<Finding> {
    let mut schema = Schema::default();
    lint::follow(&mut schema, std::slice::from_ref(setup));
    let options = LintOptions { version: Some(version) };
    lint::lint(std::slice::from_ref(migration), schema, &options).remove(0).findings
}

/// The first complaint of the server.
pub async fn run(client: &Client, migration: &Migration) -> Option<String> {
    let mut session = client.start_session().await.unwrap();
    if migration.options.transaction {
        session.start_transaction().await.unwrap();
    }
    for command in commands(migration) {
        let name = command.keys().next().unwrap();
        let of_admin = ["renameCollection", "setParameter"].contains(&name.as_str());
        let database = if of_admin { "admin" } else { "shop" };
        let database = client.database(database);
        let result = if migration.options.transaction {
            database.run_command(command).session(&mut session).await
        } else {
            database.run_command(command).await
        };
        match result {
            Err(error) => return Some(error.to_string()),
            Ok(answer) => {
                if let Ok(errors) = answer.get_array("writeErrors") {
                    return Some(format!("{errors:?}"));
                }
            }
        }
    }
    if migration.options.transaction {
        session.commit_transaction().await.unwrap();
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_say_is_what_the_server_does() {
    let _turn = super::TURN.lock().await;
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let mut options = SessionOptions::lab();
    options.application_name = "migrate".into();
    let session = Session::open(&server.create_database().await.unwrap(), &options).await.unwrap();
    let client = session.client();
    let mut faults = Vec::new();
    for rule in rules() {
        for example in rule.info.examples {
            let at = format!("#{} {} ({})", rule.number, rule.info.id, example.name);
            let old = rule.info.id == "foreground-index";
            let version = if old { Version::new(4, 0, 0) } else { Version::new(6, 0, 0) };
            let setup = if example.setup.is_empty() { "[]" } else { example.setup };
            let (setup, parsed) = (migration(setup), migration(example.statement));
            let found = findings(&setup, &parsed, version);
            let own: Vec<_> = found.iter().filter(|f| f.rule == rule.info.id).collect();
            if own.is_empty() == example.fires {
                let all: Vec<_> = found.iter().map(|f| &f.rule).collect();
                faults.push(format!("{at}: fires {} expected; found {all:?}", example.fires));
            }
            if rule.info.id == "shard-key" || old {
                continue;
            }
            for name in ["shop", "archive"] {
                client.database(name).drop().await.unwrap();
            }
            let failed = run(client, &setup).await;
            assert!(failed.is_none(), "{at}: the set-up: {failed:?}");
            let failed = run(client, &parsed).await;
            let expected = own.iter().any(|finding| finding.title.contains("fails with error"));
            if failed.is_some() != expected {
                faults.push(format!("{at}: the server says {failed:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_are_said_to_be_refused_are_refused_on_every_version() {
    let _turn = super::TURN.lock().await;
    let mut faults = Vec::new();
    for (major, minor) in [(4, 4), (5, 0), (6, 0)] {
        let server = marula_lab::shared::mongodb(major, minor).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let client = session.client();
        for options in [
            r#""expireAfterSeconds": 60"#,
            r#""partialFilterExpression": {"a": {"$ne": 1}}"#,
            r#""partialFilterExpression": {"a": {"$nin": [1]}}"#,
            r#""partialFilterExpression": {"a": {"$not": {"$gt": 1}}}"#,
            r#""partialFilterExpression": {"a": {"$in": [1, 2]}}"#,
            r#""partialFilterExpression": {"$or": [{"a": 1}, {"a": 2}]}"#,
            r#""partialFilterExpression": {"$nor": [{"a": 1}]}"#,
            r#""partialFilterExpression": {"a": {"$mod": [2, 1]}}"#,
            r#""partialFilterExpression": {"a": {"$size": 1}}"#,
            r#""partialFilterExpression": {"a": {"$exists": false}}"#,
            r#""partialFilterExpression": {"a": {"$exists": true}}"#,
            r#""partialFilterExpression": {"a": {"$elemMatch": {"b": 1}}}"#,
            r#""partialFilterExpression": {"$expr": {"$eq": ["$a", 1]}}"#,
            r#""partialFilterExpression": {"a": {"$regex": "^x"}}"#,
            r#""partialFilterExpression": {"a": {"$type": "int"}, "b": {"$gte": 1, "$lt": 9}}"#,
            r#""partialFilterExpression": {"$and": [{"a": 1}, {"b": null}]}"#,
        ] {
            let text = format!(
                r#"[{{"createIndexes": "c", "indexes": [{{"key": {{"a": 1, "b": 1}}, "name": "i", {options}}}]}}]"#
            );
            let parsed = migration(&text);
            let found = findings(&migration("[]"), &parsed, Version::new(major, minor, 0));
            let said = found.iter().any(|finding| finding.title.contains("fails with error 67"));
            client.database("shop").drop().await.unwrap();
            let failed = run(client, &parsed).await;
            if failed.is_some() != said {
                faults.push(format!("{major}.{minor} {options}: said {said}, {failed:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
