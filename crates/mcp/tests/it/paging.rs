//! What does not fit in an answer is cut at a row, and the next page begins there.

use serde_json::{Value, json};

use crate::support::{Client, Says, connect, world, world_with};

async fn all_pages(
    client: &Client,
    tool: &str,
    arguments: Value,
    key: &str,
) -> (Vec<Value>, usize) {
    let (mut all, mut pages, mut arguments) = (Vec::new(), 0, arguments);
    loop {
        let answer = client.call(tool, arguments.clone()).await.unwrap();
        assert!(answer.to_string().len() < 100_000, "{tool}");
        all.extend(answer[key].as_array().unwrap().iter().cloned());
        pages += 1;
        match answer["truncated"]["cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = cursor.into(),
            None => return (all, pages),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_rows_join_without_seam() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let query = json!({ "target": "pg", "limit": 700,
        "query": "SELECT id, email FROM customers ORDER BY id -- all" });
    let (rows, pages) = all_pages(&client, "run_query", query, "untrusted_rows").await;
    let ids: Vec<i64> = rows.iter().map(|row| row[0].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (1..=2000).collect::<Vec<_>>());
    assert!(pages >= 3);
    let query =
        json!({ "target": "mongo", "limit": 150, "query": "db.customers.find().sort({_id: 1})" });
    let (rows, pages) = all_pages(&client, "run_query", query, "untrusted_rows").await;
    let ids: Vec<i64> = rows.iter().map(|row| row["_id"].as_i64().unwrap()).collect();
    assert_eq!((ids, pages), ((0..200).collect(), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_capped_by_bytes_and_long_values_are_cut() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let query = json!({ "target": "pg", "limit": 1000,
        "query": "SELECT n, repeat('x', 1500) FROM generate_series(1, 100) n" });
    let (rows, pages) = all_pages(&client, "run_query", query, "untrusted_rows").await;
    assert_eq!(rows.len(), 100);
    assert!(pages >= 3, "{pages}");
    let long = "SELECT repeat('ä', 1000000)";
    let answer = client.call("run_query", json!({ "target": "pg", "query": long })).await.unwrap();
    assert!(answer["untrusted_rows"][0][0].as_str().unwrap().contains("letters more"));
    assert!(answer["summary"].as_str().unwrap().contains("cut"), "{answer}");
    // The server makes no more rows than are wanted.
    let endless = "SELECT generate_series(1, 1000000000000)";
    let answer = client.call("run_query", json!({ "target": "pg", "query": endless, "limit": 5 }));
    assert_eq!(answer.await.unwrap()["untrusted_rows"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_tables_join_and_a_strange_cursor_is_refused() {
    let tables: String = (0..250).map(|n| format!("CREATE TABLE t{n:03} (id int);")).collect();
    let world = world_with(&tables).await;
    let client = connect(&world.state, Says::Yes).await;
    for (detail, least) in [("names", 2), ("summary", 5), ("full", 12)] {
        let question = json!({ "target": "pg", "detail": detail });
        let (objects, pages) = all_pages(&client, "describe", question, "objects").await;
        let mut names: Vec<String> = objects.iter().map(|one| one["name"].to_string()).collect();
        let all = names.len();
        names.dedup();
        assert_eq!((names.len(), all), (250, 250), "{detail}");
        assert!(pages >= least, "{detail}: {pages}");
    }
    let first = client.call("describe", json!({ "target": "pg" })).await.unwrap();
    let cursor = first["truncated"]["cursor"].as_str().unwrap();
    for arguments in [
        json!({ "target": "pg", "cursor": "7" }),
        json!({ "target": "pg", "cursor": cursor, "search": "t1" }),
        json!({ "target": "mongo", "cursor": cursor }),
    ] {
        let error = client.call("describe", arguments).await.unwrap_err();
        assert_eq!(error["code"], "usage", "{error}");
    }
}
