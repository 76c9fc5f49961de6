//! Servers that die while they are measured, and statements that would run for ever: it is said,
//! what was found until then is shown, and nothing is left behind.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use marula_postgres::{ConnectSpec, Environment, Session, SessionOptions};
use rustix::process::{Pid, Signal, kill_process};

use super::lab::Home;

/// Runs for ever on any server.
const ENDLESS: &str = "SELECT count(*) FROM order_items a \
    JOIN order_items b ON a.quantity + b.quantity > 0 \
    JOIN order_items c ON b.quantity + c.quantity > 0 WHERE a.order_id = 7";
/// The same for MongoDB: every order against every event.
const ENDLESS_PIPELINE: &str = r#"db.orders.aggregate([
    { $lookup: { from: "events", let: { id: "$_id" }, as: "found",
                 pipeline: [{ $match: { $expr: { $lt: ["$$id", "$nothing"] } } }] } },
    { $match: { customer_id: { $gt: 0 } } },
    { $count: "n" }])"#;

fn lab(engine: &str) -> (Home, String) {
    let home = Home::new();
    let data = ["--data", "shop", "--scale", "0.02"];
    home.expect(0, &[&["lab", "up", "t", "--engine", engine], &data[..]].concat());
    let url = home.url(&format!("lab/t/{engine}"));
    (home, url)
}

/// Looks again and again, for a minute, until there is something.
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn pid_of(process: &std::path::Path) -> u32 {
    process.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

fn line(process: &std::path::Path) -> String {
    let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Servers of `home` that were not there `before`: those of a proof.
fn server_of_a_proof(home: &Home, before: &[PathBuf], program: &str) -> Option<u32> {
    let new = home.processes().into_iter().filter(|process| !before.contains(process));
    new.filter(|process| line(process).split(' ').next().unwrap().ends_with(program))
        .map(|process| pid_of(&process))
        .next()
}

/// The process that works on a statement for a client of the server `postmaster`.
fn busy_backend(postmaster: u32) -> Option<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let child = |process: &PathBuf| {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split(' ').nth(2));
        parent == Some(&postmaster.to_string())
    };
    let busy = |process: &PathBuf| {
        let line = line(process);
        ["] EXPLAIN", "] SELECT", ") EXPLAIN"].iter().any(|word| line.contains(word))
    };
    let mut backends = all.filter(|process| child(process) && busy(process));
    backends.next().map(|process| pid_of(&process))
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The process of the named lab's server.
fn target_of(home: &Home) -> u32 {
    let state = std::fs::read(home.path().join("labs/t/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    u32::try_from(state["servers"][0]["process"][0].as_u64().unwrap()).unwrap()
}

/// Waits until only what was there before is left.
fn nothing_new(home: &Home, before: &[PathBuf]) {
    until("the end of the proof's servers", || {
        home.processes().iter().all(|process| before.contains(process)).then_some(())
    });
}

/// How many statements of marula the server works on.
fn working(url: &str) -> i64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let spec = ConnectSpec::parse(url, &Environment::default()).unwrap();
        let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
                   AND pid <> pg_backend_pid() AND query LIKE '%order_items%'";
        session.client().query_one(sql, &[]).await.unwrap().get(0)
    })
}

#[test]
fn a_postgres_target_that_dies_under_the_statement() {
    let (home, url) = lab("postgres");
    let before = home.processes();
    let mut explain = home.marula(&["explain", "env:URL", ENDLESS, "--analyze"]);
    explain.env("URL", &url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let explain = explain.spawn().unwrap();
    let target = target_of(&home);
    until("the statement", || busy_backend(target));
    // What was seen may have been the server at its plan; past that, it runs for ever.
    std::thread::sleep(Duration::from_secs(1));
    kill(until("the statement", || busy_backend(target)), Signal::KILL);
    let output = explain.wait_with_output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(3), "{stdout}{stderr}");
    assert!(stderr.contains("error: env:URL: the server closed the connection"), "{stderr}");
    assert!(stderr.contains("= help: look into the server's log"), "{stderr}");
    // The estimate and what the rules find in it.
    assert!(stdout.contains("order_items") && stdout.contains("Nested Loop"), "{stdout}");
    assert!(stdout.contains("the work ended early (env:URL: the server closed"), "{stdout}");
    nothing_new(&home, &before);
}

#[test]
fn a_mongodb_target_that_dies_under_the_command() {
    let (home, url) = lab("mongodb");
    let mut explain = home.marula(&["explain", "env:URL", ENDLESS_PIPELINE, "--analyze"]);
    explain.args(["--format", "json"]);
    explain.env("URL", &url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let explain = explain.spawn().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let spec = marula_mongodb::ConnectSpec::parse(&url).unwrap();
        let options = marula_mongodb::SessionOptions::lab();
        let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
        let admin = session.client().database("admin");
        for _ in 0..600 {
            let current = bson::doc! { "currentOp": 1, "active": true, "appName": "marula",
            "command.explain": { "$exists": true }, "secs_running": { "$gte": 1 } };
            let running = admin.run_command(current).await.unwrap();
            if !running.get_array("inprog").unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the command does not run");
    });
    kill(target_of(&home), Signal::KILL);
    let output = explain.wait_with_output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(3), "{stdout}{stderr}");
    assert!(stderr.contains("error: env:URL: "), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["failure"]["kind"], "server_died", "{}", report["failure"]);
    assert_eq!(report["failure"]["place"], "env:URL");
    assert!(report["plan"]["tree"].is_object(), "{stdout}");
    until("the end of everything", || home.processes().is_empty().then_some(()));
}

#[test]
fn a_lab_server_that_dies_in_the_middle_of_a_proof() {
    let slow = "SELECT c.id, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id \
                JOIN order_items i ON i.order_id + 0 = o.id + 0 OR i.quantity > 90 \
                WHERE o.total > 10 GROUP BY c.id ORDER BY 2 DESC LIMIT 5";
    for (engine, program, text) in
        [("postgres", "/postgres", slow), ("mongodb", "/mongod", ENDLESS_PIPELINE)]
    {
        let (home, url) = lab(engine);
        let before = home.processes();
        let mut explain = home.marula(&["explain", "env:URL", text, "--format", "json"]);
        explain.env("URL", &url).stdout(Stdio::piped()).stderr(Stdio::piped());
        let explain = explain.spawn().unwrap();
        let server = until("the lab", || server_of_a_proof(&home, &before, program));
        if engine == "postgres" {
            kill(until("the proof", || busy_backend(server)), Signal::KILL);
        } else {
            std::thread::sleep(Duration::from_secs(4));
            kill(server, Signal::KILL);
        }
        let output = explain.wait_with_output().unwrap();
        let (stdout, stderr) = said(&output);
        assert_eq!(output.status.code(), Some(4), "{engine}: {stdout}{stderr}");
        assert!(stderr.contains("error: the lab's server went away in the middle"), "{stderr}");
        assert!(stderr.contains("= help: check memory and disk space"), "{stderr}");
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(report["failure"]["kind"], "lab");
        assert!(report["plan"]["tree"].is_object(), "{stdout}");
        assert!(!report["findings"].as_array().unwrap().is_empty(), "{stdout}");
        nothing_new(&home, &before);
    }
}

#[test]
fn past_the_timeout_the_estimate_is_explained_and_nothing_runs_on() {
    let (home, url) = lab("postgres");
    let before = home.processes();
    for more in [&["--analyze"][..], &[]] {
        let started = Instant::now();
        let mut explain = home.marula(&["explain", "env:URL", ENDLESS, "--timeout", "2s"]);
        let output = explain.args(more).env("URL", &url).output().unwrap();
        let (stdout, stderr) = said(&output);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{stdout}{stderr}");
        assert!(stdout.contains("did not finish within 2 s"), "{stdout}");
        assert!(stdout.contains("without actual numbers"), "{stdout}");
        assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
        assert_eq!(working(&url), 0);
        nothing_new(&home, &before);
    }
}

#[test]
fn past_the_timeout_a_pipeline_is_cancelled_and_its_estimate_explained() {
    let (home, url) = lab("mongodb");
    let before = home.processes();
    for more in [&["--analyze"][..], &[]] {
        let started = Instant::now();
        let mut explain = home.marula(&["explain", "env:URL", ENDLESS_PIPELINE]);
        explain.args(["--timeout", "2s"]).args(more);
        let output = explain.env("URL", &url).output().unwrap();
        let (stdout, stderr) = said(&output);
        assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
        assert!(stdout.contains("did not finish within 2 s"), "{stdout}");
        assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
        nothing_new(&home, &before);
    }
}

#[test]
fn ctrl_c_in_the_middle_of_a_proof_cleans_the_lab() {
    let (home, url) = lab("postgres");
    let before = home.processes();
    let mut explain = home.marula(&["explain", "env:URL", ENDLESS]);
    explain.env("URL", &url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let explain = explain.spawn().unwrap();
    let server = until("the lab", || server_of_a_proof(&home, &before, "/postgres"));
    until("the proof", || busy_backend(server));
    kill(explain.id(), Signal::INT);
    let output = explain.wait_with_output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(130), "{stdout}{stderr}");
    assert!(stderr.contains("error: interrupted"), "{stderr}");
    nothing_new(&home, &before);
    let run = std::fs::read_dir(home.path().join("run")).unwrap().count();
    assert_eq!(run, 2, "the folder and the lock of the target alone");
}
