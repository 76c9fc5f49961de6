//! How far proposals reach: through subqueries, views, CTEs, HAVING, OR; and where they must not.

use marula_core::{ChangeKind, Verdict};
use marula_tune::ProveMode;

use super::proofs::{ORDERS, proves};
use super::{explained, fresh, rules_of, set_up, shown};

#[tokio::test(flavor = "multi_thread")]
async fn subqueries_of_every_kind_get_their_index() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    for sql in [
        "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders) AND city = 4 AND code = 40 AND id < 500",
        "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AND city = 4 AND code = 40 AND id < 500",
        "SELECT name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AND city = 4 AND code = 40 AND id < 500",
        "SELECT name, (SELECT max(total) FROM orders WHERE customer_id = customers.id) FROM customers WHERE name = 'c77'",
        "SELECT sum(total) FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE name = 'c77')",
        "SELECT sum(total) FROM orders WHERE customer_id = (SELECT id FROM customers WHERE name = 'c77')",
    ] {
        let report = explained(&session, sql, ProveMode::Lab).await;
        proves(&report, ChangeKind::Index, "ON public.orders (customer_id)");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_reach_the_tables_below() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    set_up(
        &session,
        "CREATE VIEW sales AS SELECT o.id AS order_id, o.customer_id AS buyer, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id",
    )
    .await;
    for sql in [
        "SELECT order_id, name FROM sales WHERE buyer = 42",
        "SELECT * FROM (SELECT id, customer_id AS who FROM orders) x WHERE x.who = 42",
        "WITH x AS (SELECT * FROM orders) SELECT id, note FROM x WHERE x.customer_id = 42",
        "SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING customer_id = 42 AND count(*) > 3",
    ] {
        let report = explained(&session, sql, ProveMode::Lab).await;
        proves(&report, ChangeKind::Index, "ON public.orders (customer_id)");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cte_is_merged_and_gets_the_index_its_condition_can_then_use() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let sql =
        "WITH x AS MATERIALIZED (SELECT * FROM orders) SELECT id FROM x WHERE customer_id = 42";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let best = report.best.as_ref().unwrap_or_else(|| panic!("{}", shown(&report)));
    let statement = best.statement.as_ref().unwrap_or_else(|| panic!("{}", shown(&report)));
    assert!(statement.contains("NOT MATERIALIZED"), "{}", shown(&report));
    let plan = best.proof.after.as_ref().unwrap().plan.as_ref().unwrap();
    let scan = plan.tree.walk().into_iter().find(|(_, node)| node.index.is_some());
    assert!(scan.is_some(), "{}", shown(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_an_or_are_proved_together() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let sql = "SELECT id, note FROM orders WHERE customer_id = 42 OR mail = 'User77@example.org'";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let both = report.changes.iter().find(|change| change.up.len() == 2);
    let both = both.unwrap_or_else(|| panic!("{}", shown(&report)));
    assert_eq!(both.proof.verdict, Verdict::Proven, "{}", shown(&report));
    assert_eq!(both.down.len(), 2);
    let plan = both.proof.after.as_ref().unwrap().plan.as_ref().unwrap();
    assert!(plan.tree.walk().iter().any(|(_, node)| node.op == "BitmapOr"), "{}", shown(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn converted_columns_are_found_and_mended() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE readings (id int PRIMARY KEY, n int NOT NULL, label text NOT NULL, at timestamp NOT NULL, body text NOT NULL);
INSERT INTO readings SELECT i, i % 30000, (i % 30000)::text, timestamp '2025-01-01' + i * interval '5 minutes', repeat('x', 80) FROM generate_series(1, 120000) i;
CREATE INDEX readings_n_idx ON readings (n);
CREATE INDEX readings_at_idx ON readings (at);
ANALYZE readings",
    )
    .await;
    for (condition, kind, part) in [
        ("n = 55.0::float8", ChangeKind::Rewrite, "n = 55"),
        ("n = 55.0", ChangeKind::Rewrite, "n = 55"),
        ("n + 1 = 5", ChangeKind::Rewrite, "n = 4"),
        ("n::text = '7'", ChangeKind::Rewrite, "n = 7"),
        ("date(at) = '2025-06-01'", ChangeKind::Rewrite, "at >="),
        ("label::int = 5", ChangeKind::Index, "((label::int))"),
        ("lower(label) = '5'", ChangeKind::Index, "((lower(label)))"),
        ("n * 2 = 10", ChangeKind::Index, "((n * 2))"),
        ("n = 5.5", ChangeKind::Index, "((n::numeric))"),
    ] {
        let sql = format!("SELECT id, body FROM readings WHERE {condition}");
        let report = explained(&session, &sql, ProveMode::Lab).await;
        assert!(rules_of(&report).contains(&"non-sargable"), "{sql}: {}", shown(&report));
        proves(&report, kind, part);
    }
}

/// A rewrite alone gains nothing without an index, nor the index without the rewrite.
#[tokio::test(flavor = "multi_thread")]
async fn a_rewrite_and_the_index_it_makes_usable_are_proved_together() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let sql = "SELECT id, note FROM orders WHERE date_trunc('day', at) = '2025-06-03'";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let index = report.changes.iter().find(|change| change.up[0].contains("ON public.orders (at)"));
    let index = index.unwrap_or_else(|| panic!("{}", shown(&report)));
    assert!(index.conditions.iter().any(|c| c.contains("rewritten")), "{:?}", index.conditions);
    let best = report.best.as_ref().unwrap_or_else(|| panic!("{}", shown(&report)));
    assert_eq!(best.proof.results_equal, Some(true));
    assert!(best.proof.speedup.unwrap() > 5.0, "{}", shown(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_follow_the_type_of_the_column() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE stays (id int PRIMARY KEY, during daterange NOT NULL, origin inet NOT NULL, doc tsvector NOT NULL, tags int[] NOT NULL, spot point NOT NULL, body text NOT NULL);
INSERT INTO stays SELECT i, daterange(date '2000-01-01' + i % 9000, date '2000-01-03' + i % 9000), ('10.' || i % 250 || '.' || i / 250 % 250 || '.0/24')::inet, to_tsvector('english', 'guest w' || i % 5000), ARRAY[i % 4000], point(i % 300, i / 300), repeat('x', 60) FROM generate_series(1, 60000) i;
ANALYZE stays",
    )
    .await;
    for (condition, part) in [
        ("during && '[2020-01-01,2020-01-02)'", "USING gist (during)"),
        ("during @> '2020-01-01'::date", "USING gist (during)"),
        ("origin && '10.7.9.0/24'", "USING gist (origin inet_ops)"),
        ("doc @@ to_tsquery('english', 'w77')", "USING gin (doc)"),
        ("tags && ARRAY[77]", "USING gin (tags)"),
        ("spot <@ box '((5,5),(7,7))'", "USING gist (spot)"),
    ] {
        let sql = format!("SELECT id FROM stays WHERE {condition}");
        let report = explained(&session, &sql, ProveMode::Lab).await;
        proves(&report, ChangeKind::Index, part);
    }
}
