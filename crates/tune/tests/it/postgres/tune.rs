//! Whole workloads: what is picked, what is turned down, what is left out.

use marula_core::{
    Change, Engine, ErrorKind, Progress, Quiet, Report, Statement, Tuning, WeightedStatement,
    Workload,
};
use marula_postgres::Session;
use marula_tune::postgres::tune;
use marula_tune::{Stop, TuneOptions};

use super::proofs::ORDERS;
use super::{fresh, set_up, target};

fn workload(statements: &[(&str, u64)]) -> Workload {
    let statements = statements.iter().map(|(text, calls)| WeightedStatement {
        statement: Statement::new(Engine::Postgres, *text),
        calls: *calls,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    });
    Workload { engine: Engine::Postgres, statements: statements.collect() }
}

pub(super) async fn tuned(
    session: &Session,
    statements: &[(&str, u64)],
    options: &TuneOptions,
) -> Report {
    tune(session, &target(session), &workload(statements), options, &Quiet)
        .await
        .unwrap_or_else(|error| panic!("{error} {:?}", error.hints()))
}

pub(super) fn tuning(report: &Report) -> &Tuning {
    report.tuning.as_ref().unwrap()
}

pub(super) fn ups(report: &Report) -> Vec<String> {
    report.changes.iter().flat_map(|change| change.up.clone()).collect()
}

/// What was picked and why the rest was not, for messages of failed tests.
pub(super) fn shown(report: &Report) -> String {
    let line = |change: &Change| format!("{:?} {}\n", change.up, change.proof.reason);
    let statements = tuning(report).statements.iter().map(|one| {
        format!("{:?} → {:?} {:?} {}\n", one.before.ms, one.after.ms, one.uses, one.statement.text)
    });
    let picked: String = report.changes.iter().map(line).collect();
    format!(
        "{picked}{}{:#?}\n{:#?}\n{:?}",
        statements.collect::<String>(),
        tuning(report).turned_down,
        tuning(report).left_out,
        report.notes
    )
}

/// Reads fall with what was picked, for every statement that uses any of it.
#[track_caller]
pub(super) fn nothing_reads_more(report: &Report) {
    for one in tuning(report).statements.iter().filter(|one| !one.uses.is_empty()) {
        let (before, after) = (one.before.reads.unwrap(), one.after.reads.unwrap());
        assert!(after <= before, "{}: {before} → {after}\n{}", one.statement.text, shown(report));
        assert_ne!(one.results_equal, Some(false), "{}", shown(report));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_expression_and_inverted_indexes_are_picked_where_they_win() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let statements = [
        ("SELECT * FROM orders WHERE customer_id = 42 AND total > 500", 100),
        ("SELECT total FROM orders WHERE customer_id = 77", 100),
        ("SELECT note FROM orders WHERE status = 'refunded' AND total = 5", 100),
        ("SELECT * FROM orders WHERE lower(mail) = 'user77@example.org'", 100),
        ("SELECT id FROM orders WHERE tags @> ARRAY['t77']", 100),
    ];
    let report = tuned(&session, &statements, &TuneOptions::default()).await;
    let ups = ups(&report).join("\n");
    for part in ["(customer_id", "status = 'refunded'", "(lower(mail))", "USING gin (tags)"] {
        assert!(ups.contains(part), "no {part}:\n{}", shown(&report));
    }
    // One index serves both conditions on the customer.
    assert_eq!(ups.matches("(customer_id").count(), 1, "{}", shown(&report));
    nothing_reads_more(&report);
    let told = tuning(&report);
    assert!(told.after_ms < told.before_ms, "{}", shown(&report));
    let gains: Vec<f64> = told.picked.iter().map(|picked| picked.gain_ms).collect();
    assert!(gains.windows(2).all(|pair| pair[0] >= pair[1]), "{gains:?}");
    let built: u64 =
        report.changes.iter().filter_map(|c| c.proof.build.as_ref()).map(|b| b.bytes).sum();
    assert_eq!(built, told.storage.added);
}

/// The planner takes six conditions that say the same for six independent ones, expects one row
/// of `s` and gets 20,000: by the index on `k` it then reads 300 rows for each.
pub(super) const TRAP: &str = "CREATE TABLE s (k int NOT NULL, v int NOT NULL, a int, b int, c int, d int, e int, f int);
INSERT INTO s SELECT i % 1000, i % 300, i % 10, i % 10, i % 10, i % 10, i % 10, i % 10 FROM generate_series(1, 200000) i;
CREATE TABLE big (k int NOT NULL, v int NOT NULL, w int NOT NULL, pad text NOT NULL);
INSERT INTO big SELECT i % 1000, i / 1000, i % 7, repeat('x', 40) FROM generate_series(0, 299999) i;
VACUUM ANALYZE s; VACUUM ANALYZE big;";

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_makes_another_statement_many_times_slower_is_turned_down() {
    let session = fresh(15).await;
    set_up(&session, TRAP).await;
    let wants = "SELECT count(pad) FROM big WHERE k = 7";
    let suffers = "SELECT count(big.w) FROM s JOIN big ON big.k = s.k AND big.v = s.v WHERE s.a = 1 AND s.b = 1 AND s.c = 1 AND s.d = 1 AND s.e = 1 AND s.f = 1";
    let report = tuned(&session, &[(wants, 1000), (suffers, 1)], &TuneOptions::default()).await;
    let told = tuning(&report);
    let trap = told.turned_down.iter().find(|turned| {
        turned.up.concat().contains("ON public.big (k)") && turned.reason.contains("count(big.w)")
    });
    let trap = trap.unwrap_or_else(|| panic!("the trap was not seen:\n{}", shown(&report)));
    assert!(trap.reason.contains("instead of"), "{}", trap.reason);
    assert!(trap.bytes.is_some_and(|bytes| bytes > 0), "it was built: {trap:?}");
    let plain = |up: &String| up.ends_with("ON public.big (k)");
    assert!(!ups(&report).iter().any(plain), "{}", shown(&report));
    let hurt = told.statements.iter().find(|one| one.statement.text == suffers).unwrap();
    assert!(!hurt.after.timed_out, "{}", shown(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_room_there_are_still_drops_and_never_of_what_a_constraint_needs() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    set_up(
        &session,
        "CREATE INDEX orders_customer ON orders (customer_id);
         CREATE INDEX orders_customer_again ON orders (customer_id);
         CREATE INDEX orders_customer_total ON orders (customer_id, total);
         CREATE INDEX orders_id ON orders (id);
         CREATE UNIQUE INDEX orders_mail ON orders (mail);
         CREATE INDEX orders_total ON orders (total);
         CREATE INDEX orders_total_again ON orders (total);
         ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_mail;
         ANALYZE orders",
    )
    .await;
    let options = TuneOptions { budget_bytes: Some(0), ..TuneOptions::default() };
    let statements = [
        ("SELECT * FROM orders WHERE customer_id = 42", 10),
        ("SELECT * FROM orders WHERE note = 'x'", 10),
        ("SELECT count(*) FROM orders WHERE total > 970", 10),
    ];
    let report = tuned(&session, &statements, &options).await;
    let mut dropped: Vec<&str> = report
        .changes
        .iter()
        .filter_map(|change| change.up[0].strip_prefix("DROP INDEX CONCURRENTLY public."))
        .collect();
    dropped.sort_unstable();
    assert_eq!(
        dropped,
        ["orders_customer", "orders_customer_again", "orders_id", "orders_total"],
        "{}",
        shown(&report)
    );
    assert_eq!(tuning(&report).storage.added, 0);
    assert!(tuning(&report).storage.freed > 0);
    for change in &report.changes {
        assert!(change.down[0].starts_with("CREATE INDEX CONCURRENTLY"), "{:?}", change.down);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_take_part_is_left_out_and_writes_are_measured() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    // Room on every page: an update of what no index is over stays on its page.
    set_up(&session, "ALTER TABLE orders SET (fillfactor = 60)").await;
    let statements = [
        ("SELECT * FROM orders WHERE customer_id = 42", 1000),
        ("SELECT * FROM gone WHERE id = 1", 5),
        ("SELECT 1 / (total - total) FROM orders", 5),
        ("VACUUM orders", 5),
        ("SELEC 1", 5),
        ("UPDATE orders SET customer_id = customer_id + 1 WHERE id = 500", 50),
        (
            "INSERT INTO orders SELECT id + 1000000, customer_id, status, total, at, mail, note, data, tags FROM orders WHERE id = 7",
            50,
        ),
        ("DELETE FROM gone", 1),
    ];
    let report = tuned(&session, &statements, &TuneOptions::default()).await;
    let left: Vec<&str> =
        tuning(&report).left_out.iter().map(|left| left.statement.as_str()).collect();
    for part in ["gone WHERE", "1 / (total", "VACUUM", "SELEC 1", "DELETE FROM gone"] {
        assert!(left.iter().any(|left| left.contains(part)), "no {part}: {left:?}");
    }
    assert_eq!(tuning(&report).statements.len(), 1);
    let writes = &tuning(&report).writes;
    assert_eq!(writes.len(), 2, "{writes:?}");
    let update = writes.iter().find(|write| write.operation == "UPDATE").unwrap();
    assert!(ups(&report).concat().contains("(customer_id"), "{}", shown(&report));
    // The new index is over what the update changes.
    assert!(update.hot_before.unwrap() > update.hot_after.unwrap(), "{update:?}");
    let rows: i64 =
        session.client().query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
    assert_eq!(rows, 120_000, "nothing is written to the target");
}

/// Stops the work at the first step that begins so.
struct StopAt(&'static str, Stop);

impl Progress for StopAt {
    fn step(&self, what: &str) {
        if what.starts_with(self.0) {
            self.1.stop();
        }
    }

    fn advance(&self, _: u64, _: u64) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_leaves_the_best_set_proved_until_then() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let statements = workload(&[("SELECT * FROM orders WHERE customer_id = 42", 1000)]);
    let at = async |step| {
        let options = TuneOptions::default();
        let progress = StopAt(step, options.stop.clone());
        tune(&session, &target(&session), &statements, &options, &progress).await
    };
    let report = at("leaving out").await.unwrap();
    assert_eq!(report.failure.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert!(tuning(&report).interrupted);
    assert!(ups(&report).concat().contains("(customer_id"), "{}", shown(&report));
    let early = at("copying").await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Interrupted);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_imagined_indexes_are_built_to_ask_about_them() {
    let session = fresh(18).await;
    set_up(&session, ORDERS).await;
    let statements = [("SELECT * FROM orders WHERE customer_id = 42", 1000)];
    let report = tuned(&session, &statements, &TuneOptions::default()).await;
    assert!(ups(&report).concat().contains("(customer_id"), "{}", shown(&report));
    nothing_reads_more(&report);
}
