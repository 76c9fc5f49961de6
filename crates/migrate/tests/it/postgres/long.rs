//! Long changes on real servers, while clients go on writing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use marula_core::Engine;
use marula_lab::{PostgresServer, shared};
use marula_migrate::postgres::long::{
    Derived, LongChange, Place, Stage, change_type, derive, rename_column,
};
use marula_migrate::{Migration, Tool, files};
use marula_postgres::catalog::{Scope, read};
use marula_postgres::{ConnectSpec, Session, SessionOptions};
use tokio::sync::RwLock;

pub async fn open(spec: &ConnectSpec) -> Session {
    Session::open(spec, &SessionOptions::lab()).await.unwrap()
}

pub fn parsed(stage: &Stage) -> Migration {
    let path = Path::new("20260101000000_x.sql");
    files::parse(path, &stage.text, Tool::Marula, Engine::Postgres)
        .unwrap_or_else(|error| panic!("{error}\n{}", stage.text))
}

/// Runs one direction of a stage as a runner does: in a transaction with a lock_timeout and
/// retries, or statement by statement.
pub async fn run(session: &Session, stage: &Stage, up: bool) -> Result<(), String> {
    let migration = parsed(stage);
    let (steps, options) = if up {
        (migration.up, migration.options)
    } else {
        (migration.down.unwrap(), migration.down_options)
    };
    let client = session.client();
    assert!(!steps.is_empty(), "a part without statements is no way back: {}", stage.text);
    let texts: Vec<String> = steps.iter().map(|step| step.text.clone()).collect();
    if !options.transaction {
        // What waits for others by itself has no limit.
        let limit = options.lock_timeout.map_or(0, |limit| limit.as_millis());
        for text in texts {
            let limit = if text.contains("CONCURRENTLY") { 0 } else { limit };
            let mut tries = 0;
            loop {
                client.batch_execute(&format!("SET lock_timeout = {limit}")).await.unwrap();
                let Err(error) = client.batch_execute(&text).await else { break };
                let waited = error.code().is_some_and(|code| code.code() == "55P03");
                tries += 1;
                if !waited || tries > 60 {
                    return Err(format!("{text}: {error:?}"));
                }
            }
        }
        client.batch_execute("SET lock_timeout = 0").await.unwrap();
        return Ok(());
    }
    let limit = options.lock_timeout.unwrap_or(Duration::from_secs(2)).as_millis();
    let whole = format!("BEGIN; SET LOCAL lock_timeout = {limit}; {}; COMMIT", texts.join("; "));
    for _ in 0..60 {
        match client.batch_execute(&whole).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                client.batch_execute("ROLLBACK").await.unwrap();
                let waited = error.code().is_some_and(|code| code.code() == "55P03");
                if !waited {
                    return Err(format!("{whole}: {error:?}"));
                }
            }
        }
    }
    Err(format!("no lock: {whole}"))
}

/// A client that writes with one set of statements while the stages are those it is promised.
pub struct Writer {
    pub insert: &'static str,
    pub update: &'static str,
    pub stages: std::ops::Range<usize>,
}

/// Rows a writer has written: id and the value it wrote last.
type Written = BTreeMap<i64, i64>;

async fn write(
    spec: ConnectSpec,
    writer: Writer,
    number: i64,
    stage: Arc<RwLock<usize>>,
    rounds: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Written {
    let session = open(&spec).await;
    let client = session.client();
    let mut written = Written::new();
    let mut round = 0;
    while !stop.load(Ordering::SeqCst) {
        // Held for a whole round: the next stage begins when nobody uses what it takes away.
        let now = stage.read().await;
        if !writer.stages.contains(&*now) {
            drop(now);
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        round += 1;
        let value = number * 1_000_000 + round;
        let sql = writer.insert.replace("{}", &value.to_string());
        let rows = client.simple_query(&sql).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let id = rows
            .iter()
            .find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i64>().ok(),
                _ => None,
            })
            .unwrap();
        written.insert(id, value);
        let (old, _) = written.iter().nth(usize::try_from(round).unwrap() % written.len()).unwrap();
        let old = *old;
        let changed = value + 500_000;
        let sql =
            writer.update.replace("{}", &changed.to_string()).replace("{id}", &old.to_string());
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        written.insert(old, changed);
        drop(now);
        rounds.fetch_add(1, Ordering::SeqCst);
    }
    written
}

/// Waits until every writer that may write has done so a few times.
async fn some_rounds(stage: usize, writers: &[(std::ops::Range<usize>, Arc<AtomicUsize>)]) {
    let until = Instant::now() + Duration::from_secs(60);
    for (stages, rounds) in writers.iter().filter(|(stages, _)| stages.contains(&stage)) {
        let before = rounds.load(Ordering::SeqCst);
        while rounds.load(Ordering::SeqCst) < before + 3 {
            assert!(Instant::now() < until, "a writer of {stages:?} is stuck in {stage}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Runs the stages while the writers write; each writer's rows must be there with what it wrote.
/// `values` are the rows' values at the end, by id.
pub async fn play(spec: &ConnectSpec, change: LongChange, writers: Vec<Writer>, values: &str) {
    let session = open(spec).await;
    let (stage, stop) = (Arc::new(RwLock::new(0)), Arc::new(AtomicBool::new(false)));
    let (mut tasks, mut counts) = (Vec::new(), Vec::new());
    for (number, writer) in (1..).zip(writers) {
        let rounds = Arc::new(AtomicUsize::new(0));
        counts.push((writer.stages.clone(), rounds.clone()));
        let own = write(spec.clone(), writer, number, stage.clone(), rounds, stop.clone());
        tasks.push(tokio::spawn(own));
    }
    some_rounds(0, &counts).await;
    for (at, own) in (1..).zip(&change.stages) {
        // Two numbers a stage: while it runs, and when it is done.
        *stage.write().await = at * 2 - 1;
        run(&session, own, true).await.unwrap_or_else(|error| panic!("{}: {error}", own.name));
        *stage.write().await = at * 2;
        some_rounds(at * 2, &counts).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut lists = Vec::new();
    for task in tasks {
        lists.push(task.await.unwrap());
    }
    let mut found = Written::new();
    for row in session.client().query(values, &[]).await.unwrap() {
        found.insert(row.get(0), row.get(1));
    }
    for written in lists {
        assert!(!written.is_empty(), "a writer wrote nothing");
        for (id, value) in written {
            assert_eq!(found.get(&id), Some(&value), "row {id}");
        }
    }
}

const ITEMS: &str = "
CREATE TABLE items (id serial PRIMARY KEY, code int NOT NULL DEFAULT 7, note text);
CREATE INDEX items_code ON items (code) WHERE note IS NULL;
CREATE TABLE kinds (code int PRIMARY KEY);
INSERT INTO items (code, note) SELECT n, 'n' || n FROM generate_series(1, 3000) n";

pub async fn prepared(server: &PostgresServer, setup: &str) -> (ConnectSpec, Session) {
    let spec = server.create_database().await.unwrap();
    let session = open(&spec).await;
    session.client().batch_execute(setup).await.unwrap();
    (spec, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_int_key_becomes_a_bigint_under_writers_and_can_be_taken_back_before_the_end() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (spec, session) = prepared(server, ITEMS).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let change = change_type(&place, "id", "bigint", None, None).unwrap();
        let names: Vec<&str> = change.stages.iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["expand", "backfill", "verify", "swap", "contract"]);
        assert!(!change.stages[4].reversible && change.stages[..4].iter().all(|s| s.reversible));
        let insert = "INSERT INTO items (code) VALUES ({}) RETURNING id";
        let update = "UPDATE items SET code = {} WHERE id = {id}";
        let writers = vec![
            Writer { insert, update, stages: 0..99 },
            Writer { insert, update, stages: 0..99 },
        ];
        let values = "SELECT id::bigint, code::bigint FROM items";
        let whole = change_type(&place, "id", "bigint", None, None).unwrap();
        play(&spec, whole, writers, values).await;
        let client = session.client();
        // Beyond what an int holds.
        client.batch_execute("INSERT INTO items (id, code) VALUES (5000000000, 1)").await.unwrap();
        let row = client
            .query_one(
                "SELECT format_type(atttypid, atttypmod), attnotnull, (SELECT count(*) FROM pg_index \
                 WHERE indrelid = 'items'::regclass AND indisprimary AND indisvalid), (SELECT \
                 data_type::text FROM pg_sequences WHERE sequencename = 'items_id_seq') FROM \
                 pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'id'",
                &[],
            )
            .await
            .unwrap();
        let found: (&str, bool, i64, &str) = (row.get(0), row.get(1), row.get(2), row.get(3));
        assert_eq!(found, ("bigint", true, 1, "bigint"));
        // The way back, from after the swap.
        let (_, session) = prepared(server, ITEMS).await;
        let before = shape(&session).await;
        for stage in &change.stages[..4] {
            run(&session, stage, true).await.unwrap_or_else(|error| panic!("{error}"));
        }
        session.client().batch_execute("INSERT INTO items (code) VALUES (1)").await.unwrap();
        for stage in change.stages[..4].iter().rev() {
            run(&session, stage, false)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", stage.name));
        }
        assert_eq!(shape(&session).await, before);
        let rows = session.client().query_one("SELECT count(*) FROM items", &[]).await.unwrap();
        assert_eq!(rows.get::<_, i64>(0), 3001);
    }
}

/// Columns, constraints and indexes, as the server prints them.
async fn shape(session: &Session) -> Vec<String> {
    let sql = "
      SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' ||
             coalesce(pg_get_expr(adbin, adrelid), '')
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped
      UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
       WHERE conrelid = 'items'::regclass
      UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'items'::regclass
      UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'items'::regclass
      UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY 1";
    session.client().query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_renamed_while_both_names_are_written() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (spec, session) = prepared(server, ITEMS).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let change = rename_column(&place, "code", "number", None).unwrap();
        let names: Vec<&str> = change.stages.iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["expand", "backfill", "verify", "switch", "contract"]);
        let writers = vec![
            // The old name until the last step begins, the new one when the first is done.
            Writer {
                insert: "INSERT INTO items (code) VALUES ({}) RETURNING id",
                update: "UPDATE items SET code = {} WHERE id = {id}",
                stages: 0..9,
            },
            Writer {
                insert: "INSERT INTO items (number) VALUES ({}) RETURNING id",
                update: "UPDATE items SET number = {} WHERE id = {id}",
                stages: 2..99,
            },
        ];
        let values = "SELECT id::bigint, number::bigint FROM items";
        play(&spec, change, writers, values).await;
        let client = session.client();
        let untouched = "SELECT count(*) FROM items WHERE note = 'n' || number AND id <= 3000";
        assert_eq!(client.query_one(untouched, &[]).await.unwrap().get::<_, i64>(0), 3000);
        let usual = "INSERT INTO items (note) VALUES ('d') RETURNING number";
        assert_eq!(client.query_one(usual, &[]).await.unwrap().get::<_, i32>(0), 7);
        let empty = client.batch_execute("INSERT INTO items (number) VALUES (NULL)").await;
        assert!(empty.is_err(), "NOT NULL is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_split_and_merged_while_both_sides_are_written() {
    let setup = "
      CREATE TABLE items (id serial PRIMARY KEY, pair text NOT NULL);
      INSERT INTO items (pair) SELECT n || ' ' || n * 2 FROM generate_series(1, 2000) n";
    let of = |text: &str| Derived::parse(text).unwrap();
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (spec, session) = prepared(server, setup).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let news = [
            of("a=bigint:split_part(pair, ' ', 1)::bigint"),
            of("b=bigint:split_part(pair, ' ', 2)::bigint"),
        ];
        let backs = [("pair".to_string(), "a || ' ' || b".to_string())];
        let change = derive(&place, &["pair".to_string()], &news, &backs).unwrap();
        let last = change.stages.len() * 2 - 1;
        let writers = vec![
            Writer {
                insert: "INSERT INTO items (pair) VALUES ('{} 1') RETURNING id",
                update: "UPDATE items SET pair = '{} 2' WHERE id = {id}",
                stages: 0..last,
            },
            Writer {
                insert: "INSERT INTO items (a, b) VALUES ({}, 3) RETURNING id",
                update: "UPDATE items SET a = {} WHERE id = {id}",
                stages: 2..99,
            },
        ];
        let values = "SELECT id::bigint, a FROM items";
        play(&spec, change, writers, values).await;
        let client = session.client();
        let right = "SELECT count(*) FROM items WHERE id <= 2000 AND (a, b) = (id, id * 2)";
        assert_eq!(client.query_one(right, &[]).await.unwrap().get::<_, i64>(0), 2000);
        // And together again, without a way for the new column to reach the old ones.
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let olds = ["a".to_string(), "b".to_string()];
        let change = derive(&place, &olds, &[of("pair=text:a || ' ' || b")], &[]).unwrap();
        for stage in &change.stages {
            run(&session, stage, true).await.unwrap_or_else(|error| panic!("{error}"));
        }
        let right = "SELECT count(*) FROM items WHERE id <= 2000 AND pair = id || ' ' || id * 2";
        assert_eq!(client.query_one(right, &[]).await.unwrap().get::<_, i64>(0), 2000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_checks_and_expressions_go_with_the_column_or_are_refused_by_name() {
    let setup = format!(
        "{ITEMS}; ALTER TABLE items ADD CONSTRAINT positive CHECK (code > 0);
         CREATE INDEX items_twice ON items ((code * 2)) WHERE code > 5;
         CREATE VIEW small AS SELECT i.id, i.code FROM items i WHERE i.code < 100;
         CREATE VIEW smaller AS SELECT code FROM small WHERE code < 10"
    );
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session) = prepared(server, &setup).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let before = shape(&session).await;
        let change = rename_column(&place, "code", "number", None).unwrap();
        let count = "SELECT (SELECT count(code) FROM small) + (SELECT count(code) FROM smaller)";
        for stage in &change.stages[..4] {
            run(&session, stage, true).await.unwrap_or_else(|e| panic!("{}: {e}", stage.name));
        }
        for stage in change.stages[..4].iter().rev() {
            run(&session, stage, false).await.unwrap_or_else(|e| panic!("{}: {e}", stage.name));
        }
        assert_eq!(shape(&session).await, before, "the way back");
        for stage in &change.stages {
            run(&session, stage, true).await.unwrap_or_else(|e| panic!("{}: {e}", stage.name));
            let row = session.client().query_one(count, &[]).await.unwrap();
            assert_eq!(row.get::<_, i64>(0), 99 + 9, "{}", stage.name);
        }
        let after = shape(&session).await.join("\n");
        assert!(after.contains("positive CHECK ((number > 0))"), "{after}");
        assert!(after.contains("number * 2") && after.contains("WHERE (number > 5)"), "{after}");
        let wrong = session.client().batch_execute("INSERT INTO items (number) VALUES (-1)").await;
        assert!(wrong.is_err(), "the CHECK is kept");

        let (_, session) = prepared(server, &setup).await;
        let more = "CREATE MATERIALIZED VIEW sums AS SELECT sum(code) FROM items; \
                    ALTER TABLE items ADD twice int GENERATED ALWAYS AS (code * 2) STORED";
        session.client().batch_execute(more).await.unwrap();
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "items",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let refused = change_type(&place, "code", "bigint", None, None).unwrap_err();
        for name in ["view public.small", "materialized view public.sums", "generated column twice"]
        {
            assert!(refused.message().contains(name), "'{name}': {refused}");
        }
        assert!(!refused.message().contains("smaller"), "{refused}");
        let refused = rename_column(&place, "code", "number", None).unwrap_err();
        assert!(
            refused.message().contains("sums") && !refused.message().contains("small"),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_fails_while_a_row_differs_and_what_refers_goes_with_its_column() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(server, ITEMS).await;
    let place = Place { table: "items", catalog: None, around: None, version: session.version() };
    let change = change_type(&place, "code", "text", None, None).unwrap();
    assert!(change.notes.iter().any(|note| note.contains("--target")), "{:?}", change.notes);
    run(&session, &change.stages[0], true).await.unwrap();
    // No backfill: the rows that were there have no value.
    let failed = run(&session, &change.stages[2], true).await.unwrap_err();
    assert!(failed.contains("3000 rows of items differ"), "{failed}");
    let (_, session) = prepared(server, ITEMS).await;
    session
        .client()
        .batch_execute("CREATE TABLE o (id int PRIMARY KEY, item int REFERENCES items)")
        .await
        .unwrap();
    let catalog = read(&session, Scope::All).await.unwrap();
    // The foreign key of a column that refers is made for the new one.
    let place =
        Place { table: "o", catalog: Some(&catalog), around: None, version: session.version() };
    let change = change_type(&place, "item", "bigint", None, None).unwrap();
    for stage in &change.stages {
        run(&session, stage, true).await.unwrap_or_else(|error| panic!("{}: {error}", stage.name));
    }
    let strange = session.client().batch_execute("INSERT INTO o VALUES (1, 999999)").await;
    assert!(strange.is_err(), "the foreign key is kept");
}

/// The only text of a query.
async fn one(session: &Session, sql: &str) -> String {
    let row = session.client().query_one(sql, &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get::<_, Option<String>>(0)
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_written_is_lost_between_split_columns() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (spec, session) = prepared(
            server,
            "CREATE TABLE cust (id int PRIMARY KEY, name text, v int);
             INSERT INTO cust VALUES (1, 'Ann Bee', 0), (2, 'Mary Ann Lee', 0), (3, 'Bo Li', 0)",
        )
        .await;
        let catalog = read(&open(&spec).await, Scope::All).await.unwrap();
        let place = Place {
            table: "cust",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let news = [
            Derived::parse("first=text:split_part(name, ' ', 1)").unwrap(),
            Derived::parse("last=text:split_part(name, ' ', 2)").unwrap(),
        ];
        let backs = [("name".to_string(), "first || ' ' || last".to_string())];
        let change = derive(&place, &["name".to_string()], &news, &backs).unwrap();
        let [expand, backfill, verify, contract] = change.stages.as_slice() else {
            panic!("{:?}", change.stages)
        };
        let client = session.client();
        run(&session, expand, true).await.unwrap();
        // A row the backfill has not come to: what is not written comes from the old column.
        client.batch_execute("UPDATE cust SET first = 'Anna' WHERE id = 1").await.unwrap();
        let row = "SELECT concat_ws('|', name, first, last) FROM cust WHERE id = ";
        assert_eq!(one(&session, &format!("{row}1")).await, "Anna Bee|Anna|Bee", "{major}");
        run(&session, backfill, true).await.unwrap();
        // What the new columns cannot give back is told before the old one goes.
        let lost = run(&session, verify, true).await.unwrap_err();
        assert!(
            lost.contains("1 rows of cust hold what the new columns do not give back"),
            "{lost}"
        );
        // The new columns may hold what the old one cannot say; no other write undoes it.
        let mended = "UPDATE cust SET first = 'Mary Ann', last = 'Lee' WHERE id = 2";
        client.batch_execute(mended).await.unwrap();
        client.batch_execute("UPDATE cust SET v = 1").await.unwrap();
        client
            .batch_execute("INSERT INTO cust VALUES (4, 'Jo Ann Day', 0, 'Jo Ann', 'Day'), (5, NULL, 0, 'Al', 'Po');
                 INSERT INTO cust VALUES (6, 'Cy Du', 0)")
            .await
            .unwrap();
        client.batch_execute("UPDATE cust SET name = 'Ed Fu' WHERE id = 3").await.unwrap();
        run(&session, backfill, true).await.unwrap();
        run(&session, verify, true).await.unwrap();
        run(&session, contract, true).await.unwrap();
        let all = "SELECT string_agg(concat_ws('|', first, last), ' ' ORDER BY id) FROM cust";
        let kept = "Anna|Bee Mary Ann|Lee Ed|Fu Jo Ann|Day Al|Po Cy|Du";
        assert_eq!(one(&session, all).await, kept, "{major}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_columns_that_give_nothing_are_told_before_the_old_ones_go() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE TABLE cust (id int PRIMARY KEY, name text, born text);
         INSERT INTO cust VALUES (1, 'Cher', NULL)",
    )
    .await;
    let place = Place { table: "cust", catalog: None, around: None, version: session.version() };
    let news = [Derived::parse("told=text:name || '/' || born").unwrap()];
    let olds = ["name".to_string(), "born".to_string()];
    let backs = [
        ("name".to_string(), "split_part(told, '/', 1)".to_string()),
        ("born".to_string(), "split_part(told, '/', 2)".to_string()),
    ];
    let change = derive(&place, &olds, &news, &backs).unwrap();
    for stage in &change.stages[..2] {
        run(&session, stage, true).await.unwrap();
    }
    let lost = run(&session, &change.stages[2], true).await.unwrap_err();
    assert!(lost.contains("do not give back"), "{lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_by_the_new_name_stays_though_the_old_one_has_another_default_each_time() {
    let server = shared::postgres(15).await.unwrap();
    let (spec, session) = prepared(
        server,
        "CREATE TABLE cust (id int PRIMARY KEY, tok uuid DEFAULT gen_random_uuid())",
    )
    .await;
    let catalog = read(&open(&spec).await, Scope::All).await.unwrap();
    let place =
        Place { table: "cust", catalog: Some(&catalog), around: None, version: session.version() };
    let change = rename_column(&place, "tok", "token", None).unwrap();
    run(&session, &change.stages[0], true).await.unwrap();
    let own = "00000000-0000-0000-0000-000000000002";
    let insert = format!("INSERT INTO cust (id, token) VALUES (1, '{own}')");
    session.client().batch_execute(&insert).await.unwrap();
    assert_eq!(
        one(&session, "SELECT concat_ws(' ', tok, token) FROM cust").await,
        format!("{own} {own}")
    );
    session.client().batch_execute("INSERT INTO cust (id) VALUES (2)").await.unwrap();
    assert_eq!(one(&session, "SELECT (tok = token)::text FROM cust WHERE id = 2").await, "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_stops_the_series_and_nobody_who_writes() {
    let server = shared::postgres(18).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE TABLE cust (id int PRIMARY KEY, born text, v int);
         INSERT INTO cust VALUES (1, '2001-02-03', 0), (2, 'n/a', 0)",
    )
    .await;
    let place = Place { table: "cust", catalog: None, around: None, version: session.version() };
    let change = change_type(&place, "born", "date", None, None).unwrap();
    run(&session, &change.stages[0], true).await.unwrap();
    session.client().batch_execute("UPDATE cust SET v = 4").await.unwrap();
    assert_eq!(one(&session, "SELECT born_new::text FROM cust WHERE id = 1").await, "2001-02-03");
    let failed = run(&session, &change.stages[1], true).await.unwrap_err();
    assert!(failed.contains("invalid input syntax for type date"), "{failed}");
}
