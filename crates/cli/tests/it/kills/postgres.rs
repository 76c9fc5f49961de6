//! The same on PostgreSQL.

use std::time::{Duration, Instant};

use marula_core::Engine;
use marula_lab::{PostgresServer, StartOptions, discover};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::{Dice, End, Project, after, kill_when, wanted};

/// Everything that runs in a way of its own, and numbers that tell if something ran twice.
const FILES: [(&str, &str); 7] = [
    (
        "1_tables.sql",
        "-- migrate:up
CREATE TABLE items (id bigserial PRIMARY KEY, n int NOT NULL DEFAULT 0, label text);
INSERT INTO items (label) SELECT 'x' || g FROM generate_series(1, 12000) g;
CREATE TABLE ran (what text);
INSERT INTO ran VALUES ('tables');
CREATE TABLE parts (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
INSERT INTO parts SELECT g, g FROM generate_series(0, 199) g;
-- migrate:down
DROP TABLE parts, parts_1, ran, items;
",
    ),
    (
        "2_indexes.sql",
        "-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY items_label ON items (label);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS items_key ON items (label, id);
CREATE INDEX CONCURRENTLY ON items (n);
INSERT INTO ran VALUES ('indexes');
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY items_label;
DROP INDEX CONCURRENTLY items_key;
DROP INDEX CONCURRENTLY items_n_idx;
",
    ),
    (
        "3_columns.sql",
        "-- migrate:up transaction:false
SET search_path = public, pg_catalog;
ALTER TABLE items ADD COLUMN price int;
INSERT INTO ran VALUES ('columns');
UPDATE items SET n = n + 1 WHERE id % 2 = 0;
BEGIN;
INSERT INTO ran VALUES ('own');
ALTER TABLE items ADD COLUMN note text;
COMMIT;
ALTER TABLE items ADD CONSTRAINT items_positive CHECK (n >= 0) NOT VALID;
ALTER TABLE items VALIDATE CONSTRAINT items_positive;
-- migrate:down
ALTER TABLE items DROP CONSTRAINT items_positive, DROP COLUMN note, DROP COLUMN price;
",
    ),
    (
        "4_fill.sql",
        "-- migrate:up batch:400
UPDATE items AS i SET n = n + 10, price = id::int WHERE i.id > 0;
DELETE FROM items WHERE id % 7 = 0;
UPDATE items SET n = items.n + p.v FROM parts p WHERE p.id = items.id;
INSERT INTO ran VALUES ('fill');
-- migrate:down
SELECT 1;
",
    ),
    (
        "5_rebuild.sql",
        "-- migrate:up transaction:false
REINDEX INDEX CONCURRENTLY items_label;
REINDEX TABLE CONCURRENTLY items;
ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY;
DROP INDEX CONCURRENTLY items_n_idx;
VACUUM items;
INSERT INTO ran VALUES ('rebuild');
-- migrate:down transaction:false
CREATE INDEX CONCURRENTLY items_n_idx ON items (n);
",
    ),
    (
        "6_loop.sql",
        "-- migrate:up transaction:false
ALTER TABLE items ADD COLUMN token uuid;
ALTER TABLE items ALTER COLUMN token SET DEFAULT gen_random_uuid();
DO $fill$
BEGIN
  LOOP
    UPDATE items SET token = DEFAULT
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM items WHERE token IS NULL LIMIT 1000));
    EXIT WHEN NOT FOUND;
    COMMIT;
  END LOOP;
END
$fill$;
INSERT INTO ran VALUES ('loop');
-- migrate:down
ALTER TABLE items DROP COLUMN token;
",
    ),
    ("R__view.sql", "CREATE OR REPLACE VIEW shown AS SELECT id, n FROM items;"),
];

/// Columns, indexes with their validity, constraints, partitions, and what the rows add up to.
const STATE: &str = "SELECT concat_ws(E'\\n',
 (SELECT string_agg(table_name || '.' || column_name || ' ' || data_type || ' ' ||
    coalesce(column_default, ''), E'\\n' ORDER BY table_name, ordinal_position)
  FROM information_schema.columns WHERE table_schema = 'public'),
 (SELECT string_agg(pg_get_indexdef(indexrelid) || ' ' || indisvalid || indisready, E'\\n'
    ORDER BY indexrelid::regclass::text)
  FROM pg_index i JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace),
 (SELECT string_agg(conrelid::regclass || ' ' || pg_get_constraintdef(oid) || convalidated, E'\\n'
    ORDER BY conrelid::regclass::text, conname)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
 (SELECT string_agg(inhrelid::regclass::text, ',') FROM pg_inherits WHERE NOT inhdetachpending),
 (SELECT count(*) || ' ' || sum(n) || ' ' || sum(price) || ' ' || count(token) || ' ' ||
    count(DISTINCT token) || ' ' || md5(string_agg(id || ':' || n, ',' ORDER BY id)) FROM items),
 (SELECT string_agg(what, ',' ORDER BY what) FROM ran),
 (SELECT string_agg(key || state || cardinality(done) || coalesce(current::text, '-'), ','
    ORDER BY position) FROM marula.migrations))";

/// How many statements the history knows as done or begun, and how many rows batches changed.
const AT: &str =
    "SELECT coalesce(sum(cardinality(done) * 2 + (current IS NOT NULL)::int), 0)::int8,
 coalesce(sum((current->'batch'->>'rows')::int8), 0)::int8 FROM marula.migrations";

/// Something to look with.
struct Eye {
    runtime: tokio::runtime::Runtime,
    spec: ConnectSpec,
    session: Option<Session>,
}

impl Eye {
    fn new(spec: ConnectSpec) -> Eye {
        Eye { runtime: tokio::runtime::Runtime::new().unwrap(), spec, session: None }
    }

    fn ask<T>(&mut self, sql: &str, read: impl Fn(&tokio_postgres::Row) -> T) -> Option<T> {
        self.runtime.block_on(async {
            if self.session.as_ref().is_none_or(Session::is_closed) {
                self.session = Session::open(&self.spec, &SessionOptions::lab()).await.ok();
            }
            let row = self.session.as_ref()?.client().query_one(sql, &[]).await.ok()?;
            Some(read(&row))
        })
    }

    /// How far the migrations are; 0 before there is a history.
    fn at(&mut self) -> (i64, i64) {
        self.ask(AT, |row| (row.get(0), row.get(1))).unwrap_or_default()
    }

    fn state(&mut self) -> String {
        self.ask(STATE, |row| row.get::<_, String>(0)).unwrap()
    }

    fn locks(&mut self) -> i64 {
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        self.ask(sql, |row| row.get(0)).unwrap()
    }
}

fn server(major: u16) -> PostgresServer {
    let version = marula_core::Version::new(major, 0, 0);
    let install = discover::choose_exactly(Engine::Postgres, Some(version)).unwrap();
    let options =
        StartOptions::default().setting("wal_level", "replica").setting("max_connections", "20");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(PostgresServer::start(&install, &options)).unwrap()
}

fn fresh(server: &PostgresServer) -> (Project, Eye) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let url = server.url().replace("/postgres?", &format!("/{}?", spec.database()));
    (Project::new(url, &FILES), Eye::new(spec))
}

/// What an undisturbed run comes to, and how long it takes.
fn undisturbed(server: &PostgresServer) -> (String, Duration) {
    let (project, mut eye) = fresh(server);
    let began = Instant::now();
    project.expect(&["migrate", "apply", "t"]);
    let took = began.elapsed();
    let state = eye.state();
    assert!(state.contains("columns,fill,indexes,loop,own,rebuild,tables"), "{state}");
    assert!(!state.contains("false"), "{state}");
    (state, took)
}

fn same_end(project: &Project, eye: &mut Eye, expected: &str, how: &str) {
    assert_eq!(eye.state(), expected, "{how}");
    assert_eq!(eye.locks(), 0, "a lock is stuck: {how}");
    project.expect(&["migrate", "verify", "t"]);
}

#[test]
fn the_program_is_killed_at_every_statement_and_at_random() {
    let server = server(15);
    let (expected, took) = undisturbed(&server);
    let mut dice = Dice::new();
    let (mut kills, mut rounds, wanted) = (0, 0, wanted(45));
    while kills < wanted {
        let (project, mut eye) = fresh(&server);
        let mut killed = Vec::new();
        // In turn: as soon as the next statement begins or is done; in the middle of batches; at
        // a moment like any other.
        let mut at = 0;
        loop {
            let child = project.apply();
            let end = match rounds % 3 {
                0 => {
                    let from = eye.at().0;
                    kill_when(child, || eye.at().0 > from)
                }
                1 => {
                    let (from, rows) = eye.at();
                    let more = i64::try_from(dice.below(900)).unwrap();
                    kill_when(child, || {
                        let now = eye.at();
                        now.0 > from + 1 || now.1 > rows + more
                    })
                }
                _ => kill_when(child, after(&mut dice, took)),
            };
            if end == End::Done {
                break;
            }
            killed.push(eye.at());
            kills += 1;
            at += 1;
            // A moment like any other may come again and again before anything has happened.
            if rounds % 3 == 2 && at > 25 {
                project.expect(&["migrate", "apply", "t"]);
                break;
            }
        }
        same_end(&project, &mut eye, &expected, &format!("round {rounds}, killed at {killed:?}"));
        rounds += 1;
    }
    println!("PostgreSQL: the program was killed {kills} times in {rounds} rounds");
}

#[test]
fn the_server_is_killed_and_comes_back() {
    let mut server = server(18);
    let (expected, took) = undisturbed(&server);
    let mut dice = Dice::new();
    let (mut kills, mut rounds, wanted) = (0, 0, wanted(12));
    while kills < wanted {
        let (project, mut eye) = fresh(&server);
        loop {
            let mut child = project.apply();
            let from = eye.at().0;
            let mut random = after(&mut dice, took);
            let until = Instant::now() + Duration::from_secs(120);
            let ended = loop {
                if child.try_wait().unwrap().is_some() {
                    break true;
                }
                if if rounds % 2 == 0 { eye.at().0 > from + 1 } else { random() } {
                    break false;
                }
                assert!(Instant::now() < until, "it neither moves on nor ends");
                std::thread::sleep(Duration::from_millis(1));
            };
            if !ended {
                server.crash().unwrap();
                kills += 1;
            }
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => break,
                // It says that the server went away, or that it is not there.
                Some(3) if !ended => assert!(said.contains("error:"), "{said}"),
                code => panic!("{code:?}: {said}"),
            }
        }
        same_end(&project, &mut eye, &expected, &format!("round {rounds}"));
        rounds += 1;
    }
    println!("PostgreSQL: the server was killed {kills} times in {rounds} rounds");
}
