//! The logs of real servers: three formats of the same run agree with each other and with
//! pg_stat_statements.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use marula_core::{Digest, Engine, EventKind, Quiet, Version};
use marula_lab::discover;
use marula_lab::servers::{PostgresServer, StartOptions};
use marula_logs::{Request, digest};
use marula_postgres::{Session, SessionOptions};

fn read(path: &Path) -> Digest {
    let request =
        Request { inputs: vec![path.to_owned()], top: 1000, threads: 2, ..Request::default() };
    digest(&request, &Quiet).unwrap()
}

async fn session(server: &PostgresServer) -> Session {
    Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap()
}

async fn run(session: &Session, sql: &str) {
    session.client().batch_execute(sql).await.unwrap();
}

async fn fails(session: &Session, sql: &str) {
    session.client().batch_execute(sql).await.unwrap_err();
}

fn settings(options: StartOptions) -> StartOptions {
    [
        ("logging_collector", "on"),
        ("log_destination", "stderr,csvlog,jsonlog"),
        ("log_directory", "logs"),
        ("log_filename", "server.log"),
        ("log_line_prefix", "%m [%p] %q%u@%d app=%a %e "),
        ("log_min_duration_statement", "0"),
        ("log_lock_waits", "on"),
        ("deadlock_timeout", "50ms"),
        ("log_temp_files", "0"),
        ("log_checkpoints", "on"),
        ("log_connections", "on"),
        ("log_disconnections", "on"),
        ("log_autovacuum_min_duration", "0"),
        ("shared_preload_libraries", "pg_stat_statements,auto_explain"),
        ("auto_explain.log_min_duration", "-1"),
        ("pg_stat_statements.max", "5000"),
    ]
    .into_iter()
    .fold(options, |options, (name, value)| options.setting(name, value))
}

async fn until_somebody_waits(session: &Session) {
    let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    for _ in 0..2_000 {
        if session.client().query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for a lock");
}

/// Statements, errors, locks: everything a log can hold.
async fn workload(server: &PostgresServer) {
    let (one, two, three) = (session(server).await, session(server).await, session(server).await);
    run(&one, "CREATE TABLE t (id int PRIMARY KEY, a int, note text)").await;
    run(&one, "INSERT INTO t SELECT i, i % 100, repeat('x', 50) FROM generate_series(1, 20000) i")
        .await;
    let by_id =
        one.client().prepare("SELECT note FROM t WHERE id = $1 AND note <> $2").await.unwrap();
    for id in 0..40i32 {
        one.client().query(&by_id, &[&id, &"it's"]).await.unwrap();
        run(
            &one,
            &format!(
                "SELECT count(*)\n\tFROM t\nWHERE a = {id} -- 'note\n  AND note <> 'o''k {id}'"
            ),
        )
        .await;
        let list: Vec<_> = (0..=id).map(|n| n.to_string()).collect();
        run(&one, &format!("SELECT id FROM t WHERE id IN ({})", list.join(", "))).await;
        run(&two, &format!("UPDATE t SET a = a + {id} WHERE id = {id}")).await;
        let rows: Vec<_> =
            (0..3).map(|n| format!("({}, 1, 'ä\"{n}')", 30000 + id * 3 + n)).collect();
        run(&two, &format!("INSERT INTO t VALUES {}", rows.join(","))).await;
    }
    run(&one, "SET work_mem = '64kB'").await;
    run(&one, "SELECT * FROM (SELECT id, note FROM t ORDER BY note, id DESC) s OFFSET 19000").await;
    fails(&one, "SELECT 1 / 0").await;
    fails(&one, "SELECT * FROM nowhere").await;
    run(&two, "SET statement_timeout = '300ms'").await;
    fails(&two, "SELECT pg_sleep(3)").await;
    run(&two, "RESET statement_timeout").await;
    // A wait that ends with the lock, and a deadlock.
    run(&one, "BEGIN").await;
    run(&one, "UPDATE t SET a = 1 WHERE id = 1").await;
    let waits = async {
        run(&two, "BEGIN").await;
        run(&two, "UPDATE t SET a = 2 WHERE id = 2").await;
        run(&two, "UPDATE t SET a = 2 WHERE id = 1").await;
    };
    let releases = async {
        // The wait lasts that long from its begin, however late that is.
        until_somebody_waits(&three).await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        run(&one, "COMMIT").await;
    };
    tokio::join!(waits, releases);
    run(&one, "BEGIN").await;
    run(&one, "UPDATE t SET a = 1 WHERE id = 3").await;
    let first = async {
        let _ = two.client().batch_execute("UPDATE t SET a = 2 WHERE id = 3").await;
    };
    let second = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = one.client().batch_execute("UPDATE t SET a = 1 WHERE id = 2").await;
    };
    tokio::join!(first, second);
    run(&one, "ROLLBACK").await;
    run(&two, "ROLLBACK").await;
    for format in ["text", "json"] {
        run(&one, "SET auto_explain.log_min_duration = 0").await;
        run(&one, "SET auto_explain.log_analyze = on").await;
        run(&one, "SET auto_explain.log_buffers = on").await;
        run(&one, &format!("SET auto_explain.log_format = {format}")).await;
        run(&one, "SELECT t.id, u.note FROM t JOIN t u ON u.id = t.a WHERE t.id < 10").await;
        run(&one, "SET auto_explain.log_min_duration = -1").await;
    }
    run(&one, "CHECKPOINT").await;
}

/// Calls and milliseconds by the parser's fingerprint, as the server counted them.
async fn counted(server: &PostgresServer) -> BTreeMap<String, (u64, f64)> {
    let session = session(server).await;
    let sql = "SELECT query, calls, total_exec_time FROM pg_stat_statements WHERE toplevel";
    let mut counted = BTreeMap::<String, (u64, f64)>::new();
    for row in session.client().query(sql, &[]).await.unwrap() {
        let (query, calls, ms): (String, i64, f64) = (row.get(0), row.get(1), row.get(2));
        if query.starts_with("SET ") {
            // A session begins with several in one text, which is one statement in the log.
            continue;
        }
        let name = marula_postgres::sql::parse(&query).unwrap().fingerprint().0.clone();
        let sum = counted.entry(name).or_default();
        sum.0 += calls as u64;
        sum.1 += ms;
    }
    counted
}

fn event(digest: &Digest, kind: EventKind) -> &marula_core::EventDigest {
    digest.events.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("{kind:?}"))
}

fn check(digest: &Digest, counted: &BTreeMap<String, (u64, f64)>, what: &str) {
    let source = &digest.sources[0];
    assert_eq!(source.unread, 0, "{what}: {source:?}");
    let mut compared = 0;
    for (name, (calls, ms)) in counted {
        let Some(told) = digest.statements.iter().find(|told| told.fingerprint.0 == *name) else {
            panic!(
                "{what}: {name} is not in {:#?}",
                digest.statements.iter().map(|s| (&s.fingerprint.0, &s.shape)).collect::<Vec<_>>()
            );
        };
        assert_eq!(told.load.calls, *calls, "{what}: {}", told.shape);
        // The log's duration is of planning and sending, too.
        assert!(
            told.load.total_ms >= ms * 0.99,
            "{what}: {} {} {ms}",
            told.shape,
            told.load.total_ms
        );
        compared += 1;
    }
    assert!(compared > 15, "{what}: {compared}");
    let told = |text: &str| digest.statements.iter().find(|s| s.shape.starts_with(text)).unwrap();
    let bound = told("SELECT note FROM t WHERE id = $1 AND note <> $2");
    assert_eq!(bound.load.calls, 40);
    let values: Vec<_> = bound.samples[0].parameters.iter().map(|p| p.value.clone()).collect();
    assert_eq!(values[1].as_deref(), Some("it's"), "{what}");
    let planned = told("SELECT t.id, u.note FROM t JOIN t u");
    assert_eq!((planned.load.calls, planned.load.returned), (2, Some(18)), "{what}");
    assert!(planned.load.reads.unwrap() > 0 && planned.samples[0].plan.is_some(), "{what}");
    assert!(
        told("SELECT * FROM (SELECT id, note FROM t").load.temp_bytes.unwrap() > 8192,
        "{what}"
    );
    assert!(event(digest, EventKind::LockWait).count >= 1, "{what}");
    let waits = event(digest, EventKind::LockWait);
    assert!(waits.max.unwrap() > 150.0, "{what}: {waits:?}");
    assert_eq!(event(digest, EventKind::Deadlock).count, 1, "{what}");
    assert_eq!(event(digest, EventKind::Cancelled).count, 1, "{what}");
    assert!(event(digest, EventKind::TempFile).total.unwrap() > 8192.0, "{what}");
    assert!(event(digest, EventKind::Checkpoint).count >= 1, "{what}");
    assert!(event(digest, EventKind::Connected).count >= 3, "{what}");
    assert!(event(digest, EventKind::Disconnected).count >= 2, "{what}");
    assert_eq!(event(digest, EventKind::Started).count, 1, "{what}");
    for code in ["22012", "42P01", "57014", "40P01"] {
        let told = digest.errors.iter().filter(|error| error.code.as_deref() == Some(code));
        assert_eq!(told.map(|error| error.count).sum::<u64>(), 1, "{what}: {code}");
    }
}

async fn of_version(major: u16) {
    let install =
        discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap();
    let server = PostgresServer::start(&install, &settings(StartOptions::default())).await.unwrap();
    server.execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
    workload(&server).await;
    let counted = counted(&server).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let logs = server.folder().join("data/logs");
    let of = |end: &str| -> PathBuf { logs.join(format!("server.{end}")) };
    let digests = [read(&of("log")), read(&of("csv")), read(&of("json"))];
    for (digest, format) in digests.iter().zip(["stderr", "csvlog", "jsonlog"]) {
        let source = &digest.sources[0];
        assert_eq!(
            source.format.as_deref(),
            Some(format!("postgres {format}").as_str()),
            "{source:?}"
        );
        check(digest, &counted, &format!("{format} of {major}"));
        assert_eq!(digest.totals, digests[0].totals, "{format} of {major}");
    }
    other_prefixes(&server, &logs).await;
    server.stop().await;
}

/// The same few statements under other prefixes, found out and given.
async fn other_prefixes(server: &PostgresServer, logs: &Path) {
    let prefixes = [
        "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        "%t:%r:%u@%d:[%p]:",
        "%n|%p|%c|%l|%s|%v|%x|%q%i|%r|%u|%d|",
        "%m %P %Q %b [%p] %q%u@%d ",
        "%e %m [%-7p] ",
        "%m [%p] %b %Q %u@%d ",
    ];
    for (number, prefix) in prefixes.into_iter().enumerate() {
        server.execute(&format!("ALTER SYSTEM SET log_line_prefix = '{prefix}'")).await.unwrap();
        server.execute(&format!("ALTER SYSTEM SET log_filename = 'p{number}.log'")).await.unwrap();
        server.execute("SELECT pg_reload_conf()").await.unwrap();
        let path = logs.join(format!("p{number}.log"));
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if path.exists() {
                break;
            }
        }
        let session = session(server).await;
        for value in 0..20 {
            run(&session, &format!("SELECT a\nFROM t WHERE id = {value}")).await;
        }
        let by_id = session.client().prepare("SELECT note FROM t WHERE id = $1").await.unwrap();
        for id in 0..7i32 {
            session.client().query(&by_id, &[&id]).await.unwrap();
        }
        fails(&session, "SELECT 1 / 0").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        if number == 0 {
            agrees_with_pgbadger(&path, prefix);
        }
        let told = |given: Option<&str>| {
            let inputs = vec![path.clone()];
            let prefix = given.map(str::to_owned);
            let request = Request { inputs, prefix, top: 1000, ..Request::default() };
            let digest = digest(&request, &Quiet).unwrap();
            let statement =
                digest.statements.iter().find(|s| s.shape == "SELECT a FROM t WHERE id = $1");
            statement.map_or_else(|| panic!("{given:?}: {digest:#?}"), Clone::clone)
        };
        let given = told(Some(prefix));
        assert_eq!(given.load.calls, 20, "{prefix}");
        let user = prefix.contains("%u").then(|| given.users[0].name.clone());
        assert_eq!(user.is_some(), !given.users.is_empty(), "{prefix}");
        let found = told(None);
        assert_eq!(found.load.calls, 20, "{prefix}");
        assert_eq!(found.users, given.users, "{prefix}");
        assert_eq!(found.databases, given.databases, "{prefix}");
    }
}

/// pgBadger 12 counts every LOG entry with a statement as a query, so that a statement and its later
/// duration, or a plan and its run, are two; durations of parsing and binding it keeps apart. This
/// log has a statement with its duration in one entry and no plans: everything is comparable.
// What is left out has to be seen in the output of a run.
#[allow(clippy::print_stderr)]
fn agrees_with_pgbadger(log: &Path, prefix: &str) {
    let report = log.with_extension("pgbadger.json");
    let ran = std::process::Command::new("pgbadger")
        .args(["-q", "-f", "stderr", "-x", "json", "-p", prefix, "-o"])
        .args([&report, log])
        // It runs once for each such folder.
        .arg("--pid-dir")
        .args(log.parent())
        .status();
    match ran {
        Ok(status) => assert!(status.success()),
        Err(error) => return eprintln!("left out: pgBadger is not here ({error})"),
    }
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let theirs = &report["overall_stat"];
    let ours = read(log);
    assert_eq!(theirs["queries_number"], ours.totals.calls, "{ours:#?}");
    let micros = |ms: f64| (ms * 1000.0).round() as u64;
    let took = theirs["postgres"]["queries_duration"]["execute"].as_f64().unwrap();
    assert_eq!(micros(took), micros(ours.totals.total_ms));
    let errors: u64 = ours.errors.iter().map(|error| error.count).sum();
    assert_eq!(theirs["errors_number"], errors);
    assert!(errors > 0 && ours.totals.calls > 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_15() {
    of_version(15).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_18() {
    of_version(18).await;
}
