#![allow(clippy::unwrap_used, clippy::panic)]

use marula_core::{Digest, Quiet, Verdict};

use super::advise;
use crate::Request;

fn digest_of(lines: &[(&str, u32)]) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pg.log");
    let text: String = lines
        .iter()
        .map(|(sql, ms)| {
            format!(
                "2026-03-01 12:00:00.000 UTC [7] LOG:  duration: {ms}.000 ms  statement: {sql}\n"
            )
        })
        .collect();
    std::fs::write(&path, text).unwrap();
    crate::digest(&Request { inputs: vec![path], top: 100, ..Request::default() }, &Quiet).unwrap()
}

fn ups(lines: &[(&str, u32)]) -> Vec<String> {
    let (_, changes) = advise(&digest_of(lines));
    assert!(changes.iter().all(|change| change.proof.verdict == Verdict::NotTried));
    changes.into_iter().map(|change| change.up[0].clone()).collect()
}

#[test]
fn shapes_tell_indexes_and_prefixes_share_them() {
    let found = ups(&[
        (
            "SELECT * FROM orders WHERE customer_id = 7 AND status = 'open' ORDER BY created_at DESC LIMIT 20",
            500,
        ),
        ("SELECT count(*) FROM orders WHERE customer_id = 9", 300),
        ("SELECT i.sku FROM items i JOIN orders o ON o.id = i.order_id WHERE o.coupon = 'X'", 200),
        ("UPDATE shop.payments SET state = 'done' WHERE reference = 'r'", 150),
        ("SELECT * FROM users WHERE lower(email) = 'a@b.c'", 120),
        (
            "SELECT * FROM events WHERE date_trunc('day', at) = '2026-01-01' AND kind IN ('a', 'b')",
            110,
        ),
    ]);
    assert_eq!(
        found,
        [
            "CREATE INDEX CONCURRENTLY orders_customer_id_status_created_at_idx ON orders (customer_id, status, created_at DESC);",
            "CREATE INDEX CONCURRENTLY items_order_id_idx ON items (order_id);",
            "CREATE INDEX CONCURRENTLY orders_coupon_idx ON orders (coupon);",
            "CREATE INDEX CONCURRENTLY payments_reference_idx ON shop.payments (reference);",
            "CREATE INDEX CONCURRENTLY users_lower_email_idx ON users ((lower(email)));",
            "CREATE INDEX CONCURRENTLY events_kind_idx ON events (kind);",
        ]
    );
}

#[test]
fn what_is_well_served_gets_nothing() {
    let found = ups(&[
        ("SELECT * FROM orders WHERE id = 7", 500),
        ("SELECT * FROM orders", 500),
        ("INSERT INTO orders VALUES (1)", 500),
        ("SELECT * FROM orders WHERE customer_id <> 7", 500),
        ("SELECT * FROM pg_class WHERE relname = 'x'", 500),
        ("SELECT * FROM quick WHERE a = 7", 0),
        ("SELECT broken FROM", 500),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_logged_plan_tells_what_a_scan_throws_away_and_what_an_index_serves() {
    let plan = |text: &str, tree: &str| {
        format!(
            "2026-03-01 12:00:00.000 UTC [7] LOG:  duration: 90.000 ms  plan:\n\
             \tQuery Text: {text}\n{tree}"
        )
    };
    let text = plan(
        "SELECT * FROM orders WHERE coupon = 'X'",
        "\tSeq Scan on orders  (cost=0.00..99.00 rows=9 width=8) (actual time=0.1..90.0 rows=3 loops=1)\n\
         \t  Filter: (coupon = 'X'::text)\n\t  Rows Removed by Filter: 9997\n",
    ) + &plan(
        "SELECT * FROM items WHERE order_id = 4",
        "\tIndex Scan using items_order on items  (cost=0.00..9.00 rows=9 width=8) (actual time=0.1..80.0 rows=3 loops=1)\n\
         \t  Index Cond: (order_id = 4)\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pg.log");
    std::fs::write(&path, text).unwrap();
    let digest =
        crate::digest(&Request { inputs: vec![path], ..Request::default() }, &Quiet).unwrap();
    let (findings, changes) = advise(&digest);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].title.contains("keep 3 of 10000 rows"), "{}", findings[0].title);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].relation.as_deref(), Some("orders"));
    assert_eq!(findings[0].changes, [changes[0].id.clone()]);
}
