//! Every kind of proposal, proved on the lab.

use marula_core::{ChangeKind, Report, Verdict};
use marula_tune::ProveMode;

use super::{explained, fresh, set_up, shown};

pub(super) const ORDERS: &str = "CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, total numeric(10,2) NOT NULL, at timestamp NOT NULL, mail text NOT NULL, note text NOT NULL, data jsonb NOT NULL, tags text[] NOT NULL);
INSERT INTO orders SELECT i, i * 7919 % 9000, CASE WHEN i % 300 = 0 THEN 'refunded' ELSE 'shipped' END, i % 977, timestamp '2025-01-01' + i * interval '5 minutes', 'User' || i || '@example.org', md5(i::text) || repeat('x', 100), jsonb_build_object('k', i % 5000), ARRAY['t' || i % 4000] FROM generate_series(1, 120000) i;
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, city int NOT NULL, code int NOT NULL);
INSERT INTO customers SELECT i, 'c' || i, i % 90, (i % 90) * 10 FROM generate_series(0, 8999) i;
ANALYZE orders; ANALYZE customers;";

/// A proven change whose first statement holds `part`, with equal results.
#[track_caller]
pub(super) fn proves(report: &Report, kind: ChangeKind, part: &str) {
    let found = report.changes.iter().find(|change| {
        change.kind == kind
            && change.up.iter().any(|up| up.contains(part))
            && change.proof.verdict == Verdict::Proven
            && change.proof.results_equal != Some(false)
    });
    assert!(found.is_some(), "no proven {kind:?} with {part}:\n{}", shown(report));
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_of_every_kind_are_proved() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    for (sql, part) in [
        ("SELECT * FROM orders WHERE customer_id = 42 AND total > 500", "(customer_id, total)"),
        (
            "SELECT id, note FROM orders WHERE customer_id < 4000 ORDER BY total DESC, id LIMIT 5",
            "(total DESC, id)",
        ),
        (
            "SELECT * FROM orders WHERE status = 'refunded' ORDER BY total, id",
            "WHERE status = 'refunded'",
        ),
        ("SELECT sum(total) FROM orders WHERE customer_id = 42", "INCLUDE (total)"),
        ("SELECT * FROM orders WHERE lower(mail) = 'user77@example.org'", "(lower(mail))"),
        ("SELECT id FROM orders WHERE note LIKE '%c4ca4238a0b9%'", "gin_trgm_ops"),
        ("SELECT id FROM orders WHERE data @> '{\"k\": 77}'", "jsonb_path_ops"),
        ("SELECT id FROM orders WHERE tags @> ARRAY['t77']", "USING gin (tags)"),
        (
            "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id BETWEEN 5 AND 8",
            "(customer_id)",
        ),
    ] {
        let report = explained(&session, sql, ProveMode::Lab).await;
        proves(&report, ChangeKind::Index, part);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rewrites_are_proved_with_equal_results() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    set_up(
        &session,
        "CREATE TABLE blocked (id int PRIMARY KEY, customer_id int NOT NULL);
INSERT INTO blocked SELECT i, i FROM generate_series(1, 6000) i;
CREATE INDEX orders_at_idx ON orders (at);
ANALYZE blocked;
SET work_mem = '64kB';",
    )
    .await;
    for (sql, part) in [
        (
            "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM blocked)",
            "NOT EXISTS",
        ),
        ("SELECT id, total FROM orders WHERE date_trunc('day', at) = '2025-06-03'", "at >="),
        (
            "SELECT c.id, (SELECT sum(total) FROM orders o WHERE o.customer_id = c.id) AS paid FROM customers c WHERE c.city = 7",
            "LEFT JOIN",
        ),
    ] {
        let report = explained(&session, sql, ProveMode::Lab).await;
        proves(&report, ChangeKind::Rewrite, part);
        let equal = report.changes.iter().filter(|change| change.kind == ChangeKind::Rewrite);
        assert!(equal.clone().count() > 0);
        for change in equal {
            assert_eq!(change.proof.results_equal, Some(true), "{}", shown(&report));
        }
    }
}

/// What statistics gain depends on the plan they lead to; here they are tried, and measured.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_tried() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    set_up(
        &session,
        "CREATE TABLE fresh (id int, customer_id int) WITH (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, i % 9000 FROM generate_series(1, 60000) i;",
    )
    .await;
    let sql = "SELECT count(*) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = 5 AND c.code = 50";
    let report = explained(&session, sql, ProveMode::Lab).await;
    let tried = |report: &Report, part: &str| {
        report.changes.iter().any(|change| {
            change.kind == ChangeKind::Statistics
                && change.up[0].contains(part)
                && change.proof.verdict != Verdict::NotTried
        })
    };
    assert!(tried(&report, "CREATE STATISTICS"), "{}", shown(&report));
    let report = explained(
        &session,
        "SELECT count(*) FROM fresh f JOIN customers c ON c.id = f.customer_id WHERE c.city = 3",
        ProveMode::Lab,
    )
    .await;
    assert!(tried(&report, "ANALYZE public.fresh"), "{}", shown(&report));
}

/// New statistics under which the planner does the same have gained nothing, whatever the clocks
/// say of two runs.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_change_no_plan_are_no_gain() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE points (id int, kind int, data jsonb) WITH (autovacuum_enabled = off);
INSERT INTO points SELECT i, i % 300, jsonb_build_object('k', i % 10) FROM generate_series(1, 60000) i",
    )
    .await;
    let report =
        explained(&session, "SELECT id FROM points WHERE kind = 7 AND id % 2 = 1", ProveMode::Lab)
            .await;
    let analyze =
        report.changes.iter().find(|change| change.up[0] == "ANALYZE public.points").unwrap();
    assert_eq!(analyze.proof.verdict, Verdict::Refuted, "{}", shown(&report));
    assert_eq!(analyze.proof.reason, "no gain: the planner chooses the same plan");
}

/// Types of the database's own are looked up on the connection that is reading the rows.
#[tokio::test(flavor = "multi_thread")]
async fn many_rows_with_types_of_ones_own_are_read_to_the_end() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE place AS (street text, zip int);
CREATE DOMAIN mail AS text CHECK (value LIKE '%@%');
CREATE TABLE people (id int PRIMARY KEY, mood mood, home place, mail mail, team int);
INSERT INTO people SELECT i, 'happy', ROW('s' || i, i)::place, i || '@example.org', i % 40 FROM generate_series(1, 40000) i;
ANALYZE people",
    )
    .await;
    let report = explained(&session, "SELECT * FROM people WHERE team = 7", ProveMode::Lab).await;
    assert!(!report.measured.as_ref().unwrap().timed_out, "{}", shown(&report));
    proves(&report, ChangeKind::Index, "(team)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_gives_costs_and_says_that_they_are_no_times() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    session.client().batch_execute("CREATE EXTENSION hypopg").await.unwrap();
    let report =
        explained(&session, "SELECT * FROM orders WHERE customer_id = 42", ProveMode::WhatIf).await;
    let change = report.changes.iter().find(|c| c.up[0].contains("(customer_id)")).unwrap();
    let cost = |m: &Option<marula_core::Measurement>| m.as_ref().and_then(|m| m.cost).unwrap();
    assert!(cost(&change.proof.after) * 10.0 < cost(&change.proof.before), "{}", shown(&report));
    assert!(change.proof.reason.contains("costs are not times"));
    assert!(change.proof.speedup.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_top_of_many_that_tie_is_compared_with_the_ties_broken() {
    let session = fresh(15).await;
    set_up(&session, ORDERS).await;
    let report = explained(
        &session,
        "SELECT customer_id, total FROM orders WHERE date_trunc('day', at) = '2025-03-01' ORDER BY total DESC LIMIT 5",
        ProveMode::Lab,
    )
    .await;
    let rewrite = report.changes.iter().find(|change| change.kind == ChangeKind::Rewrite).unwrap();
    assert_eq!(rewrite.proof.results_equal, Some(true), "{}", shown(&report));
    let best = report.best.as_ref().unwrap();
    assert_eq!(best.proof.verdict, Verdict::Proven, "{}", best.proof.reason);
    assert!(
        best.proof.reason.contains("with ties broken by the columns returned"),
        "{}",
        best.proof.reason
    );
}
