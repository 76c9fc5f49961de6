//! Live PostgreSQL servers: what pg_stat_statements counts, in all and between two reads, and the
//! server's log read on this machine and through the server.

use marula_core::{Engine, ErrorKind, Fingerprint, Quiet, Version};
use marula_lab::discover;
use marula_lab::servers::{PostgresServer, StartOptions};
use marula_logs::postgres::{PostgresLog, between, read_counters, total};
use marula_logs::{Filter, Request, digest};
use marula_postgres::{Session, SessionOptions};

const VERSIONS: [u16; 2] = [15, 18];

async fn server(major: u16, collector: bool) -> PostgresServer {
    let install =
        discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap();
    let mut options = StartOptions::default()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track", "all")
        .setting("log_min_duration_statement", "0");
    if collector {
        options =
            options.setting("logging_collector", "on").setting("log_filename", "server-%H%M%S.log");
    }
    PostgresServer::start(&install, &options).await.unwrap()
}

async fn session(server: &PostgresServer) -> Session {
    Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap()
}

async fn run(session: &Session, sql: &str) {
    session.client().batch_execute(sql).await.unwrap();
}

fn request() -> Request {
    Request { top: 1000, ..Request::default() }
}

fn name_of(sql: &str) -> Fingerprint {
    marula_postgres::sql::parse(sql).unwrap().fingerprint().clone()
}

/// A bounded workload: 30 reads of two shapes, 10 updates, and a function with a query inside.
async fn workload(session: &Session) {
    for n in 0..10 {
        run(session, &format!("SELECT note FROM t WHERE id = {n}")).await;
        run(session, &format!("SELECT id FROM t WHERE id IN ({n}, 1, 2)")).await;
        run(session, &format!("SELECT id FROM t WHERE id IN ({n}, 5, 6, 7, 8)")).await;
        run(session, &format!("UPDATE t SET note = 'x{n}' WHERE id = {n}")).await;
        run(session, &format!("SELECT inner_one({n})")).await;
    }
}

async fn prepare(session: &Session) {
    run(session, "CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats").await;
    run(session, "CREATE TABLE t (id int PRIMARY KEY, note text)").await;
    run(session, "INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 1000) i").await;
    run(
        session,
        "CREATE FUNCTION inner_one(n int) RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN RETURN (SELECT max(note) FROM t WHERE id > n); END $$",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_the_servers_own_and_differences_are_exact() {
    for major in VERSIONS {
        let server = server(major, false).await;
        let (one, two) = (session(&server).await, session(&server).await);
        prepare(&one).await;
        workload(&one).await;
        let snapshot = read_counters(&two, &request()).await.unwrap();
        let (told, notes) = total(&snapshot, "here", &request());
        // The sums the server itself makes, without what asks for them.
        let sums = "SELECT sum(calls)::int8, sum(total_exec_time), sum(rows)::int8,
                           sum(shared_blks_hit + shared_blks_read + local_blks_hit + local_blks_read)::int8
                    FROM stats.pg_stat_statements
                    WHERE toplevel AND query NOT LIKE '%marula reads counters%'
                      AND query NOT LIKE '%pg_catalog.%'";
        let own: i64 = told
            .statements
            .iter()
            .filter(|one| one.samples[0].text.contains("pg_catalog."))
            .map(|one| one.load.calls as i64)
            .sum();
        let row = one.client().query_one(sums, &[]).await.unwrap();
        assert_eq!(told.totals.calls as i64 - own, row.get::<_, i64>(0), "{major}");
        assert!(notes.iter().any(|note| note.contains("inside functions")), "{notes:?}");
        assert!(told.totals.p99_ms.is_none() && told.totals.max_ms.is_some());
        assert!(told.span.is_some());

        let find = |told: &marula_core::Digest, sql: &str| {
            let name = name_of(sql);
            let found: Vec<_> =
                told.statements.iter().filter(|one| one.fingerprint == name).cloned().collect();
            assert_eq!(found.len(), 1, "{major}: {sql}");
            found[0].clone()
        };
        // Two lengths of one list are one statement, as in a log.
        let listed = find(&told, "SELECT id FROM t WHERE id IN (1, 2)");
        assert_eq!(listed.load.calls, 20);
        let by_id = find(&told, "SELECT note FROM t WHERE id = 1");
        let asked = "SELECT calls, total_exec_time, min_exec_time, max_exec_time,
                            stddev_exec_time, rows FROM stats.pg_stat_statements
                     WHERE query = 'SELECT note FROM t WHERE id = $1'";
        let row = one.client().query_one(asked, &[]).await.unwrap();
        assert_eq!(by_id.load.calls as i64, row.get::<_, i64>(0));
        assert_eq!(by_id.load.total_ms, row.get::<_, f64>(1));
        assert_eq!(by_id.load.min_ms, Some(row.get::<_, f64>(2)));
        assert_eq!(by_id.load.max_ms, Some(row.get::<_, f64>(3)));
        assert!((by_id.load.stddev_ms.unwrap() - row.get::<_, f64>(4)).abs() < 1e-9);
        assert_eq!(by_id.load.returned, Some(row.get::<_, i64>(5) as u64));

        // Between two reads: exactly what ran, once a statement is new, once it goes on.
        let before = read_counters(&two, &request()).await.unwrap();
        workload(&one).await;
        run(&one, "SELECT count(*) FROM t").await;
        let after = read_counters(&two, &request()).await.unwrap();
        let (told, notes) = between(&before, &after, "here", &request());
        let calls = |sql: &str| find(&told, sql).load.calls;
        assert_eq!(calls("SELECT note FROM t WHERE id = 1"), 10, "{major}");
        assert_eq!(calls("SELECT id FROM t WHERE id IN (1)"), 20);
        assert_eq!(calls("UPDATE t SET note = 'x' WHERE id = 1"), 10);
        assert_eq!(calls("SELECT inner_one(1)"), 10);
        assert_eq!(calls("SELECT count(*) FROM t"), 1);
        let ours: u64 = told
            .statements
            .iter()
            .filter(|one| one.samples[0].text.contains("pg_catalog."))
            .map(|one| one.load.calls)
            .sum();
        assert_eq!(told.totals.calls - ours, 51, "{major}");
        assert!(notes.iter().any(|note| note.contains("new")), "{notes:?}");

        // A reset in between is said, and what ran since is counted.
        let before = read_counters(&two, &request()).await.unwrap();
        run(&one, "SELECT stats.pg_stat_statements_reset()").await;
        workload(&one).await;
        let after = read_counters(&two, &request()).await.unwrap();
        let (told, notes) = between(&before, &after, "here", &request());
        assert!(notes.iter().any(|note| note.contains("were reset")), "{notes:?}");
        assert_eq!(find(&told, "UPDATE t SET note = 'x' WHERE id = 1").load.calls, 10);

        // Filters that counters know, and those they do not.
        let only = Request {
            filter: Filter { text: Some("COUNT(".into()), ..Filter::default() },
            ..request()
        };
        let (told, _) = total(&after, "here", &only);
        assert!(told.statements.iter().all(|one| one.shape.contains("count(")));
        let no = Request {
            filter: Filter { applications: vec!["x".into()], ..Filter::default() },
            ..request()
        };
        assert_eq!(read_counters(&two, &no).await.unwrap_err().kind(), ErrorKind::Usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_or_extension_it_is_said_what_to_ask_for() {
    for major in VERSIONS {
        let server = server(major, true).await;
        let one = session(&server).await;
        let error = read_counters(&one, &request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.hints().iter().any(|hint| hint.contains("CREATE EXTENSION")), "{error:?}");
        prepare(&one).await;
        run(&one, "CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA stats TO plain").await;
        run(&one, "SELECT 42").await;
        let spec = server.spec().with_user("plain");
        let plain = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let error = read_counters(&plain, &request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
        assert!(error.hints()[0].contains("GRANT pg_read_all_stats TO plain"), "{error:?}");
        // Its own statements it may see.
        let own = Request {
            filter: Filter { users: vec!["plain".into()], ..Filter::default() },
            ..request()
        };
        let (told, _) = total(&read_counters(&plain, &own).await.unwrap(), "here", &own);
        assert!(told.totals.calls > 0);
        assert!(told.statements.iter().all(|one| one.users[0].name == "plain"));

        // The log: the same digest from the files and through the server.
        workload(&one).await;
        let log = PostgresLog::open(&one, None, false, &Quiet).await.unwrap();
        let whole =
            || digest(&Request { inputs: log.log.inputs.clone(), ..request() }, &Quiet).unwrap();
        // The collector is a process of its own, which writes a little later.
        let last = name_of("SELECT inner_one(1)");
        let mut files = whole();
        for _ in 0..600 {
            let found = files.statements.iter().find(|one| one.fingerprint == last);
            if found.is_some_and(|one| one.load.calls == 10) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            files = whole();
        }
        assert!(files.totals.calls >= 50);
        let through = PostgresLog::open_through_server(&one, false, &Quiet).await.unwrap();
        let copies =
            digest(&Request { inputs: through.log.inputs.clone(), ..request() }, &Quiet).unwrap();
        let name = name_of("UPDATE t SET note = 'x' WHERE id = 1");
        for told in [&files, &copies] {
            let one = told.statements.iter().find(|one| one.fingerprint == name).unwrap();
            assert_eq!(one.load.calls, 10, "{major}");
        }
        let error = PostgresLog::open(&plain, None, false, &Quiet).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.hints()[0].contains("GRANT pg_monitor TO plain"), "{error:?}");
        // With these two rights, and no others, it may.
        run(&one, "GRANT pg_monitor TO plain").await;
        let grant = "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean)";
        run(&one, &format!("{grant} TO plain")).await;
        let granted = PostgresLog::open_through_server(&plain, false, &Quiet).await.unwrap();
        assert_eq!(granted.log.inputs.len(), through.log.inputs.len());

        // Followed through the server: what comes, also in a file begun since.
        let mut followed = PostgresLog::open_through_server(&plain, true, &Quiet).await.unwrap();
        let mut follow = marula_logs::Follow::begin(
            &Request { inputs: followed.log.inputs.clone(), ..request() },
            std::time::Duration::from_secs(600),
        )
        .unwrap();
        let mut seen = 0;
        for turn in 0..2 {
            for n in 0..7 {
                run(&one, &format!("SELECT {turn} + {n} AS followed")).await;
            }
            let wanted = 7 * (turn + 1);
            for _ in 0..100 {
                for file in followed.refresh(&plain).await.unwrap() {
                    follow.add(file);
                }
                let told = follow.poll();
                let name = name_of("SELECT 1 + 2 AS followed");
                let found = told.statements.iter().find(|one| one.fingerprint == name);
                seen = found.map_or(0, |one| one.load.calls);
                if seen >= wanted {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            assert_eq!(seen, wanted, "{major}: turn {turn}");
            // The name of the next file tells the second.
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            run(&one, "SELECT pg_rotate_logfile()").await;
        }
        // What a service like RDS keeps from SQL is refused by its name.
        run(&one, "CREATE ROLE rds_superuser").await;
        let error = PostgresLog::open(&one, None, false, &Quiet).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.message().contains("Amazon RDS"));
        assert!(error.hints()[0].contains("aws rds download-db-log-file-portion"));
    }
}
