//! Aggregating before joining: where it gains it is proved, where it loses it is told so.

use marula_core::{ChangeKind, Verdict};
use marula_tune::ProveMode;

use super::{explained, fresh, set_up, shown};

const SALES: &str = "CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL, pad text NOT NULL);
INSERT INTO shops SELECT i, 'shop ' || i % 40, repeat('x', 300) FROM generate_series(1, 400) i;
CREATE TABLE sales (id int PRIMARY KEY, shop_id int NOT NULL, n int NOT NULL, amount numeric(10,2) NOT NULL);
INSERT INTO sales SELECT i, 1 + i % 400, i % 9, i % 1000 FROM generate_series(1, 400000) i;
VACUUM ANALYZE shops; VACUUM ANALYZE sales; SET max_parallel_workers_per_gather = 0;";

#[tokio::test(flavor = "multi_thread")]
async fn grouping_by_a_wide_value_is_quicker_after_grouping_by_the_key() {
    let session = fresh(15).await;
    set_up(&session, SALES).await;
    let sql = "SELECT s.name || s.pad AS shop, sum(f.n), count(*), max(f.amount) FROM sales f JOIN shops s ON s.id = f.shop_id GROUP BY s.name, s.pad";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let early = report.changes.iter().find(|change| {
        change.kind == ChangeKind::Rewrite && change.title.contains("before they are joined")
    });
    let early = early.unwrap_or_else(|| panic!("{}", shown(&report)));
    assert_eq!(early.proof.results_equal, Some(true), "{}", shown(&report));
    assert_eq!(early.proof.verdict, Verdict::Proven, "{}", shown(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_few_rows_are_left_by_the_join_it_is_not_proven() {
    let session = fresh(15).await;
    set_up(&session, SALES).await;
    set_up(&session, "CREATE INDEX sales_shop ON sales (shop_id)").await;
    // Ten shops of four hundred: their rows are found by the index, and the rest never summed up.
    let sql = "SELECT s.name, sum(f.n) FROM sales f JOIN shops s ON s.id = f.shop_id WHERE s.name = 'shop 7' GROUP BY s.name";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let early =
        report.changes.iter().find(|change| change.title.contains("before they are joined"));
    assert!(early.is_none_or(|early| early.proof.verdict != Verdict::Proven), "{}", shown(&report));
}
