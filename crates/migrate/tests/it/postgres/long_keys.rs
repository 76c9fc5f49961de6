//! Keys that others refer to, and columns that views read: nothing of that is lost, in either
//! direction, and nobody who writes is kept waiting or meets a moment without it.

use marula_lab::shared;
use marula_migrate::postgres::long::{
    Around, Derived, LongChange, Place, ask, change_type, derive, rename_column,
};
use marula_postgres::Session;
use marula_postgres::catalog::{Scope, read};

use super::long::{Writer, parsed, play, prepared, run};
use super::probe::Probe;

/// Orders with all that may refer to them or read them. `{role}` is a role of its own.
const SHOP: &str = "
CREATE TABLE orders (id serial PRIMARY KEY, parent int REFERENCES orders, code int NOT NULL UNIQUE, note text);
COMMENT ON CONSTRAINT orders_pkey ON orders IS 'the key'; COMMENT ON INDEX orders_pkey IS 'its index';
CREATE UNIQUE INDEX with_it ON orders (id) INCLUDE (note);
CREATE TABLE items (id serial PRIMARY KEY, order_id int NOT NULL CONSTRAINT of_order REFERENCES orders
  ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
COMMENT ON CONSTRAINT of_order ON items IS 'it''s one';
CREATE TABLE events (at int, order_id bigint CONSTRAINT seen REFERENCES orders) PARTITION BY RANGE (at);
CREATE TABLE events_a PARTITION OF events FOR VALUES FROM (0) TO (1000);
CREATE TABLE events_b PARTITION OF events FOR VALUES FROM (1000) TO (2000) PARTITION BY RANGE (at);
CREATE TABLE events_b_1 PARTITION OF events_b FOR VALUES FROM (1000) TO (1500);
CREATE TABLE loose (order_id int REFERENCES orders ON DELETE SET NULL);
ALTER TABLE loose DROP CONSTRAINT loose_order_id_fkey, ADD CONSTRAINT unchecked FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
INSERT INTO orders (code, note) SELECT n, 'n' || n FROM generate_series(1, 1500) n;
UPDATE orders SET parent = id - 1 WHERE id > 1;
INSERT INTO items (order_id) SELECT n FROM generate_series(1, 1500) n;
INSERT INTO events SELECT n, n FROM generate_series(1, 1400) n;
CREATE VIEW recent WITH (security_barrier = true) AS SELECT id, note FROM orders WHERE id > 10 WITH LOCAL CHECK OPTION;
CREATE VIEW totals (id, note, n) AS SELECT o.id, o.note, count(*) FROM orders o JOIN items i ON i.order_id = o.id GROUP BY o.id;
CREATE VIEW \"above All\" AS SELECT r.id + 1 AS next, t.n FROM recent r JOIN totals t USING (id);
CREATE VIEW notes AS SELECT note FROM orders;
COMMENT ON VIEW recent IS 'the newer'; COMMENT ON COLUMN totals.n IS 'how many';
ALTER VIEW recent ALTER COLUMN note SET DEFAULT 'by view';
CREATE RULE kept AS ON DELETE TO totals DO INSTEAD DELETE FROM orders WHERE orders.id = old.id;
COMMENT ON RULE kept ON totals IS 'a rule';
CREATE FUNCTION into_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON \"above All\" FOR EACH ROW EXECUTE FUNCTION into_it();
GRANT SELECT, INSERT ON recent TO {role} WITH GRANT OPTION; GRANT SELECT (n) ON totals TO PUBLIC;
REVOKE DELETE ON totals FROM CURRENT_USER; GRANT SELECT ON totals TO {role};
GRANT CREATE ON SCHEMA public TO {role}; ALTER VIEW \"above All\" OWNER TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}";

/// All that could get lost, one a line.
async fn facts(session: &Session) -> Vec<String> {
    let sql = "
      SELECT concat_ws(' ', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod), attnotnull,
               attidentity, attacl::text, col_description(attrelid, attnum), pg_get_expr(adbin, adrelid))
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'p') AND attnum > 0 AND NOT attisdropped
      UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint'))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisreplident, obj_description(indexrelid, 'pg_class'))
        FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT concat_ws(' ', pg_get_ruledef(r.oid), obj_description(r.oid, 'pg_rewrite')) FROM pg_rewrite r
        JOIN pg_class c ON c.oid = ev_class WHERE relnamespace = 'public'::regnamespace AND rulename <> '_RETURN'
      UNION ALL SELECT concat_ws(' ', oid::regclass, relkind, reloptions::text, relowner::regrole, obj_description(oid, 'pg_class'),
               CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) END, (SELECT string_agg(concat_ws(' ', x.grantee::regrole, x.privilege_type,
               x.is_grantable), ', ' ORDER BY x.grantee::regrole::text, x.privilege_type) FROM aclexplode(coalesce(relacl, acldefault('r', relowner))) x))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'p')
      UNION ALL SELECT concat_ws(' ', seqrelid::regclass, format_type(seqtypid, NULL), seqmax, (SELECT attname FROM pg_depend d JOIN
               pg_attribute a ON a.attrelid = refobjid AND attnum = refobjsubid WHERE objid = seqrelid AND d.deptype = 'a')) FROM pg_sequence
      UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY 1";
    session.client().query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The schema as PostgreSQL's own tool writes it, where that is to be had.
fn dumped(server: &marula_lab::PostgresServer, session: &Session) -> Option<String> {
    let tool = server.install().bin_dir().join("pg_dump");
    if !tool.exists() {
        return None;
    }
    let url = server.url();
    let (head, _) = url.rsplit_once('/').unwrap();
    let (_, query) = url.split_once('?').unwrap_or(("", ""));
    let url = format!("{head}/{}?{query}", session.database());
    let found = std::process::Command::new(tool).args(["--schema-only", &url]).output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let text = String::from_utf8(found.stdout).unwrap();
    Some(text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n"))
}

async fn changed(
    session: &Session,
    what: &str,
    data_type: &str,
) -> marula_core::Result<LongChange> {
    let (table, column) = what.split_once('.').unwrap();
    let catalog = read(session, Scope::All).await?;
    let around = Around::read(session, table, &[column]).await?;
    let bare = Place { table, catalog: Some(&catalog), around: None, version: session.version() };
    let asked = ask::another_type(session, &bare, column, data_type, None, None).await?;
    let around = around.with(asked);
    let place = Place { around: Some(&around), ..bare };
    change_type(&place, column, data_type, None, None)
}

async fn go(session: &Session, change: &LongChange, at: usize, up: bool) {
    let stage = &change.stages[at];
    run(session, stage, up)
        .await
        .unwrap_or_else(|error| panic!("{} {up}: {error}\n{}", stage.name, stage.text));
}

async fn shop(major: u16) -> (marula_postgres::ConnectSpec, Session, String) {
    let server = shared::postgres(major).await.unwrap();
    let (spec, session) = prepared(server, "SELECT 1").await;
    let role = format!("reader_{}", spec.database());
    let setup = format!("CREATE ROLE {role}; {}", SHOP.replace("{role}", &role));
    session.client().batch_execute(&setup).await.unwrap();
    (spec, session, role)
}

async fn end(session: Session, role: &str) {
    let sql = format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    session.client().batch_execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_refer_to_changes_and_goes_back_with_all_that_refers_and_reads() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session, role) = shop(major).await;
        let before = facts(&session).await;
        let dump = dumped(server, &session);
        let change = changed(&session, "orders.id", "bigint").await.unwrap();
        let names: Vec<&str> = change.stages.iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["expand", "backfill", "verify", "swap", "contract"]);
        // What is to follow is said, in the file and to who asked; bigint is what it is to be.
        let next = "items.order_id refers to it and is integer still";
        let notes = change.notes.join("\n");
        assert!(
            notes.contains(next) && notes.contains("change-type items.order_id bigint"),
            "{notes}"
        );
        assert!(!notes.contains("events.order_id"), "{notes}");
        assert!(
            change.stages[3].text.replace("\n-- ", " ").contains(next),
            "{}",
            change.stages[3].text
        );
        for last in 1..=4 {
            for at in 0..last {
                go(&session, &change, at, true).await;
                refers(&session, &format!("{major} {at}")).await;
            }
            for at in (0..last).rev() {
                go(&session, &change, at, false).await;
                refers(&session, &format!("{major} back from {at}")).await;
            }
            assert_eq!(facts(&session).await, before, "{major}: the way back from {last}");
            assert_eq!(dumped(server, &session), dump, "{major}: the way back from {last}");
        }
        for at in 0..5 {
            go(&session, &change, at, true).await;
            refers(&session, &format!("{major} {at}")).await;
        }
        let wanted: Vec<String> = before
            .iter()
            .map(|fact| match fact.split(' ').next().unwrap_or_default() {
                "orders.id" | "recent.id" | "totals.id" => fact.replace("integer", "bigint"),
                "\"above" => fact.replace("next integer", "next bigint"),
                "orders_id_seq" => fact.replace("integer 2147483647", "bigint 9223372036854775807"),
                _ => fact.clone(),
            })
            .collect();
        assert_eq!(facts(&session).await, wanted, "{major}");
        let client = session.client();
        let beyond = "INSERT INTO orders (id, code) VALUES (5000000000, -5); INSERT INTO events VALUES (3, 5000000000);
                      UPDATE orders SET id = 4000000 WHERE id = 1500";
        client.batch_execute(beyond).await.unwrap();
        let row =
            client.query_one("SELECT count(*) FROM items WHERE order_id = 4000000", &[]).await;
        assert_eq!(row.unwrap().get::<_, i64>(0), 1, "ON UPDATE CASCADE");
        end(session, &role).await;
    }
}

/// At every step the views give what they gave, and nothing refers to what is not there.
async fn refers(session: &Session, when: &str) {
    let client = session.client();
    for (table, at) in [
        ("items (id, order_id)", "-1, -1"),
        ("events", "1, -1"),
        ("events", "1001, -1"),
        ("loose", "-1"),
    ] {
        let sql = format!("INSERT INTO {table} VALUES ({at})");
        let error = client.batch_execute(&sql).await.expect_err(when);
        assert_eq!(error.code().unwrap().code(), "23503", "{when}: {table}: {error:?}");
    }
    let moved = "SELECT count(*) FROM items WHERE order_id = 4000000";
    for (from, to, there) in [(1500, 4_000_000, 1), (4_000_000, 1500, 0)] {
        let sql = format!("UPDATE orders SET id = {to} WHERE id = {from}");
        client.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{when}: {e:?}"));
        assert_eq!(client.query_one(moved, &[]).await.unwrap().get::<_, i64>(0), there, "{when}");
    }
    let orphan = client.batch_execute("UPDATE orders SET parent = -1 WHERE id = 7").await;
    assert!(orphan.is_err(), "{when}");
    let sql = "SELECT (SELECT count(*) FROM recent), (SELECT sum(n)::bigint FROM totals WHERE id <= 1500), (SELECT \
               count(*) FROM \"above All\" WHERE next <= 1501), (SELECT count(*) FROM pg_constraint WHERE contype = 'f' \
               AND conparentid = 0 AND convalidated)";
    let row = client.query_one(sql, &[]).await.unwrap();
    let found: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(found, (1490, 1500, 1490), "{when}");
    assert!(row.get::<_, i64>(3) >= 3, "{when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_both_tables_go_on_while_the_key_changes() {
    for major in [15, 18] {
        let (spec, session, role) = shop(major).await;
        let change = changed(&session, "orders.id", "bigint").await.unwrap();
        let both = "WITH o AS (INSERT INTO orders (code) VALUES ({}) RETURNING id), i AS (INSERT INTO items (order_id)
                    SELECT id::int FROM o) SELECT id FROM o";
        let parent = "INSERT INTO orders (code) VALUES ({}) RETURNING id";
        let writers = vec![
            Writer {
                insert: both,
                update: "UPDATE orders SET code = {} WHERE id = {id}; SELECT count(*) FROM \"above All\" WHERE next < 20",
                stages: 0..99,
            },
            Writer {
                insert: parent,
                update: "INSERT INTO items (order_id) VALUES ({id}); UPDATE orders SET code = {} WHERE id = {id}",
                stages: 0..99,
            },
        ];
        play(&spec, change, writers, "SELECT id::bigint, code::bigint FROM orders").await;
        let left = "SELECT count(*) FROM items i WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = i.order_id)";
        assert_eq!(session.client().query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
        end(session, &role).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_refer_to_gets_another_name_and_goes_back() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session) = prepared(
            server,
            "CREATE TABLE orders (id int PRIMARY KEY, parent int REFERENCES orders);
             CREATE TABLE items (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders ON DELETE CASCADE);
             INSERT INTO orders SELECT n, n FROM generate_series(1, 500) n;
             INSERT INTO items (order_id) SELECT n FROM generate_series(1, 500) n",
        )
        .await;
        let before = facts(&session).await;
        let dump = dumped(server, &session);
        let catalog = read(&session, Scope::All).await.unwrap();
        let around = Around::read(&session, "orders", &["id"]).await.unwrap();
        let place = Place {
            table: "orders",
            catalog: Some(&catalog),
            around: Some(&around),
            version: session.version(),
        };
        let change = rename_column(&place, "id", "number", None).unwrap();
        for last in 1..=4 {
            for at in 0..last {
                go(&session, &change, at, true).await;
            }
            for at in (0..last).rev() {
                go(&session, &change, at, false).await;
            }
            assert_eq!(facts(&session).await, before, "{major}: the way back from {last}");
            assert_eq!(dumped(server, &session), dump, "{major}: the way back from {last}");
        }
        for at in 0..5 {
            go(&session, &change, at, true).await;
        }
        let after = facts(&session).await.join("\n");
        assert!(
            after.contains("FOREIGN KEY (order_id) REFERENCES orders(number) ON DELETE CASCADE t"),
            "{after}"
        );
        let orphan =
            session.client().batch_execute("INSERT INTO items (order_id) VALUES (-1)").await;
        assert!(orphan.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_follow_is_named_and_what_was_made_anew_meanwhile_is_not_lost() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE TABLE orders (id int PRIMARY KEY, at int4range, room int,
           EXCLUDE USING gist (room WITH =, at WITH &&));
         CREATE TABLE items (order_id int REFERENCES orders); INSERT INTO orders VALUES (1, '[1,2)', 1);
         CREATE VIEW plain AS SELECT id FROM orders; CREATE TABLE nokey (v int)",
    )
    .await;
    let refused = async |what: &str, data_type: &str| {
        changed(&session, what, data_type).await.expect_err(what).to_string()
    };
    let told = refused("orders.id", "uuid").await;
    assert!(told.contains("integer has no cast to uuid"), "{told}");
    let told = refused("orders.id", "text").await;
    assert!(told.contains("items.order_id is integer and could not refer to text"), "{told}");
    let told = refused("orders.room", "bigint").await;
    assert!(told.contains("constraint orders_room_at_excl excludes rows by it"), "{told}");
    let told = refused("nokey.v", "bigint").await;
    assert!(told.contains("public.nokey has neither a primary key"), "{told}");
    let client = session.client();
    let change = changed(&session, "orders.id", "bigint").await.unwrap();
    client
        .batch_execute("CREATE OR REPLACE VIEW plain AS SELECT id FROM orders WHERE id > 0")
        .await
        .unwrap();
    for at in 0..3 {
        go(&session, &change, at, true).await;
    }
    let told = run(&session, &change.stages[3], true).await.unwrap_err();
    assert!(told.contains("made anew since this was written: view public.plain"), "{told}");
    for at in (0..3).rev() {
        go(&session, &change, at, false).await;
    }
    // Hangs on the view and could not be made again.
    client
        .batch_execute(
            "CREATE MATERIALIZED VIEW many AS SELECT count(*) FROM plain;
             CREATE FUNCTION of_it() RETURNS SETOF plain LANGUAGE sql AS 'SELECT id FROM orders'",
        )
        .await
        .unwrap();
    let told = refused("orders.id", "bigint").await;
    assert!(told.contains("materialized view public.many"), "{told}");
    assert!(told.contains("function public.of_it()"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_asked_whether_the_change_can_be_made() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session) = prepared(
            server,
            "CREATE TABLE cust (id int PRIMARY KEY, born text, name varchar(10), v int NOT NULL, pay numeric, v_new int);
             INSERT INTO cust VALUES (1, '2001-02-03', 'Ann', 1, 1.5), (2, 'n/a', 'Maximilian', 2, 2)",
        )
        .await;
        let before = facts(&session).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let place = Place {
            table: "cust",
            catalog: Some(&catalog),
            around: None,
            version: session.version(),
        };
        let asked =
            async |column: &str, data_type: &str, using: Option<&str>, back: Option<&str>| {
                ask::another_type(&session, &place, column, data_type, using, back).await
            };
        for (column, data_type, using, back, why) in [
            ("v", "nosuch", None, None, "type \"nosuch\" does not exist"),
            ("v", "int, 1", None, None, "'int, 1' is no type"),
            ("v", "bigserial", None, None, "bigserial is no type of a column"),
            ("v", "int4", None, None, "cust.v is of type integer already"),
            ("name", "varchar(10)", None, None, "is of type character varying(10) already"),
            ("v", "date", None, None, "integer has no cast to date"),
            ("v", "bigint", Some("order"), None, "syntax error"),
            (
                "v",
                "bigint",
                Some("id + 1"),
                None,
                "--using cannot be computed: column \"id\" does not exist",
            ),
            ("v", "bigint", Some("sum(v)"), None, "--using cannot be computed"),
            ("v", "bigint", None, Some("nope(v)"), "--back cannot be computed"),
            (
                "born",
                "date",
                None,
                None,
                "a value of cust.born does not become date: invalid input syntax",
            ),
            (
                "name",
                "varchar(5)",
                None,
                None,
                "1 row of cust.name would be cut short by character varying(5)",
            ),
            ("v", "bigint", Some("nullif(v, 2)"), None, "1 row of cust.v would become NULL"),
        ] {
            let told = asked(column, data_type, using, back).await.expect_err(data_type);
            assert!(told.to_string().contains(why), "{major} '{why}': {told}");
        }
        asked("born", "date", Some("nullif(born, 'n/a')::date"), None).await.unwrap();
        asked("name", "varchar(5)", Some("left(name, 5)"), None).await.unwrap();
        for (column, data_type, note) in [
            ("pay", "int", "1 row of cust.pay hold what integer does not give back"),
            ("v", "money", "money has no cast to integer"),
        ] {
            let found = asked(column, data_type, None, None).await.unwrap();
            let around = Around::default().with(found);
            let place = Place { around: Some(&around), ..Place { ..place } };
            let notes =
                change_type(&place, column, data_type, None, None).unwrap().notes.join("\n");
            assert!(notes.contains(note), "{major}: {notes}");
        }
        // v_new is somebody's: ours is called otherwise.
        let change = changed(&session, "cust.v", "bigint").await.unwrap();
        for at in 0..4 {
            go(&session, &change, at, true).await;
        }
        for at in (0..4).rev() {
            go(&session, &change, at, false).await;
        }
        assert_eq!(facts(&session).await, before);
        // A value that is written later and would be cut short stops the series.
        session.client().batch_execute("DELETE FROM cust WHERE id = 2").await.unwrap();
        let change = changed(&session, "cust.name", "varchar(5)").await.unwrap();
        session
            .client()
            .batch_execute("INSERT INTO cust VALUES (3, NULL, 'Bartholomä', 3)")
            .await
            .unwrap();
        go(&session, &change, 0, true).await;
        go(&session, &change, 1, true).await;
        let told = run(&session, &change.stages[2], true).await.unwrap_err();
        assert!(told.contains("1 rows of cust are cut short"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_no_step_does_anybody_wait_for_as_long_as_the_tables_are_large() {
    let setup: Vec<&str> = SHOP.lines().filter(|line| !line.contains("{role}")).collect();
    let setup = setup.join("\n");
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        probe.reset(&setup).await;
        let change = changed(probe.session(), "orders.id", "bigint").await.unwrap();
        let watched = async |at: usize, up: bool| {
            let mut migration = parsed(&change.stages[at]);
            if !up {
                migration.up = migration.down.take().unwrap();
                migration.options = migration.down_options.clone();
            }
            for (step, seen) in migration.up.iter().zip(probe.run(&migration).await) {
                let at = format!("{major} {} {up}: {}", change.stages[at].name, step.text);
                assert_eq!(seen.failed, None, "{at}");
                assert!(!seen.grows_while_blocking(), "{at}: {seen:?}");
            }
        };
        for at in 0..4 {
            watched(at, true).await;
        }
        watched(3, false).await;
        watched(2, false).await;
        for at in 2..5 {
            watched(at, true).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_asked_whether_columns_can_be_made_of_others() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE TABLE cust (id int PRIMARY KEY, name text, tall int);
         INSERT INTO cust VALUES (1, 'Ann 5', NULL), (2, 'Bo', NULL)",
    )
    .await;
    let catalog = read(&session, Scope::All).await.unwrap();
    let version = session.version();
    let place = Place { table: "cust", catalog: Some(&catalog), around: None, version };
    let olds = ["name".to_string()];
    for (new, back, why) in [
        ("first=nosuch:name", "", "type \"nosuch\" does not exist"),
        (
            "first=text:tall || 'x'",
            "",
            "--into first cannot be computed: column \"tall\" does not exist",
        ),
        ("first=text:count(name)", "", "--into first cannot be computed: aggregate functions"),
        (
            "age=int:split_part(name, ' ', 2)::int",
            "",
            "a row of cust gives no age: invalid input syntax for type integer",
        ),
        (
            "first=text:name",
            "name=last",
            "--back name cannot be computed: column \"last\" does not exist",
        ),
        ("first=text:name", "tall=1", "--back names tall, which is none of the columns that go"),
    ] {
        let news = [Derived::parse(new).unwrap()];
        let backs: Vec<(String, String)> = back
            .split_once('=')
            .map(|(column, text)| (column.to_string(), text.to_string()))
            .into_iter()
            .collect();
        let told = ask::made_of(&session, &place, &olds, &news, &backs).await.expect_err(why);
        assert!(told.to_string().contains(why), "'{why}': {told}");
    }
    let news = [Derived::parse("tall=text:name").unwrap()];
    let told = derive(&place, &olds, &news, &[]).unwrap_err().to_string();
    assert!(told.contains("table cust has a column tall already"), "{told}");
    let news = [Derived::parse("first=text:split_part(name, ' ', 1)").unwrap()];
    ask::made_of(&session, &place, &olds, &news, &[]).await.unwrap();
}
