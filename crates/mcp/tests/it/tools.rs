//! Every tool, on both engines, through every door.

use std::path::Path;

use rmcp::model::ReadResourceRequestParams;
use serde_json::{Value, json};

use crate::support::{DOORS, Says, connect, through, world};

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_answers_as_its_schema_says_through_every_door() {
    let world = world().await;
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/scenarios/logs.in");
    let targets = world.targets.clone().logs("pg", log.join("postgresql.log"));
    let state = targets.logs("mongo", log.join("mongod.json")).state();
    for door in DOORS {
        let client = through(&state, Says::Yes, door).await;
        let targets = client.call("list_targets", json!({})).await.unwrap();
        assert_eq!(targets["targets"].as_array().unwrap().len(), 4, "{door:?}");
        for (target, query, migration) in [
            (
                "pg",
                "SELECT id, status FROM orders ORDER BY id",
                "ALTER TABLE orders ALTER total TYPE text",
            ),
            (
                "mongo",
                "db.orders.find({}, {status: 1}).sort({_id: 1})",
                "[{\"collMod\": \"orders\", \"validator\": {\"$jsonSchema\": {\"required\": [\"x\"]}}}]",
            ),
        ] {
            let names = client.call("describe", json!({ "target": target })).await.unwrap();
            assert!(names.to_string().contains("orders"), "{names}");
            let full = json!({ "target": target, "objects": ["orders"] });
            let full = client.call("describe", full).await.unwrap();
            let object = &full["objects"][0];
            assert!(
                strings(&object["columns"]).iter().any(|one| one.starts_with("status ")),
                "{object}"
            );
            assert!(strings(&object["indexes"]).len() >= 2, "{object}");
            let rows = json!({ "target": target, "query": query, "limit": 3 });
            let rows = client.call("run_query", rows).await.unwrap();
            assert_eq!(rows["untrusted_rows"].as_array().unwrap().len(), 3);
            assert!(rows["truncated"]["cursor"].is_string(), "{rows}");
            let plan = json!({ "target": target, "query": query, "prove": "off" });
            let plan = client.call("explain_query", plan).await.unwrap();
            assert!(plan["plan"].as_str().unwrap().contains("orders"), "{plan}");
            let uri = plan["report"].as_str().unwrap();
            let read = client.service.read_resource(ReadResourceRequestParams::new(uri)).await;
            assert!(serde_json::to_string(&read.unwrap()).unwrap().contains("schema_version"));
            let workload = json!({ "target": target, "source": "files", "top": 2 });
            let workload = client.call("analyze_workload", workload).await.unwrap();
            assert_eq!(workload["statements"].as_array().unwrap().len(), 2, "{workload}");
            let review = json!({ "target": target, "migration": migration });
            let review = client.call("review_migration", review).await.unwrap();
            assert!(!review["findings"].as_array().unwrap().is_empty(), "{review}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_query_is_mended_with_proof_on_both_engines() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    for (target, query) in [
        ("pg", "SELECT * FROM orders WHERE total = 77 AND at = '2025-03-01'"),
        ("mongo", "db.orders.find({total: 30, customer: 20})"),
    ] {
        let arguments = json!({ "target": target, "query": query, "goal_ms": 1000 });
        let answer = client.call("explain_query", arguments).await.unwrap();
        assert!(!answer["findings"].as_array().unwrap().is_empty(), "{answer}");
        let rule = answer["findings"][0]["rule"].as_str().unwrap();
        let page = ReadResourceRequestParams::new(format!("marula://rules/{rule}"));
        let page = client.service.read_resource(page).await.unwrap();
        assert!(serde_json::to_string(&page).unwrap().contains(rule));
        assert_eq!(answer["changes"][0]["proof"]["verdict"], "proven", "{answer}");
        let next = strings(&answer["next"]).join(" ");
        assert!(next.contains("plan_change with target") && next.contains("report 'r"), "{next}");
        // The next call that is named is one that works.
        let id = answer["report"].as_str().unwrap().split('/').nth(3).unwrap();
        let plan = json!({ "target": target, "report": id });
        let plan = client.call("plan_change", plan).await.unwrap();
        assert_eq!(plan["applicable"], false);
        assert!(plan["steps"][0].as_str().unwrap().to_lowercase().contains("index"), "{plan}");
    }
    let told = client.human.told.lock().unwrap();
    assert!(told.iter().any(|(_, message)| message.contains("orders")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_of_statements_gets_a_set_of_indexes() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let statements = json!([
        { "query": "SELECT id FROM orders WHERE total = 77 AND at = '2025-03-01'", "calls": 100 },
        { "query": "SELECT count(*) FROM orders WHERE total = 12" },
    ]);
    let arguments = json!({ "target": "pg", "statements": statements, "search_seconds": 20 });
    let answer = client.call("advise_indexes", arguments).await.unwrap();
    assert!(answer["changes"][0]["up"][0].as_str().unwrap().contains("CREATE INDEX"), "{answer}");
    assert_eq!(answer["statements"].as_array().unwrap().len(), 2);
    let statements = json!([{ "query": "db.orders.find({total: 30, customer: 20})", "calls": 50 }]);
    let arguments = json!({ "target": "mongo", "statements": statements, "search_seconds": 20 });
    let answer = client.call("advise_indexes", arguments).await.unwrap();
    assert!(answer["changes"][0]["up"][0].as_str().unwrap().contains("createIndex"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_reviewed_and_its_safe_form_is_given() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let arguments = json!({
        "migration": "CREATE INDEX orders_total ON orders (total);",
        "file_name": "../../etc/20260101120000_total.sql",
        "engine": "postgres",
        "server_version": "15",
    });
    let answer = client.call("review_migration", arguments).await.unwrap();
    assert!(answer["safe_form"].as_str().unwrap().contains("CONCURRENTLY"), "{answer}");
    let safe = json!({ "migration": answer["safe_form"], "target": "pg",
        "file_name": "20260101120000_total.sql" });
    let answer = client.call("review_migration", safe).await.unwrap();
    assert_eq!(answer["findings"], json!([]), "{answer}");
    let error =
        client.call("review_migration", json!({ "migration": "SELECT 1" })).await.unwrap_err();
    assert_eq!(error["code"], "usage");
    let broken = json!({ "migration": "ALTER TABEL x", "engine": "postgres" });
    let error = client.call("review_migration", broken).await.unwrap_err();
    assert_eq!(error["code"], "syntax", "{error}");
    assert!(!error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_rehearsed_on_a_copy_once_the_user_agrees() {
    let world = world().await;
    let migration = "ALTER TABLE orders ADD COLUMN rehearsed int";
    for (says, runs) in [(Says::Yes, true), (Says::Nothing, false), (Says::NoChannel, false)] {
        let client = connect(&world.state, says).await;
        let plan = json!({ "target": "pg", "migration": migration });
        let plan = client.call("plan_change", plan).await.unwrap();
        let arguments = json!({ "migration": migration, "target": "pg",
            "plan_id": plan["plan_id"], "digest": plan["digest"] });
        let answer = client.call("review_migration", arguments).await;
        if runs {
            let answer = answer.unwrap();
            let first = &answer["rehearsed"][0];
            let locks = strings(&first["locks"]);
            assert!(locks.iter().any(|lock| lock.contains("ACCESS EXCLUSIVE")), "{answer}");
        } else {
            let error = answer.unwrap_err();
            assert_eq!(error["code"], "refused", "{error}");
            assert!(error.to_string().contains("marula migrate rehearse"), "{error}");
        }
        let look = json!({ "target": "pg", "objects": ["orders"], "detail": "full" });
        let orders = client.call("describe", look).await.unwrap();
        assert!(!orders.to_string().contains("rehearsed"), "the target is as it was: {orders}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_reviewed_and_its_faults_are_named() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    for target in ["pg", "mongo"] {
        let answer = client.call("review_schema", json!({ "target": target })).await.unwrap();
        assert!(!answer["findings"].as_array().unwrap().is_empty(), "{answer}");
        assert!(answer["report"].as_str().unwrap().starts_with("marula://labs/"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_designed_from_a_model_and_measured() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let model = "name: shop\n\
        entities:\n\
        - {name: customers, rows: 500, attributes: [{name: id, type: id}, {name: name, type: text, required: true}]}\n\
        - {name: orders, rows: 2000, attributes: [{name: id, type: id}, {name: customer_id, type: id, required: true}, {name: total, type: money, required: true}]}\n\
        relations:\n\
        - {from: orders, attributes: [customer_id], to: customers, fanout: {average: 4, max: 40}}\n\
        queries:\n\
        - {name: orders_of, sql: 'SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.id = $1', rate: 20/s}\n";
    let arguments = json!({ "model": model, "rows": 2500 });
    let answer = client.call("design_schema", arguments).await.unwrap();
    let designs = answer["designs"].as_array().unwrap();
    assert_eq!(designs.len(), 2, "{answer}");
    assert!(designs[0]["script"].as_str().unwrap().contains("CREATE TABLE"), "{answer}");
    assert!(designs[1]["script"].as_str().unwrap().contains("createCollection"), "{answer}");
    assert!(strings(&designs[1]["measured"]).len() >= 2, "{answer}");
    let broken = json!({ "model": model.replace("o.total", "o.totl") });
    let error = client.call("design_schema", broken).await.unwrap_err();
    assert_eq!(error["code"], "usage", "{error}");
    assert!(error.to_string().contains("totl"), "{error}");
    // A model's checks run on the lab's server: what no query may do, they may not either.
    let model = model.replace(
        "name: customers, rows",
        "name: customers, checks: [\"lo_export(1, '/tmp/x') > 0\"], rows",
    );
    let error = client.call("design_schema", json!({ "model": model })).await.unwrap_err();
    assert!(error.to_string().contains("lo_export"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_tables_by_their_columns_and_fields() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let found = |answer: Value| -> Vec<String> {
        let objects = answer["objects"].as_array().unwrap().clone();
        objects.iter().map(|one| one["name"].as_str().unwrap().to_string()).collect()
    };
    let by = |search: &str, target: &str| json!({ "target": target, "search": search });
    let emails = client.call("describe", by("email addresses", "pg")).await.unwrap();
    assert_eq!(found(emails), ["public.customers"]);
    let orders = client.call("describe", by("Orders", "pg")).await.unwrap();
    assert!(found(orders).contains(&"public.orders".to_string()));
    let status = client.call("describe", by("status", "mongo")).await.unwrap();
    assert_eq!(found(status), ["orders"]);
    let nothing = client.call("describe", by("zebra", "pg")).await.unwrap();
    assert!(found(nothing).is_empty());
    let unknown = json!({ "target": "pg", "objects": ["ordres"] });
    let error = client.call("describe", unknown).await.unwrap_err();
    assert_eq!(error["code"], "not_found");
    assert!(error["hint"].as_str().unwrap().contains("orders"), "{error}");
}
