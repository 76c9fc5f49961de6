//! Servers that die, calls that are cancelled, many clients at once.

use std::sync::Arc;
use std::time::Duration;

use marula_core::Engine;
use marula_lab::discover;
use marula_lab::servers::{PostgresServer, StartOptions};
use marula_mcp::{Access, Limits, State};
use marula_postgres::{Session, SessionOptions};
use serde_json::json;

use crate::support::{DOORS, Says, Targets, connect, conninfo, params, through, world};

/// Sessions of ours that run a statement right now.
async fn running(owner: &Session) -> i64 {
    let asked = "SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'marula mcp' AND state = 'active'";
    owner.client().query_one(asked, &[]).await.unwrap().get(0)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}

/// Reads for minutes.
const LONG: &str =
    "SELECT count(*) FROM orders a, orders b, orders c WHERE a.total + b.total > c.total";

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_ends_on_the_server_too() {
    let world = world().await;
    for door in DOORS {
        let client = through(&world.state, Says::Yes, door).await;
        let call =
            client.service.call_tool(params("run_query", json!({ "target": "pg", "query": LONG })));
        let mut call = Box::pin(call);
        tokio::select! {
            answer = &mut call => panic!("it ended by itself: {answer:?}"),
            () = until("the query", async || running(&world.postgres).await > 0) => {}
        }
        drop(call);
        until("the end of the query", async || running(&world.postgres).await == 0).await;
        // The client goes on.
        client.call("run_query", json!({ "target": "pg", "query": "SELECT 1" })).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_lab_is_gone() {
    let world = world().await;
    let state =
        State::new(world.targets.clone(), None, Limits { labs: 1, ..Limits::default() }).unwrap();
    let client = connect(&state, Says::Yes).await;
    let query = json!({ "target": "pg", "query": LONG });
    let mut call = Box::pin(client.service.call_tool(params("explain_query", query)));
    let told = Arc::clone(&client.human.told);
    tokio::select! {
        answer = &mut call => panic!("it ended by itself: {answer:?}"),
        () = until("the lab", async || told.lock().unwrap().len() > 3) => {}
    }
    drop(call);
    // There is one place in the lab: who comes next gets it.
    let quick = json!({ "target": "pg", "query": "SELECT count(*) FROM customers" });
    let next = tokio::time::timeout(Duration::from_secs(60), client.call("explain_query", quick));
    next.await.unwrap().unwrap();
    let told = client.human.told.lock().unwrap();
    assert!(told.iter().all(|(_, message)| message.len() < 300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_an_error_and_its_return_is_noticed() {
    let install = discover::choose_exactly(Engine::Postgres, Some("15".parse().unwrap())).unwrap();
    let server = PostgresServer::start(&install, &StartOptions::default()).await.unwrap();
    let owner = Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap();
    owner.client().batch_execute(crate::postgres::SHOP).await.unwrap();
    let state = Targets::default()
        .with("pg", Engine::Postgres, &conninfo(&server.spec()), Access::ReadOnly)
        .state();
    let client = connect(&state, Says::Yes).await;
    let one = json!({ "target": "pg", "query": "SELECT 1" });
    client.call("run_query", one.clone()).await.unwrap();
    // The session that waits for its next call is ended behind our back.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'marula mcp'";
    owner.client().batch_execute(end).await.unwrap();
    client.call("run_query", one.clone()).await.unwrap();
    // One that works is ended: the error says so, and the next call gets another.
    let long = json!({ "target": "pg", "query": LONG });
    let (answer, ()) = tokio::join!(client.call("run_query", long), async {
        until("the query", async || running(&owner).await > 0).await;
        owner.client().batch_execute(end).await.unwrap();
    });
    let error = answer.unwrap_err();
    assert_eq!((&error["code"], &error["where"]), (&json!("server_died"), &json!("pg")), "{error}");
    client.call("run_query", one.clone()).await.unwrap();
    drop(owner);
    server.stop().await;
    let error = client.call("run_query", one).await.unwrap_err();
    assert_eq!(error["code"], "unreachable", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_clients_work_at_once_over_few_sessions() {
    let world = world().await;
    let limits = Limits { sessions: 3, labs: 1 };
    let state = State::new(world.targets.clone(), None, limits).unwrap();
    let mut all = tokio::task::JoinSet::new();
    for number in 0..10_usize {
        let state = Arc::clone(&state);
        all.spawn(async move {
            let client = through(&state, Says::Yes, DOORS[number % 4]).await;
            for turn in 0..5 {
                let query = format!("SELECT {number} * 100 + {turn}, pg_backend_pid()");
                let rows =
                    client.call("run_query", json!({ "target": "pg", "query": query })).await;
                let rows = rows.unwrap();
                assert_eq!(rows["untrusted_rows"][0][0], (number * 100 + turn).to_string());
                let find = format!("db.customers.find({{_id: {number}}})");
                let rows =
                    client.call("run_query", json!({ "target": "mongo", "query": find })).await;
                assert_eq!(rows.unwrap()["untrusted_rows"][0]["_id"], number);
            }
        });
    }
    let mut most = 0;
    loop {
        tokio::select! {
            ended = all.join_next() => match ended {
                Some(ended) => ended.unwrap(),
                None => break,
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                let asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'marula mcp'
                    AND datname = current_database()";
                let now: i64 = world.postgres.client().query_one(asked, &[]).await.unwrap().get(0);
                most = most.max(now);
            }
        }
    }
    // Three are lent at most; those that wait for their next call are at most four of a target.
    assert!(most <= 4, "{most} sessions at once");
}
