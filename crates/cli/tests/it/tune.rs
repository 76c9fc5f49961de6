//! `marula tune` as its users meet it: a workload from wherever it is, in every format, to a
//! script, and ended early.

mod mongodb;

use std::process::Stdio;
use std::time::Duration;

use marula_core::{Engine, Report, Version};
use marula_lab::servers::{PostgresServer, StartOptions};
use marula_postgres::{Session, SessionOptions};
use rustix::process::{Pid, Signal, kill_process};

use super::lab::Home;

const ORDERS: &str = "CREATE EXTENSION pg_stat_statements;
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, note text);
  INSERT INTO orders SELECT i, (i * 7919) % 5000, (ARRAY['new', 'paid', 'sent'])[1 + i % 3], repeat('x', 60) FROM generate_series(1, 60000) i;
  ANALYZE orders;
  SELECT pg_stat_statements_reset()";

const STATEMENTS: &str = "SELECT note FROM orders WHERE customer_id = 42;
SELECT count(*) FROM (SELECT o.id, row_number() OVER (PARTITION BY o.customer_id ORDER BY o.id DESC) AS place FROM orders o WHERE o.status = 'new' AND o.customer_id > 4000) ranked WHERE place = 1;
SELECT * FROM gone WHERE id = 1;
SELECT pg_sleep(100);
UPDATE orders SET note = 'y' WHERE customer_id = 7;
SELECT 1 / (id - id) FROM orders;
SELEC 1;
";

async fn server() -> PostgresServer {
    let wanted = Some(Version::new(15, 0, 0));
    let install = marula_lab::discover::choose_exactly(Engine::Postgres, wanted).unwrap();
    let options = StartOptions::default().setting("shared_preload_libraries", "pg_stat_statements");
    let server = PostgresServer::start(&install, &options).await.unwrap();
    let session = Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap();
    session.client().batch_execute(ORDERS).await.unwrap();
    server
}

fn told(text: &str) -> Report {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn ups(report: &Report) -> String {
    report.changes.iter().flat_map(|change| change.up.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_workload_is_taken_from_files_logs_and_the_server_and_told_in_every_format() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server());
    let url = server.url();
    std::fs::write(home.path().join("s.sql"), STATEMENTS).unwrap();
    let json = home.expect(1, &["tune", &url, "--statements", "s.sql", "--format", "json"]);
    let report = told(&json);
    assert!(ups(&report).contains("(customer_id"), "{json}");
    let tuning = report.tuning.as_ref().unwrap();
    // Two take part and what one write looks for, and of the others it is said why they do not.
    assert_eq!((tuning.statements.len(), tuning.writes.len()), (3, 1), "{json}");
    let lookup = tuning.statements.iter().find(|one| one.statement.text.contains("ctid"));
    assert!(lookup.is_some_and(|lookup| !lookup.uses.is_empty()), "{json}");
    let reason = |part: &str| {
        let left = tuning.left_out.iter().find(|left| left.statement.contains(part));
        left.map(|left| left.reason.clone()).unwrap_or_else(|| panic!("no {part}: {json}"))
    };
    for (part, why) in [
        ("FROM gone", "temporary table"),
        ("pg_sleep", "waits"),
        ("1 / (id", "division by zero"),
        ("SELEC 1", "syntax"),
    ] {
        assert!(reason(part).contains(why), "{part}: {}", reason(part));
    }
    for (columns, format) in [("80", "human"), ("200", "human"), ("80", "markdown")] {
        let mut command = home.marula(&["tune", &url, "--statements", "s.sql", "--format", format]);
        let output = command.env("COLUMNS", columns).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for part in ["CREATE INDEX CONCURRENTLY", "SELECT note", "UPDATE", "gone"] {
            assert!(text.contains(part), "no {part} in {format} at {columns}:\n{text}");
        }
        let room = columns.parse::<usize>().unwrap();
        // The target's own name is one word, however long.
        let wide = text.lines().find(|line| {
            format == "human" && line.chars().count() > room && !line.contains("postgresql://")
        });
        assert_eq!(wide, None, "at {columns}:\n{text}");
    }
    let none = home.expect(
        0,
        &[
            "tune",
            &url,
            "--statements",
            "s.sql",
            "--budget",
            "0",
            "--fail-on",
            "never",
            "--format",
            "json",
        ],
    );
    assert!(!ups(&told(&none)).contains("CREATE INDEX"), "{none}");
    // From the server's own counters, to a script that is nothing but SQL.
    runtime.block_on(async {
        let session = Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap();
        for n in 0..20 {
            let sql = format!("SELECT note FROM orders WHERE customer_id = {n}");
            session.client().batch_execute(&sql).await.unwrap();
        }
    });
    home.expect(1, &["tune", &url, "--output", "tuned.sql"]);
    let script = std::fs::read_to_string(home.path().join("tuned.sql")).unwrap();
    assert!(script.contains("(customer_id"), "{script}");
    assert!(script.contains("-- DROP INDEX CONCURRENTLY"), "{script}");
    // A log, and what `logs` saved of it.
    let line = |n: u32| {
        format!(
            "2026-03-02 09:00:{n:02}.000 UTC [7] LOG:  duration: 9.5 ms  statement: SELECT note FROM orders WHERE customer_id = {n}\n"
        )
    };
    std::fs::write(home.path().join("pg.log"), (10..40).map(line).collect::<String>()).unwrap();
    let saved = ["logs", "pg.log", "--save", "workload.json"];
    home.expect(0, &saved);
    for source in [["--log", "pg.log"], ["--workload", "workload.json"]] {
        let args = ["tune", &url, source[0], source[1], "--format", "json"];
        let report = told(&home.expect(1, &args));
        let statements = &report.tuning.as_ref().unwrap().statements;
        assert_eq!(statements.iter().map(|one| one.calls).sum::<u64>(), 30, "{source:?}");
        assert!(ups(&report).contains("(customer_id"), "{source:?}");
    }
}

#[test]
fn an_interruption_ends_it_in_order_and_says_so() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server());
    let long =
        "SELECT count(*) FROM orders a, orders b WHERE a.id < 1500 AND b.note <> a.status;\n";
    std::fs::write(home.path().join("s.sql"), long).unwrap();
    let args = ["tune", &server.url(), "--statements", "s.sql", "--format", "json"];
    let child = home.marula(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{stderr}{stdout}");
    assert!(stderr.contains("interrupted") || stdout.contains("interrupted"), "{stderr}{stdout}");
}
