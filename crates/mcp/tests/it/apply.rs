//! Writing: only a plan, only where the configuration allows it, only with the human's yes, once.

use bson::Document;
use serde_json::{Value, json};

use crate::support::{Client, DOORS, Says, connect, params, through, world};

async fn plan(client: &Client, arguments: Value) -> (String, String) {
    let plan = client.call("plan_change", arguments).await.unwrap();
    let text = |key: &str| plan[key].as_str().unwrap().to_string();
    (text("plan_id"), text("digest"))
}

async fn apply(client: &Client, (id, digest): &(String, String)) -> Result<Value, Value> {
    client.call("apply_plan", json!({ "plan_id": id, "digest": digest })).await
}

async fn indexes(owner: &marula_postgres::Session) -> i64 {
    let asked = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'";
    owner.client().query_one(asked, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_plan_runs_once_through_every_door() {
    let world = world().await;
    for (number, door) in DOORS.into_iter().enumerate() {
        let client = through(&world.state, Says::Yes, door).await;
        let before = indexes(&world.postgres).await;
        let made = plan(
            &client,
            json!({ "target": "pgw",
                "indexes": [format!("CREATE INDEX CONCURRENTLY made_{number} ON orders (total)")] }),
        )
        .await;
        assert_eq!(indexes(&world.postgres).await, before);
        let done = apply(&client, &made).await.unwrap();
        assert!(done["done"][0].as_str().unwrap().contains("CREATE INDEX"), "{done}");
        assert_eq!(indexes(&world.postgres).await, before + 1, "{door:?}");
        {
            let asked = client.human.asked.lock().unwrap();
            assert_eq!(asked.len(), 1);
            assert!(
                asked[0].contains("CREATE INDEX CONCURRENTLY") && asked[0].contains("'pgw'"),
                "{asked:?}"
            );
            assert!(asked[0].contains(&made.1));
        }
        let again = apply(&client, &made).await.unwrap_err();
        assert_eq!(again["code"], "refused");
        assert!(again["message"].as_str().unwrap().contains("applied already"), "{again}");
        assert_eq!(client.human.asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_mongodb_is_made_and_dropped() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let orders = world.mongodb.database().collection::<Document>("orders");
    let step = "db.orders.createIndex({ total: 1, at: -1 }, { name: 'made' })";
    let made = plan(&client, json!({ "target": "mongow", "indexes": [step] })).await;
    apply(&client, &made).await.unwrap();
    assert!(orders.list_index_names().await.unwrap().contains(&"made".to_string()));
    let dropped = json!({ "target": "mongow", "indexes": ["db.orders.dropIndex('made')"] });
    let dropped = plan(&client, dropped).await;
    apply(&client, &dropped).await.unwrap();
    assert!(!orders.list_index_names().await.unwrap().contains(&"made".to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_yes_nothing_is_done() {
    let world = world().await;
    let before = indexes(&world.postgres).await;
    let step = json!({ "target": "pgw", "indexes": ["CREATE INDEX never ON orders (total)"] });
    for says in [Says::No, Says::Nothing, Says::NoChannel] {
        for door in DOORS {
            let client = through(&world.state, says, door).await;
            let made = plan(&client, step.clone()).await;
            let error = apply(&client, &made).await.unwrap_err();
            assert_eq!(error["code"], "refused", "{says:?} {door:?}: {error}");
            if says == Says::NoChannel {
                let hint = error["hint"].as_str().unwrap();
                assert!(hint.contains("marula migrate apply pgw"), "{hint}");
                assert!(hint.contains("CREATE INDEX never"), "{hint}");
            }
        }
    }
    assert_eq!(indexes(&world.postgres).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_target_a_wrong_digest_and_a_forged_answer_are_refused() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let before = indexes(&world.postgres).await;
    let step = |target: &str| json!({ "target": target, "indexes": ["CREATE INDEX never ON orders (total)"] });
    let made = plan(&client, step("pg")).await;
    let error = apply(&client, &made).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("read-only"), "{error}");
    let made = plan(&client, step("pgw")).await;
    for digest in ["", "00", &made.1[..63], &made.1.replace(&made.1[..1], "x")] {
        let error = apply(&client, &(made.0.clone(), digest.to_string())).await.unwrap_err();
        assert!(error["message"].as_str().unwrap().contains("digest"), "{error}");
    }
    let error = apply(&client, &("p99".into(), made.1.clone())).await.unwrap_err();
    assert_eq!(error["code"], "not_found");
    assert!(client.human.asked.lock().unwrap().is_empty(), "nobody is asked about what cannot be");
    // An answer to a question nobody asked.
    let yes = json!({ "action": "accept", "content": { "apply": true } });
    for word in ["", "guessed", "p1"] {
        let forged = params("apply_plan", json!({ "plan_id": made.0, "digest": made.1 }))
            .with_input_responses([("confirm".to_string(), yes.clone())].into())
            .with_request_state(word);
        let answer = client.service.call_tool_once(forged).await.unwrap();
        let rmcp::model::CallToolResponse::Complete(result) = answer else { panic!("{answer:?}") };
        let error = client.checked("apply_plan", result).unwrap_err();
        assert!(error["message"].as_str().unwrap().contains("no open question"), "{error}");
    }
    assert_eq!(indexes(&world.postgres).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_holds_indexes_or_a_migration_and_nothing_else() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    for (arguments, code) in [
        (json!({ "target": "pgw" }), "usage"),
        (json!({ "target": "pgw", "indexes": ["DROP TABLE orders"] }), "refused"),
        (
            json!({ "target": "pgw", "indexes": ["CREATE INDEX a ON orders (id); DROP TABLE orders"] }),
            "refused",
        ),
        (json!({ "target": "mongow", "indexes": ["db.orders.drop()"] }), "refused"),
        (json!({ "target": "mongow", "indexes": ["db.orders.deleteMany({})"] }), "refused"),
        (json!({ "target": "pgw", "report": "r77" }), "not_found"),
        (
            json!({ "target": "pgw", "indexes": ["CREATE INDEX a ON orders (id)"], "migration": "SELECT 1" }),
            "usage",
        ),
        (json!({ "target": "pgw", "indexes": vec!["CREATE INDEX ON orders (id)"; 101] }), "usage"),
    ] {
        let error = client.call("plan_change", arguments.clone()).await.unwrap_err();
        assert_eq!(error["code"], code, "{arguments}: {error}");
    }
    // What blocks is said before it is done.
    let blocking = json!({ "target": "pgw", "indexes": ["CREATE INDEX blocks ON orders (total)"] });
    let plan = client.call("plan_change", blocking).await.unwrap();
    assert!(!plan["findings"].as_array().unwrap().is_empty(), "{plan}");
    assert_eq!(plan["applicable"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_says_what_was_done_and_the_plan_is_over() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let made = plan(
        &client,
        json!({ "target": "pgw", "indexes": [
            "CREATE INDEX CONCURRENTLY first ON orders (total)",
            "CREATE INDEX CONCURRENTLY second ON orders (no_such_column)",
        ] }),
    )
    .await;
    let error = apply(&client, &made).await.unwrap_err();
    assert_eq!(error["where"], "pgw", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("the 1 steps before it are done"), "{error}");
    let again = apply(&client, &made).await.unwrap_err();
    assert!(again["message"].as_str().unwrap().contains("failed"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_applied_with_its_history_on_both_engines() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let file = |number: u32| format!("2026010112000{number}_add.sql");
    let step = |number: u32| {
        json!({ "target": "pgw", "file_name": file(number),
            "migration": format!("-- migrate:up\nALTER TABLE orders ADD COLUMN added_{number} int;\n") })
    };
    for number in [1, 3] {
        let made = plan(&client, step(number)).await;
        let done = apply(&client, &made).await.unwrap();
        assert!(done["done"][0].as_str().unwrap().starts_with("2026010112000"), "{done}");
    }
    let asked = "SELECT count(*) FROM marula.migrations WHERE state = 'applied'";
    let noted: i64 = world.postgres.client().query_one(asked, &[]).await.unwrap().get(0);
    assert_eq!(noted, 2);
    // The same file again does nothing; one that comes before what has run is refused.
    let again = plan(&client, step(1)).await;
    let done = apply(&client, &again).await.unwrap();
    assert!(done["done"][0].as_str().unwrap().contains("had run already"), "{done}");
    let between = plan(&client, step(2)).await;
    let error = apply(&client, &between).await.unwrap_err();
    assert!(error["hint"].as_str().unwrap().contains("later version"), "{error}");
    let name =
        json!({ "target": "pgw", "file_name": "x.sql", "migration": "CREATE TABLE z (a int)" });
    assert_eq!(client.call("plan_change", name).await.unwrap_err()["code"], "usage");
    let documents = json!({ "target": "mongow", "migration":
        "[{\"update\": \"orders\", \"updates\": [{\"q\": {\"added\": {\"$exists\": false}}, \"u\": {\"$set\": {\"added\": 1}}, \"multi\": true}]}]" });
    let made = plan(&client, documents).await;
    apply(&client, &made).await.unwrap();
    let orders = world.mongodb.database().collection::<Document>("orders");
    let without = bson::doc! { "added": { "$exists": false } };
    assert_eq!(orders.count_documents(without).await.unwrap(), 0);
}
