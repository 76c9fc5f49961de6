//! `marula logs TARGET` as its users meet it: advice for the slowest reads in one command, a watch
//! that is ended early, comparisons with what was saved.

use std::process::Stdio;
use std::time::{Duration, Instant};

use bson::{Document, doc};
use marula_core::{Engine, ObjectDigest, Report, Version};
use marula_lab::servers::{PostgresServer, StartOptions};
use marula_postgres::{ConnectSpec, Environment, Session, SessionOptions};
use rustix::process::{Pid, Signal, kill_process};

use super::lab::Home;

fn told(text: &str) -> Report {
    serde_json::from_str(text).unwrap()
}

fn object<'a>(report: &'a Report, name: &str) -> &'a ObjectDigest {
    let objects = &report.digest.as_ref().unwrap().objects;
    objects.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name}: {objects:#?}"))
}

/// Every format shows the reads of each, and the index for the worst.
fn shown_everywhere(home: &Home, target: &str, name: &str, index: &str) {
    for (format, title) in [
        ("human", "the slowest first"),
        ("markdown", "the slowest first"),
        ("html", "the slowest on average first"),
    ] {
        let args = ["logs", target, "--advise", "--fail-on", "never", "--format", format];
        let shown = home.expect(0, &args);
        assert!(shown.contains(title), "{format}: {shown}");
        assert!(shown.contains(name) && shown.contains(index), "{format}: {shown}");
    }
}

#[test]
fn mongodb_collections_with_high_read_latency_get_indexes_in_one_command() {
    let home = Home::new();
    let up = ["lab", "up", "t", "--data", "shop", "--scale", "0.02", "--engine", "mongodb"];
    home.expect(0, &up);
    let spec = marula_mongodb::ConnectSpec::parse(&home.url("lab/t/mongodb")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(async {
        let options = marula_mongodb::SessionOptions {
            application_name: "shop".into(),
            ..marula_mongodb::SessionOptions::lab()
        };
        let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
        let run = async |command: Document| session.database().run_command(command).await.unwrap();
        let held = run(doc! { "count": "orders" }).await.get_i32("n").unwrap();
        run(doc! { "profile": 0, "slowms": 0 }).await;
        for n in 0..6 {
            run(doc! {
                "find": "orders", "filter": { "customer_id": n },
                "sort": { "created_at": -1 }, "limit": 5,
            })
            .await;
        }
        for n in 0..4 {
            run(doc! { "find": "reviews", "filter": { "product_id": n }, "limit": 1 }).await;
        }
        // What comes after is not of the workload.
        run(doc! { "profile": 0, "slowms": 100_000 }).await;
        u64::try_from(held).unwrap()
    });
    let args = ["logs", "lab/t/mongodb", "--advise", "--fail-on", "never", "--format", "json"];
    let report = told(&home.expect(0, &args));
    let orders = object(&report, "shop.orders");
    assert_eq!((orders.load.calls, orders.statements), (6, 1));
    assert_eq!((orders.load.reads, orders.load.keys), (Some(6 * held), Some(0)));
    assert_eq!(object(&report, "shop.reviews").load.calls, 4);
    let objects = &report.digest.as_ref().unwrap().objects;
    assert!(objects.is_sorted_by(|a, b| a.load.mean_ms >= b.load.mean_ms), "{objects:#?}");
    let index = "db.orders.createIndex({ customer_id: 1, created_at: -1 }";
    let changes = &report.changes;
    assert!(changes.iter().any(|one| one.up[0].starts_with(index)), "{changes:#?}");
    let statements = &report.digest.as_ref().unwrap().statements;
    let own = |name: &str| statements.iter().any(|one| one.operation == name);
    assert!(!own("getCmdLineOpts") && !own("getLog"), "its own questions are no workload");
    shown_everywhere(&home, "lab/t/mongodb", "shop.orders", "customer_id_1_created_at_-1");
}

#[test]
fn postgres_tables_with_high_read_latency_get_indexes_in_one_command() {
    let home = Home::new();
    let up = ["lab", "up", "t", "--data", "shop", "--scale", "0.02", "--engine", "postgres"];
    home.expect(0, &up);
    let spec = ConnectSpec::parse(&home.url("lab/t/postgres"), &Environment::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let open = async || Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let set = "ALTER DATABASE shop SET log_min_duration_statement = 0";
        open().await.client().batch_execute(set).await.unwrap();
        let session = open().await;
        for n in 0..6 {
            let sql = format!(
                "SELECT a.id, a.total, b.total FROM orders a JOIN orders b ON b.status = a.status \
                 WHERE a.customer_id = {n} ORDER BY b.total DESC LIMIT 5"
            );
            session.client().batch_execute(&sql).await.unwrap();
        }
        for n in 0..4 {
            let sql = format!("SELECT count(*) FROM reviews WHERE product_id = {n}");
            session.client().batch_execute(&sql).await.unwrap();
        }
        // A join whose columns do not say which table they are of.
        let bare = "SELECT count(*) FROM orders JOIN order_items ON quantity > 0 \
                    WHERE total > 1 AND customer_id < 20";
        session.client().batch_execute(bare).await.unwrap();
        let set = "ALTER DATABASE shop RESET log_min_duration_statement";
        session.client().batch_execute(set).await.unwrap();
    });
    let args = ["logs", "lab/t/postgres", "--advise", "--fail-on", "never", "--format", "json"];
    let report = told(&home.expect(0, &args));
    assert_eq!(object(&report, "orders").load.calls, 7);
    assert_eq!(object(&report, "orders").statements, 2);
    assert_eq!(object(&report, "reviews").load.calls, 4);
    let index = "ON orders (customer_id";
    let changes = &report.changes;
    assert!(changes.iter().any(|one| one.up[0].contains(index)), "{changes:#?}");
    assert!(
        report.notes.iter().any(|note| note.contains("the text alone tells of no index")),
        "{:?}",
        report.notes
    );
    shown_everywhere(&home, "lab/t/postgres", "orders", "orders_customer_id");
}

#[test]
fn a_watch_that_is_ended_early_tells_what_there_was_and_is_compared_with() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let install =
            marula_lab::discover::choose_exactly(Engine::Postgres, Some(Version::new(15, 0, 0)))
                .unwrap();
        let options =
            StartOptions::default().setting("shared_preload_libraries", "pg_stat_statements");
        let server = PostgresServer::start(&install, &options).await.unwrap();
        let session = Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap();
        let run = async |sql: &str| session.client().batch_execute(sql).await.unwrap();
        run("CREATE EXTENSION pg_stat_statements; CREATE TABLE things (id int)").await;
        let watched = async |calls: u32| {
            for n in 0..calls {
                run(&format!("SELECT id FROM things WHERE id = {n}")).await;
            }
        };
        watched(3).await;
        let url = server.url();
        let child = home
            .marula(&["logs", &url, "--for", "600s", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The first read is over when its session has become idle.
        let read = "SELECT count(*) FROM pg_stat_activity
                    WHERE state = 'idle' AND pid <> pg_backend_pid()
                      AND query LIKE '%marula reads counters%'";
        let end = Instant::now() + Duration::from_secs(60);
        while session.client().query_one(read, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(Instant::now() < end, "the first read did not end");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        watched(12).await;
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let report = told(&String::from_utf8(output.stdout).unwrap());
        let calls = |report: &Report| {
            let statements = &report.digest.as_ref().unwrap().statements;
            let own = statements.iter().find(|one| one.objects == ["things"]);
            own.map_or(0, |one| one.load.calls)
        };
        assert_eq!(calls(&report), 12);
        assert!(
            report.notes.iter().any(|note| note.starts_with("ended early")),
            "{:?}",
            report.notes
        );

        // With a report and with a workload of then, a table that is known since is seen.
        let home = &home;
        let say = |args: &[&str]| {
            let all = [&["logs", url.as_str()], args].concat();
            tokio::task::block_in_place(|| home.expect(0, &all))
        };
        let path = |name: &str| home.path().join(name).display().to_string();
        let (saved, workload) = (path("then.json"), path("workload.json"));
        say(&["--format", "json", "--output", &saved, "--top", "1000", "--save", &workload]);
        watched(5).await;
        for before in [&saved, &workload] {
            let report = told(&say(&["--compare", before, "--format", "json"]));
            let compared = report.comparison.unwrap().statements;
            let own = compared.iter().find(|one| one.objects == ["things"]).unwrap();
            let load = |load: &Option<marula_core::Load>| load.as_ref().map(|load| load.calls);
            assert_eq!((load(&own.before), load(&own.after)), (Some(15), Some(20)), "{before}");
        }
    });
}
