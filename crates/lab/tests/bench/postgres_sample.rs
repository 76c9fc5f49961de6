use marula_core::{Depth, Quiet};
use marula_lab::bench::Bench as _;
use marula_lab::clone::{CloneLimits, Join, postgres};
use marula_lab::shared;

use crate::support::{open, source, text};

const SETUP: &str = "
CREATE TABLE regions (id int PRIMARY KEY, name text);
CREATE TABLE customers (id int PRIMARY KEY, region int REFERENCES regions, name text);
CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff, name text);
CREATE TABLE products (id int PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer int REFERENCES customers,
  clerk int REFERENCES staff, at date);
CREATE TABLE items (order_id bigint REFERENCES orders, line int, product int REFERENCES products,
  note text, PRIMARY KEY (order_id, line));
CREATE TABLE visits (who int, page text);
INSERT INTO regions SELECT g, 'r' || g FROM generate_series(1, 20) g;
INSERT INTO customers SELECT g, g % 20 + 1, repeat('c', 60) FROM generate_series(1, 20000) g;
INSERT INTO staff SELECT g, CASE WHEN g > 1 THEN g / 2 END, repeat('s', 60)
  FROM generate_series(1, 20000) g;
INSERT INTO products SELECT g, repeat('p', 80) FROM generate_series(1, 20000) g;
INSERT INTO orders SELECT g, CASE WHEN g % 50 > 0 THEN g % 20000 + 1 END, g % 20000 + 1,
  date '2024-01-01' + g % 300 FROM generate_series(1, 60000) g;
INSERT INTO items SELECT g / 3 + 1, g % 3, g * 7 % 20000 + 1, 'note' FROM generate_series(0, 179999) g;
INSERT INTO visits SELECT g % 20000 + 1, 'page' || g FROM generate_series(1, 100000) g;
ANALYZE;";

/// Rows whose key finds no row on the other side.
const ORPHANS: &str = "SELECT (
  (SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT FROM regions WHERE id = region))
  + (SELECT count(*) FROM orders o WHERE customer IS NOT NULL
      AND NOT EXISTS (SELECT FROM customers WHERE id = customer))
  + (SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM staff WHERE id = clerk))
  + (SELECT count(*) FROM staff s WHERE boss IS NOT NULL
      AND NOT EXISTS (SELECT FROM staff b WHERE b.id = s.boss))
  + (SELECT count(*) FROM items WHERE NOT EXISTS (SELECT FROM orders WHERE id = order_id))
  + (SELECT count(*) FROM items WHERE NOT EXISTS (SELECT FROM products WHERE id = product))
  + (SELECT count(*) FROM visits WHERE NOT EXISTS (SELECT FROM customers WHERE id = who)))::text";

#[tokio::test]
async fn every_row_of_a_sample_finds_its_parents() {
    let source = source(15, SETUP).await;
    let request = postgres::Request {
        relations: ["regions", "customers", "staff", "products", "orders", "items", "visits"]
            .map(|name| format!("public.{name}"))
            .to_vec(),
        // Not declared as a key: the statement joins by it.
        joins: vec![Join {
            left: "public.visits".into(),
            left_column: "who".into(),
            right: "public.customers".into(),
            right_column: "id".into(),
        }],
        statement: String::new(),
        limits: CloneLimits { bytes: 4 << 20, ..CloneLimits::default() },
    };
    let lab = shared::postgres(15).await.unwrap().spec();
    let mut bench = postgres::clone(&source, &lab, &request, &Quiet).await.unwrap();
    assert_eq!(bench.notes(), [""; 0]);
    let dataset = bench.dataset();
    assert_eq!(dataset.depth, Depth::Sample);
    assert!(dataset.share > 0.05 && dataset.share < 0.6, "{dataset:?}");
    let lab = open(&bench).await;
    assert_eq!(text(&lab, ORPHANS).await.as_deref(), Some("0"));
    for table in ["customers", "staff", "products", "orders", "items", "visits"] {
        let count = text(&lab, &format!("SELECT count(*)::text FROM {table}")).await.unwrap();
        assert!(count.parse::<u64>().unwrap() > 100, "{table}: {count}");
    }
    assert_eq!(text(&lab, "SELECT count(*)::text FROM regions").await.as_deref(), Some("20"));
    // Orders without a customer are drawn, too.
    let guests = "SELECT (count(*) > 0)::text FROM orders WHERE customer IS NULL";
    assert_eq!(text(&lab, guests).await.as_deref(), Some("true"));

    // The same again gives the same rows, and a part of the part is closed as well.
    let again =
        postgres::clone(&source, &shared::postgres(15).await.unwrap().spec(), &request, &Quiet)
            .await
            .unwrap();
    let sum = "SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o";
    assert_eq!(text(&open(&again).await, sum).await, text(&lab, sum).await);
    drop(lab);
    let part = bench.shrink(0.1).await.unwrap();
    assert_eq!(text(&open(&part).await, ORPHANS).await.as_deref(), Some("0"));
    assert!(part.dataset().rows < dataset.rows / 2);
}
