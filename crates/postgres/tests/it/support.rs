use std::time::Duration;

use marula_core::{Engine, Statement};
use marula_postgres::{Session, SessionOptions};

/// The majors every test runs on.
pub const MAJORS: [u16; 2] = [15, 18];

/// A fresh database with `script` run in it: a session that may do anything, and one that a
/// target gets.
pub async fn database(major: u16, script: &str) -> (Session, Session) {
    let server = marula_lab::shared::postgres(major).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let owner = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    owner.client().batch_execute(script).await.unwrap();
    let target =
        Session::open(&spec, &SessionOptions::read_only(Duration::from_secs(20))).await.unwrap();
    (owner, target)
}

pub fn statement(text: &str) -> Statement {
    Statement::new(Engine::Postgres, text)
}

/// A small shop.
pub const SHOP: &str = "
    CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL UNIQUE, country char(2),
                            tags text[], joined timestamptz NOT NULL DEFAULT now());
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                         customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
                         status text NOT NULL CHECK (status IN ('open', 'paid', 'sent')),
                         total numeric(12,2) NOT NULL, at date NOT NULL,
                         doc jsonb NOT NULL DEFAULT '{}');
    CREATE INDEX orders_customer ON orders (customer_id, at DESC NULLS LAST) INCLUDE (total);
    CREATE INDEX orders_open ON orders (at) WHERE status = 'open';
    CREATE INDEX orders_lower ON orders (lower(status));
    CREATE VIEW paid AS SELECT * FROM orders WHERE status = 'paid';
    CREATE TABLE events (id int, at date NOT NULL, kind text) PARTITION BY RANGE (at);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO customers SELECT n, 'c' || n || '@example.com',
           (ARRAY['de', 'fr', 'it'])[1 + n % 3], ARRAY['a' || n % 5, 'b'] FROM generate_series(1, 2000) n;
    INSERT INTO orders (customer_id, status, total, at)
        SELECT 1 + n % 2000, (ARRAY['open', 'paid', 'sent'])[1 + n % 3], n % 500,
               date '2025-01-01' + n % 700 FROM generate_series(1, 30000) n;
    INSERT INTO events SELECT n, date '2025-01-01' + n % 700, 'k' || n % 7 FROM generate_series(1, 5000) n;
    ANALYZE;";
