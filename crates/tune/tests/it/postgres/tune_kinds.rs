//! What else than plain indexes is picked, each where it is called for: statistics on columns that
//! go together, summaries of ranges of pages.

use marula_core::{ChangeKind, Verdict};
use marula_tune::TuneOptions;

use super::tune::{TRAP, nothing_reads_more, shown, tuned, tuning, ups};
use super::{fresh, set_up};

/// Six columns that always go together: the planner expects one row, twenty thousand come, and for
/// each it goes through the index on `k` to sixty rows.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_on_columns_that_go_together_lead_to_another_plan() {
    let session = fresh(15).await;
    set_up(&session, TRAP).await;
    set_up(&session, "DELETE FROM big WHERE v >= 60").await;
    set_up(&session, "VACUUM FULL big").await;
    set_up(&session, "CREATE INDEX big_k ON big (k); ANALYZE big").await;
    let misled = "SELECT count(big.w) FROM s JOIN big ON big.k = s.k AND big.v = s.v WHERE s.a = 1 AND s.b = 1 AND s.c = 1 AND s.d = 1 AND s.e = 1 AND s.f = 1";
    let wants = "SELECT count(pad) FROM big WHERE k = 7";
    let statements = [(misled, 10), (wants, 10)];
    let options = TuneOptions { budget_bytes: Some(0), ..TuneOptions::default() };
    let report = tuned(&session, &statements, &options).await;
    let change = report.changes.iter().find(|change| change.kind == ChangeKind::Statistics);
    let change = change.unwrap_or_else(|| panic!("{}", shown(&report)));
    assert!(change.up[0].starts_with("CREATE STATISTICS public."), "{:?}", change.up);
    assert!(change.up[0].contains("ON a, b, c, d, e, f FROM public.s"), "{:?}", change.up);
    assert_eq!(change.up[1], "ANALYZE public.s");
    assert_eq!(change.proof.verdict, Verdict::Proven, "{}", change.proof.reason);
    let one = tuning(&report).statements.iter().find(|one| one.statement.text == misled).unwrap();
    assert!(one.uses.contains(&change.id), "{}", shown(&report));
    assert_eq!(one.results_equal, Some(true), "{}", shown(&report));
    let (before, after) = (one.before.reads.unwrap(), one.after.reads.unwrap());
    assert!(after * 5 < before, "{before} → {after}\n{}", shown(&report));
    // Another plan, for another number of rows.
    let ops = |measured: &marula_core::Measurement| {
        let plan = measured.plan.as_ref().unwrap();
        plan.tree.walk().iter().map(|(_, node)| node.op.clone()).collect::<Vec<_>>()
    };
    assert_ne!(ops(&one.before), ops(&one.after), "{}", shown(&report));
    let gained = tuning(&report).picked.iter().find(|picked| picked.change == change.id).unwrap();
    assert!(gained.gain_ms > 0.0);
    let left: i64 = session
        .client()
        .query_one("SELECT count(*) FROM pg_statistic_ext", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0, "nothing is made on the target");
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_change_no_plan_are_turned_down() {
    let session = fresh(15).await;
    set_up(&session, TRAP).await;
    let alone = "SELECT count(*) FROM s WHERE a = 1 AND b = 1 AND c = 1 AND d = 1";
    let options = TuneOptions { budget_bytes: Some(0), ..TuneOptions::default() };
    let report = tuned(&session, &[(alone, 10)], &options).await;
    assert!(ups(&report).is_empty(), "{}", shown(&report));
    let turned = &tuning(&report).turned_down;
    let said = turned.iter().find(|turned| turned.up[0].starts_with("CREATE STATISTICS"));
    assert!(said.is_some_and(|said| said.reason.contains("plan")), "{}", shown(&report));
}

/// A million rows in the order they came: where a B-tree does not fit the budget, the least and
/// the greatest time of each range of pages does.
#[tokio::test(flavor = "multi_thread")]
async fn a_summary_of_pages_is_picked_where_rows_lie_in_order_and_room_is_short() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE log (id bigint NOT NULL, at timestamp NOT NULL, v int NOT NULL, pad text NOT NULL);
         INSERT INTO log SELECT i, timestamp '2026-01-01' + i * interval '1 second', i % 1000, repeat('x', 30) FROM generate_series(1, 1000000) i;
         VACUUM ANALYZE log",
    )
    .await;
    let hour = "SELECT sum(v) FROM log WHERE at >= '2026-01-05 10:00' AND at < '2026-01-05 11:00'";
    let options = TuneOptions { budget_bytes: Some(1 << 20), ..TuneOptions::default() };
    let report = tuned(&session, &[(hour, 100)], &options).await;
    let picked = report.changes.iter().find(|change| change.up[0].contains("USING brin (at)"));
    let picked = picked.unwrap_or_else(|| panic!("{}", shown(&report)));
    assert_eq!(picked.proof.verdict, Verdict::Proven, "{}", picked.proof.reason);
    let bytes = picked.proof.build.unwrap().bytes;
    assert!(bytes > 0 && bytes <= 1 << 20, "{bytes}");
    assert_eq!(tuning(&report).storage.added, bytes);
    let one = &tuning(&report).statements[0];
    assert_eq!(one.results_equal, Some(true), "{}", shown(&report));
    assert!(one.after.reads.unwrap() * 10 < one.before.reads.unwrap(), "{}", shown(&report));
    nothing_reads_more(&report);
}
