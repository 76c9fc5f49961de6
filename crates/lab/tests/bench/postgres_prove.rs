use std::time::Duration;

use marula_core::{ChangeKind, Engine, ErrorKind, Quiet, Statement, Verdict};
use marula_lab::bench::Bench as _;
use marula_lab::bench::postgres::PostgresBench;
use marula_lab::prove::{Comparison, Proved, prove};
use marula_lab::{PostgresServer, StartOptions, discover, shared};

use crate::support::{change, copy, index, options, source};

const EVENTS: &str = "
CREATE TABLE events (id int PRIMARY KEY, kind int, at int, note text);
INSERT INTO events SELECT g, g % 1000, g * 7 % 100000, 'note ' || g FROM generate_series(1, 200000) g;
VACUUM ANALYZE events;";

fn sql(text: &str) -> Statement {
    Statement::new(Engine::Postgres, text)
}

async fn bench(major: u16, setup: &str, relations: &[&str]) -> PostgresBench {
    let source = source(major, setup).await;
    copy(&source, relations, "").await
}

async fn proved(
    bench: &mut PostgresBench,
    text: &str,
    changes: Vec<marula_core::Change>,
) -> Proved {
    prove(bench, &sql(text), Comparison::Multiset, changes, &options(20.0), &Quiet).await.unwrap()
}

#[tokio::test]
async fn a_useful_index_is_proven_and_a_useless_one_refuted() {
    for major in [15, 18] {
        let mut bench = bench(major, EVENTS, &["public.events"]).await;
        let changes = vec![
            index("c1", "CREATE INDEX CONCURRENTLY events_kind ON public.events (kind)"),
            index("c2", "CREATE INDEX CONCURRENTLY events_note ON public.events (note)"),
            index("c3", "CREATE INDEX broken ON public.events (no_such_column)"),
        ];
        let statement = "SELECT id, note FROM events WHERE kind = 7";
        let proved = proved(&mut bench, statement, changes).await;
        let verdicts: Vec<_> = proved.changes.iter().map(|c| c.proof.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Proven, Verdict::Refuted, Verdict::Inconclusive],
            "{:#?}",
            proved.changes.iter().map(|c| &c.proof.reason).collect::<Vec<_>>()
        );
        let proof = &proved.changes[0].proof;
        assert_eq!(proof.results_equal, Some(true));
        assert!(proof.build.as_ref().unwrap().bytes > 100_000);
        assert!(proof.speedup.unwrap() > 3.0);
        let after = proof.after.as_ref().unwrap();
        assert_eq!(after.plan.as_ref().unwrap().summary.indexes, ["events_kind"]);
        assert!(proved.changes[1].proof.reason.contains("does not use it"));
        assert!(proved.changes[2].proof.reason.contains("no_such_column"));
        assert_eq!(proved.best.unwrap().changes[0].0, "c1");
        bench.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_rewrite_that_changes_the_results_is_refuted_loudly() {
    let mut bench = bench(15, EVENTS, &["public.events"]).await;
    let rewrite = |id: &str, text: &str| change(id, Engine::Postgres, ChangeKind::Rewrite, &[text]);
    let changes = vec![
        rewrite("c1", "SELECT count(*) FROM events WHERE kind = 8 AND id > 900"),
        rewrite("c2", "SELECT count(*) FROM events WHERE kind = 7"),
        index("c3", "CREATE INDEX events_kind ON public.events (kind)"),
    ];
    let proved =
        proved(&mut bench, "SELECT count(*) FROM events WHERE kind + 0 = 7", changes).await;
    let [wrong, right, _] = proved.changes.as_slice() else { panic!() };
    assert_eq!(wrong.proof.verdict, Verdict::Refuted);
    assert_eq!(wrong.proof.results_equal, Some(false));
    assert!(wrong.proof.reason.contains("RESULTS DIFFER"), "{}", wrong.proof.reason);
    assert_eq!(right.proof.results_equal, Some(true));
    // Neither the rewrite nor the index helps alone; together they do.
    let best = proved.best.unwrap();
    let members: Vec<_> = best.changes.iter().map(|id| id.0.as_str()).collect();
    assert_eq!(members, ["c3", "c2"]);
    assert_eq!(best.statement.as_deref(), Some("SELECT count(*) FROM events WHERE kind = 7"));
    assert_eq!(best.proof.verdict, Verdict::Proven);
}

#[tokio::test]
async fn a_set_keeps_only_members_that_add_something() {
    let setup = "CREATE TABLE a (id int, b_id int, x int); CREATE TABLE b (id int, y int);
      INSERT INTO a SELECT g, g % 50000, g FROM generate_series(1, 300000) g;
      INSERT INTO b SELECT g, g FROM generate_series(1, 300000) g; VACUUM ANALYZE;";
    let mut bench = bench(15, setup, &["public.a", "public.b"]).await;
    let changes = vec![
        index("c1", "CREATE INDEX a_x ON public.a (x)"),
        index("c2", "CREATE INDEX a_x_b ON public.a (b_id, id)"),
        index("c3", "CREATE INDEX b_id ON public.b (id)"),
    ];
    let statement = "SELECT * FROM a JOIN b ON b.id = a.b_id WHERE a.x BETWEEN 100 AND 110";
    let proved = proved(&mut bench, statement, changes).await;
    let best = proved.best.unwrap();
    let members: Vec<_> = best.changes.iter().map(|id| id.0.as_str()).collect();
    assert_eq!(members, ["c1", "c3"], "{}", best.proof.reason);
    assert!(best.proof.speedup.unwrap() > 5.0);
}

#[tokio::test]
async fn switches_and_lasting_changes_come_and_go() {
    for major in [15, 18] {
        let setup = "CREATE TABLE t (id int, kind int);
          INSERT INTO t SELECT g, 1 FROM generate_series(1, 1000) g; ANALYZE t;
          INSERT INTO t SELECT g, g FROM generate_series(1001, 60000) g;";
        let mut bench = bench(major, setup, &["public.t"]).await;
        let statement = sql("SELECT kind FROM t WHERE kind = 1");
        let limit = Duration::from_secs(10);
        let estimate = |plan: &marula_core::Plan| plan.tree.walk().last().unwrap().1.estimated_rows;
        let switch = index("i", "CREATE INDEX t_kind ON public.t (kind)");
        let analyze = change("s", Engine::Postgres, ChangeKind::Statistics, &["ANALYZE public.t"]);
        let vacuum = change("v", Engine::Postgres, ChangeKind::Maintenance, &["VACUUM public.t"]);

        let before = bench.plan(&statement, limit).await.unwrap();
        bench.apply(&switch).await.unwrap().unwrap();
        bench.apply(&analyze).await.unwrap();
        let with = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(with.summary.indexes, ["t_kind"]);
        assert!(estimate(&with).unwrap() < estimate(&before).unwrap() / 2.0);
        bench.set_active(&switch, false).await.unwrap();
        let without = bench.plan(&statement, limit).await.unwrap();
        assert!(without.summary.indexes.is_empty(), "a hidden index was used");
        bench.set_active(&analyze, false).await.unwrap();
        let again = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(estimate(&again), estimate(&before), "ANALYZE was not taken back");

        bench.set_active(&switch, true).await.unwrap();
        bench.set_active(&analyze, true).await.unwrap();
        bench.apply(&vacuum).await.unwrap();
        let fetches = |plan: &marula_core::Plan| {
            plan.tree.walk().iter().find_map(|(_, node)| node.native["Heap Fetches"].as_f64())
        };
        let clean = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(fetches(&clean), Some(0.0), "{clean:#?}");
        for change in [&vacuum, &analyze, &switch] {
            bench.revert(change).await.unwrap();
        }
        let last = bench.plan(&statement, limit).await.unwrap();
        assert_eq!(estimate(&last), estimate(&before));
        bench.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_statement_that_does_not_finish_is_compared_on_a_part() {
    let setup = "SET work_mem = '64kB'; CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE p (o_id int NOT NULL);
      INSERT INTO o SELECT generate_series(1, 40000); INSERT INTO p SELECT g FROM generate_series(1, 80000, 3) g;
      VACUUM ANALYZE;";
    let mut bench = bench(15, setup, &["public.o", "public.p"]).await;
    let slow = "SELECT id FROM o WHERE id NOT IN (SELECT o_id FROM p)";
    let fast = "SELECT id FROM o WHERE NOT EXISTS (SELECT FROM p WHERE o_id = id)";
    let changes = vec![change("c1", Engine::Postgres, ChangeKind::Rewrite, &[fast])];
    let proved =
        prove(&mut bench, &sql(slow), Comparison::Multiset, changes, &options(1.5), &Quiet)
            .await
            .unwrap();
    assert!(proved.baseline.timed_out);
    let proof = &proved.changes[0].proof;
    assert_eq!(proof.verdict, Verdict::Proven, "{}", proof.reason);
    assert_eq!(proof.results_equal, Some(true));
    assert!(proof.before.as_ref().unwrap().timed_out);
    assert!(proof.reason.contains("% of the rows"), "{}", proof.reason);
    assert!(proof.speedup.unwrap() > 5.0);
}

#[tokio::test]
async fn a_plan_that_does_not_finish_is_cut_and_only_estimated() {
    let mut bench = bench(15, EVENTS, &["public.events"]).await;
    let statement = sql("SELECT count(*) FROM events a JOIN events b ON a.note < b.note");
    let started = std::time::Instant::now();
    let plan = bench.plan(&statement, Duration::from_secs(1)).await.unwrap();
    assert!(!plan.executed);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    bench.close().await.unwrap();
}

#[tokio::test]
async fn a_budget_leaves_the_rest_untried() {
    let mut bench = bench(15, EVENTS, &["public.events"]).await;
    let mut options = options(10.0);
    options.budget = Duration::ZERO;
    options.goal_ms = Some(10_000.0);
    let changes = vec![index("c1", "CREATE INDEX e ON public.events (kind)")];
    let statement = sql("SELECT count(*) FROM events");
    let proved = prove(&mut bench, &statement, Comparison::Multiset, changes, &options, &Quiet)
        .await
        .unwrap();
    assert_eq!(proved.changes[0].proof.verdict, Verdict::NotTried);
    assert_eq!(proved.goal.unwrap().met, Some(true));
}

#[tokio::test]
async fn a_server_that_dies_is_an_error_and_leaves_nothing() {
    let source = source(15, EVENTS).await;
    let install = discover::choose(Engine::Postgres, Some(source.version())).unwrap().install;
    let server = PostgresServer::start(&install, &StartOptions::default()).await.unwrap();
    let request = marula_lab::clone::postgres::Request {
        relations: vec!["public.events".into()],
        joins: Vec::new(),
        statement: String::new(),
        limits: marula_lab::clone::CloneLimits::default(),
    };
    let mut bench = marula_lab::clone::postgres::clone(&source, &server.spec(), &request, &Quiet)
        .await
        .unwrap();
    let folder = server.folder().to_owned();
    let killing = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.stop().await;
    });
    let statement = sql("SELECT count(*) FROM events a, events b WHERE a.note || b.note = ''");
    let ended =
        prove(&mut bench, &statement, Comparison::Multiset, Vec::new(), &options(60.0), &Quiet)
            .await;
    let Err(error) = ended else { panic!("the server was dead") };
    assert_eq!(error.kind(), ErrorKind::ServerDied, "{error}");
    killing.await.unwrap();
    assert!(!folder.exists());
    let _ = shared::postgres(15).await.unwrap();
}
