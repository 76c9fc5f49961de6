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
        let database = if name == "renameCollection" { "admin" } else { "shop" };
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
