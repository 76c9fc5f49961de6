#![allow(clippy::unwrap_used, clippy::panic)]

mod bare_column;
mod blocks;
mod early_groups;

use super::super::fixture::{catalog, parse};
use super::{Session, rewrites};

fn rewritten(sql: &str, zone: &str) -> Vec<(String, String)> {
    let session = Session { time_zone: Some(zone.into()) };
    rewrites(&parse(sql), &catalog(), &session)
        .into_iter()
        .map(|rewritten| (rewritten.name, rewritten.proposal.up[0].clone()))
        .collect()
}

fn only(sql: &str) -> String {
    let mut found = rewritten(sql, "UTC");
    assert_eq!(found.len(), 1, "{sql}: {found:?}");
    found.pop().unwrap().1
}

#[test]
fn not_in_becomes_not_exists_where_nothing_can_be_null() {
    assert_eq!(
        only(
            "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE total > 5)"
        ),
        "SELECT id FROM customers WHERE NOT EXISTS (SELECT 1 FROM orders WHERE total > 5 AND customers.id = orders.customer_id)"
    );
    assert_eq!(
        only("SELECT c.id FROM customers c WHERE c.id <> ALL (SELECT o.customer_id FROM orders o)"),
        "SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE c.id = o.customer_id)"
    );
}

#[test]
fn not_in_stays_where_a_null_would_change_its_meaning() {
    for sql in [
        // The subquery's column may be NULL.
        "SELECT id FROM customers WHERE id NOT IN (SELECT referred_by FROM customers r)",
        // The outer column may be NULL.
        "SELECT id FROM customers WHERE referred_by NOT IN (SELECT customer_id FROM orders)",
        // A LEFT JOIN may make the outer column NULL.
        "SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.customer_id NOT IN (SELECT r.id FROM customers r)",
        // A LEFT JOIN inside may make the inner column NULL.
        "SELECT id FROM customers WHERE id NOT IN (SELECT o.customer_id FROM customers x LEFT JOIN orders o ON o.customer_id = x.id)",
        // The outer name would mean another table inside.
        "SELECT id FROM orders WHERE id NOT IN (SELECT customer_id FROM orders)",
        // An expression, an aggregate, a LIMIT.
        "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id + 1 FROM orders)",
        "SELECT id FROM customers WHERE id NOT IN (SELECT max(customer_id) FROM orders)",
        "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders LIMIT 3)",
        // A function that may answer differently each time.
        "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE total > random())",
        // The name belongs to a CTE, not to the table.
        "WITH orders AS (SELECT NULL::bigint AS customer_id) SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
    ] {
        let found = rewritten(sql, "UTC");
        assert!(found.iter().all(|(name, _)| !name.contains("not-in")), "{sql}: {found:?}");
    }
}

#[test]
fn a_not_null_that_was_never_validated_proves_nothing() {
    let mut catalog = catalog();
    catalog.relations[0].constraints.push(marula_core::Constraint {
        name: "orders_customer_id_not_null".into(),
        kind: marula_core::ConstraintKind::NotNull,
        columns: vec!["customer_id".into()],
        references: None,
        referenced_columns: Vec::new(),
        definition: "NOT NULL customer_id NOT VALID".into(),
        validated: false,
    });
    let sql = "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)";
    assert!(rewrites(&parse(sql), &catalog, &Session::default()).is_empty());
}

#[test]
fn a_cut_off_time_becomes_a_range() {
    for (condition, range) in [
        (
            "date_trunc('day', placed_at) = '2026-02-28'",
            "placed_at >= '2026-02-28'::timestamp AND placed_at < '2026-03-01'::timestamp",
        ),
        (
            "date_trunc('quarter', o.placed_at) = timestamp '2025-10-01'",
            "o.placed_at >= '2025-10-01'::timestamp AND o.placed_at < '2026-01-01'::timestamp",
        ),
        (
            "'2026-02-02' = date_trunc('week', placed_at)",
            "placed_at >= '2026-02-02'::timestamp AND placed_at < '2026-02-09'::timestamp",
        ),
        (
            "placed_at::date = '2024-02-29'",
            "placed_at >= '2024-02-29'::timestamp AND placed_at < '2024-03-01'::timestamp",
        ),
        (
            "extract(year from placed_at) = 2025",
            "placed_at >= '2025-01-01'::timestamp AND placed_at < '2026-01-01'::timestamp",
        ),
        ("date_trunc('month', placed_at) > '2026-01-01'", "placed_at >= '2026-02-01'::timestamp"),
        ("date_trunc('month', placed_at) <= '2026-01-01'", "placed_at < '2026-02-01'::timestamp"),
        (
            "date_trunc('hour', placed_at) = '2026-01-01 23:00:00'",
            "placed_at >= '2026-01-01 23:00:00'::timestamp AND placed_at < '2026-01-02'::timestamp",
        ),
        (
            "date_trunc('day', seen_at) = '2026-02-28'",
            "seen_at >= '2026-02-28 00:00:00+00'::timestamp with time zone AND seen_at < '2026-03-01 00:00:00+00'::timestamp with time zone",
        ),
    ] {
        let new = only(&format!("SELECT id FROM orders o WHERE {condition}"));
        assert_eq!(new, format!("SELECT id FROM orders o WHERE {range}"));
    }
}

#[test]
fn a_time_is_left_alone_where_the_range_would_mean_something_else() {
    for (condition, zone) in [
        // Summer time: a day is not always 24 hours, and other sessions may differ.
        ("date_trunc('day', seen_at) = '2026-02-28'", "Europe/Berlin"),
        // Never true.
        ("date_trunc('month', placed_at) = '2026-02-03'", "UTC"),
        // Not a plain date.
        ("date_trunc('day', placed_at) = '2026-02-28 00:00:00+02'", "UTC"),
        ("date_trunc('day', placed_at) = now()", "UTC"),
        ("date_trunc('day', placed_at) = 'infinity'", "UTC"),
        // Not a time.
        ("date_trunc('day', note::timestamp) = '2026-02-28'", "UTC"),
        ("date_trunc('century', placed_at) = '2001-01-01'", "UTC"),
        ("date_trunc('day', placed_at) <> '2026-02-28'", "UTC"),
    ] {
        let sql = format!("SELECT id FROM orders WHERE {condition}");
        assert_eq!(rewritten(&sql, zone), [], "{sql}");
    }
}

#[test]
fn a_correlated_aggregate_becomes_a_grouped_join() {
    assert_eq!(
        only(
            "SELECT c.id, (SELECT sum(total) FROM orders o WHERE o.customer_id = c.id AND o.status = 'paid') AS paid FROM customers c"
        ),
        "SELECT c.id, grouped_1.value AS paid FROM customers c LEFT JOIN (SELECT o.customer_id AS key_1, sum(total) AS value FROM orders o WHERE o.status = 'paid' GROUP BY o.customer_id) grouped_1 ON grouped_1.key_1 = c.id"
    );
    assert_eq!(
        only(
            "SELECT c.id, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c WHERE c.email LIKE 'a%'"
        ),
        "SELECT c.id, COALESCE(grouped_1.value, 0) AS count FROM customers c LEFT JOIN (SELECT o.customer_id AS key_1, count(*) AS value FROM orders o GROUP BY o.customer_id) grouped_1 ON grouped_1.key_1 = c.id WHERE c.email LIKE 'a%'"
    );
    assert_eq!(
        only(
            "SELECT o.id FROM orders o WHERE o.total > (SELECT avg(p.total) FROM orders p WHERE p.customer_id = o.customer_id)"
        ),
        "SELECT o.id FROM orders o LEFT JOIN (SELECT p.customer_id AS key_1, avg(p.total) AS value FROM orders p GROUP BY p.customer_id) grouped_1 ON grouped_1.key_1 = o.customer_id WHERE o.total > grouped_1.value"
    );
}

#[test]
fn a_joined_aggregate_keeps_the_names_of_the_statement() {
    // The server calls the column `max`, and the block around reads it by that name.
    assert_eq!(
        only(
            "SELECT t.max FROM (SELECT c.id, (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) FROM customers c) t"
        ),
        "SELECT t.max FROM (SELECT c.id, grouped_1.value AS max FROM customers c LEFT JOIN (SELECT o.customer_id AS key_1, max(total) AS value FROM orders o GROUP BY o.customer_id) grouped_1 ON grouped_1.key_1 = c.id) t"
    );
    // `value`, `key_1` and `grouped_1` are taken.
    assert_eq!(
        only(
            "SELECT value, key_1, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS n FROM customers c, pairs grouped_1"
        ),
        "SELECT value, key_1, COALESCE(grouped_1_.value_, 0) AS n FROM customers c LEFT JOIN (SELECT o.customer_id AS key_1_, count(*) AS value_ FROM orders o GROUP BY o.customer_id) grouped_1_ ON grouped_1_.key_1_ = c.id, pairs grouped_1"
    );
}

#[test]
fn an_aggregate_stays_where_the_join_would_mean_something_else() {
    for sql in [
        // Not an equality, two outer columns, another type.
        "SELECT (SELECT sum(total) FROM orders o WHERE o.customer_id > c.id) FROM customers c",
        "SELECT (SELECT sum(total) FROM orders o WHERE o.note = c.id::text) FROM customers c",
        // The outer column stands inside the aggregate.
        "SELECT (SELECT sum(total + c.id) FROM orders o WHERE o.customer_id = c.id) FROM customers c",
        // Could fail for groups nobody asks for.
        "SELECT (SELECT sum(total / (id - 7)) FROM orders o WHERE o.customer_id = c.id) FROM customers c",
        // Depends on the order of the rows.
        "SELECT (SELECT string_agg(note, ',') FROM orders o WHERE o.customer_id = c.id) FROM customers c",
        // Already grouped, or a star that would grow.
        "SELECT c.email, count(*), (SELECT sum(total) FROM orders o WHERE o.customer_id = c.id) FROM customers c GROUP BY c.email, c.id",
        "SELECT *, (SELECT sum(total) FROM orders o WHERE o.customer_id = customers.id) FROM customers",
        "SELECT (SELECT sum(total) FROM orders o WHERE o.customer_id = c.id GROUP BY o.status) FROM customers c",
        "SELECT (SELECT sum(total) FROM orders o WHERE o.customer_id = c.id LIMIT 1) FROM customers c",
    ] {
        assert_eq!(rewritten(sql, "UTC"), [], "{sql}");
    }
}

#[test]
fn several_rewrites_are_offered_together_too() {
    let found = rewritten(
        "SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE date_trunc('day', o.placed_at) = '2026-02-28' AND c.id NOT IN (SELECT x.customer_id FROM orders x)",
        "UTC",
    );
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "not-in-to-not-exists+truncated-time-to-range",
            "not-in-to-not-exists",
            "truncated-time-to-range"
        ]
    );
    assert!(found[0].1.contains("NOT EXISTS") && found[0].1.contains("placed_at <"));
}

#[test]
fn a_materialized_cte_may_be_merged() {
    assert_eq!(
        only("WITH r AS MATERIALIZED (SELECT * FROM orders) SELECT * FROM r WHERE id = 7"),
        "WITH r AS NOT MATERIALIZED (SELECT * FROM orders) SELECT * FROM r WHERE id = 7"
    );
    let volatile = "WITH r AS MATERIALIZED (SELECT random() AS x FROM orders) SELECT * FROM r";
    assert_eq!(rewritten(volatile, "UTC"), []);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]

    /// Whatever is offered parses again, whatever it is built into.
    #[test]
    fn what_is_offered_always_parses(
        parts in proptest::collection::vec(0usize..8, 1..5),
        nest in 0usize..3,
    ) {
        let pool = [
            "c.id NOT IN (SELECT customer_id FROM orders)",
            "date_trunc('month', o.placed_at) = '2026-02-01'",
            "o.total > (SELECT avg(p.total) FROM orders p WHERE p.customer_id = c.id)",
            "c.email LIKE 'a%'",
            "o.\"status\" IN ('paid', 'it''s')",
            "NOT (o.placed_at::date = '2026-01-31' OR c.id = $1)",
            "EXISTS (SELECT 1 FROM orders q WHERE extract(year FROM q.placed_at) = 2026 AND q.id NOT IN (SELECT z.id FROM customers z))",
            "c.id = ANY (ARRAY[1, 2, 3])",
        ];
        let condition: Vec<&str> = parts.iter().map(|part| pool[*part]).collect();
        let mut sql = format!(
            "SELECT c.id, o.note FROM customers c JOIN orders o ON o.customer_id = c.id WHERE {}",
            condition.join(" AND ")
        );
        for level in 0..nest {
            sql = format!("WITH w{level} AS ({sql}) SELECT * FROM w{level} UNION ALL SELECT id, note FROM orders");
        }
        for (_, new) in rewritten(&sql, "UTC") {
            proptest::prop_assert!(marula_postgres::guard::check(&new).is_ok(), "{new}");
        }
    }
}
