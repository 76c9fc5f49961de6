//! The attack set on the way statements of users go to PostgreSQL. Other faces run it through their
//! own doors.

/// What an attacker with a superuser's help may have left in the database.
pub const TRAPS: &str = r#"
    CREATE TABLE canary (n int); INSERT INTO canary VALUES (1);
    CREATE SEQUENCE counter;
    CREATE SCHEMA hidden;
    CREATE FUNCTION write_v() RETURNS int LANGUAGE sql AS 'INSERT INTO canary VALUES (2) RETURNING n';
    CREATE FUNCTION definer() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1';
    CREATE FUNCTION sleeper() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(30); RETURN 1; END';
    CREATE FUNCTION dynamic(t text) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN EXECUTE t; RETURN 1; END';
    CREATE FUNCTION nested() RETURNS int LANGUAGE sql STABLE AS 'SELECT sleeper()';
    CREATE FUNCTION quoted() RETURNS text LANGUAGE sql STABLE AS 'SELECT "pg_read_file"(''PG_VERSION'')';
    CREATE FUNCTION escaped() RETURNS text LANGUAGE sql STABLE AS 'SELECT U&"pg\005fread_file"(''PG_VERSION'')';
    CREATE FUNCTION alias_of_read(text) RETURNS text LANGUAGE internal IMMUTABLE AS 'pg_read_file_all';
    CREATE FUNCTION hidden.inner_sleep() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1 FROM pg_sleep(30)';
    CREATE FUNCTION pathed() RETURNS int LANGUAGE sql STABLE SET search_path = hidden AS 'SELECT hidden.inner_sleep()';
    CREATE FUNCTION pathed_plpgsql() RETURNS int LANGUAGE plpgsql STABLE SET search_path = hidden AS 'BEGIN RETURN inner_sleep(); END';
    CREATE FUNCTION of_row(customers) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
    CREATE VIEW innocent AS SELECT pg_read_file('PG_VERSION') AS x;
    CREATE VIEW outer_view AS SELECT * FROM innocent;
    CREATE VIEW sleepy AS SELECT sleeper() AS x;
    CREATE FUNCTION op(int, int) RETURNS bool LANGUAGE plpgsql VOLATILE AS 'BEGIN PERFORM pg_sleep(30); RETURN true; END';
    CREATE OPERATOR ==> (LEFTARG = int, RIGHTARG = int, FUNCTION = op);
    CREATE OPERATOR hidden.= (LEFTARG = int, RIGHTARG = int, FUNCTION = op);
    CREATE TYPE pair AS (a int, b int);
    CREATE FUNCTION to_pair(int) RETURNS pair LANGUAGE plpgsql VOLATILE AS 'BEGIN PERFORM pg_sleep(30); RETURN (1, 2)::pair; END';
    CREATE CAST (int AS pair) WITH FUNCTION to_pair(int);
    CREATE DOMAIN slow AS int CHECK (sleeper() = 1);
    CREATE TYPE wrapped AS (s slow);
    CREATE FUNCTION step(int, int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN PERFORM pg_sleep(30); RETURN 1; END';
    CREATE AGGREGATE slow_sum(int) (SFUNC = step, STYPE = int, INITCOND = '0');
    CREATE TABLE guarded (n int); INSERT INTO guarded VALUES (1);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON guarded USING (sleeper() = 1);
    CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE program (line text) SERVER files OPTIONS (program 'touch /tmp/marula-canary-PORT; echo 1');
    CREATE EXTENSION dblink;
"#;

/// Refused before anything runs.
pub const REFUSED: &[&str] = &[
    // Several statements, and other statements.
    "COMMIT; INSERT INTO canary VALUES (2)",
    "SELECT 1; DROP TABLE canary",
    "ROLLBACK; BEGIN READ WRITE; DELETE FROM canary; COMMIT",
    "SELECT 'a\\'; DELETE FROM canary; --'",
    "INSERT INTO canary VALUES (2)",
    "UPDATE canary SET n = 2",
    "DELETE FROM canary",
    "MERGE INTO canary USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE canary",
    "DROP TABLE canary",
    "CREATE TABLE t (n int)",
    "CREATE TABLE t AS SELECT 1",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "SET default_transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
    "RESET ALL",
    "DO $$ BEGIN PERFORM pg_sleep(30); END $$",
    "CALL nothing()",
    "COPY canary FROM PROGRAM 'echo 2'",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/marula-canary'",
    "COPY (SELECT 1) TO '/tmp/marula-canary'",
    "PREPARE p AS DELETE FROM canary",
    "EXECUTE p",
    "DECLARE c CURSOR FOR SELECT 1",
    "LISTEN x",
    "NOTIFY x",
    "LOCK TABLE canary",
    "VACUUM canary",
    "LOAD 'auto_explain'",
    // EXPLAIN as a cloak.
    "EXPLAIN ANALYZE DELETE FROM canary",
    "EXPLAIN (ANALYZE, VERBOSE) INSERT INTO canary VALUES (2)",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "EXPLAIN ANALYZE EXECUTE p",
    // Writing inside of a query.
    "WITH d AS (DELETE FROM canary RETURNING n) SELECT * FROM d",
    "SELECT * FROM (WITH i AS (INSERT INTO canary VALUES (2) RETURNING n) SELECT * FROM i) x",
    "SELECT 1 INTO t",
    "SELECT * FROM canary FOR UPDATE",
    "SELECT * FROM (SELECT * FROM canary FOR SHARE) x",
    "SELECT nextval('counter')",
    "SELECT setval('counter', 9)",
    "SELECT write_v()",
    "SELECT lo_create(7)",
    "SELECT lo_from_bytea(0, 'x')",
    // Files.
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT * FROM pg_read_file('PG_VERSION')",
    "SELECT * FROM pg_ls_dir('.')",
    "SELECT PG_CATALOG.\"pg_read_binary_file\"('PG_VERSION')",
    "SELECT U&\"pg\\005fread_file\"('PG_VERSION')",
    "SELECT U&\"pg!005fread_file\" UESCAPE '!' ('PG_VERSION')",
    "SELECT (SELECT x FROM LATERAL pg_read_file('PG_VERSION') x)",
    "SELECT count(*) FILTER (WHERE pg_read_file('PG_VERSION') > '') FROM canary",
    "SELECT 1 ORDER BY pg_read_file('PG_VERSION')",
    "SELECT 1 LIMIT length(pg_read_file('PG_VERSION'))",
    "VALUES (pg_read_file('PG_VERSION'))",
    "SELECT sum(1) OVER (ORDER BY pg_read_file('PG_VERSION'))",
    "SELECT * FROM ROWS FROM (pg_ls_dir('.'), generate_series(1, 2)) x",
    "SELECT CASE WHEN true THEN pg_read_file('PG_VERSION') END",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT alias_of_read('PG_VERSION')",
    "SELECT * FROM innocent",
    "TABLE outer_view",
    "SELECT quoted()",
    "SELECT escaped()",
    // The name of a WITH query elsewhere does not hide the view.
    "SELECT * FROM (WITH innocent AS (SELECT 1) SELECT * FROM innocent) x, innocent",
    // Text as SQL, and code.
    "SELECT query_to_xml('DELETE FROM canary', true, true, '')",
    "SELECT database_to_xml(true, true, '')",
    "SELECT * FROM ts_stat('SELECT pg_sleep(30)::text::tsvector')",
    "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(n int)",
    "SELECT dblink_exec('dbname=postgres', 'CREATE TABLE t (n int)')",
    "SELECT dynamic('DELETE FROM canary')",
    "SELECT definer()",
    "SELECT * FROM program",
    "SELECT c.of_row FROM customers c",
    "SELECT (c).of_row FROM customers c",
    // Settings, signals, locks.
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT * FROM set_config('default_transaction_read_only', 'off', false)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_reload_conf()",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_notify('x', 'y')",
    "SELECT pg_logical_emit_message(true, 'a', 'b')",
    "SELECT pg_create_physical_replication_slot('s')",
    "SELECT pg_switch_wal()",
    "SELECT pg_stat_reset()",
    "SELECT pg_export_snapshot()",
    // Waiting.
    "SELECT pg_sleep(30)",
    "SELECT * FROM pg_sleep_for('30 s')",
    "SELECT 1 WHERE pg_sleep_until(now() + '30 s') IS NULL",
    "SELECT pg_catalog.pg_sleep(30) FROM canary GROUP BY pg_catalog.pg_sleep(30)",
    "SELECT sleeper()",
    "SELECT nested()",
    "SELECT pathed()",
    "SELECT pathed_plpgsql()",
    "SELECT * FROM sleepy",
    "SELECT 1 ==> 2",
    "SELECT 1 OPERATOR(hidden.=) 1",
    "SELECT 1 OPERATOR(public.==>) 2",
    "SELECT 1::pair",
    "SELECT CAST(1 AS public.pair)",
    "SELECT 1::slow",
    "SELECT slow(1)",
    "SELECT jsonb_populate_record(NULL::wrapped, '{\"s\": 1}')",
    "SELECT * FROM jsonb_to_record('{\"s\": 1}') AS x(s slow)",
    "SELECT slow_sum(id) FROM customers",
    "SELECT * FROM guarded",
];

/// What reads, however odd it looks.
pub const ALLOWED: &[&str] = &[
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders",
    "SELECT * FROM generate_series(1, 10) WITH ORDINALITY",
    "SELECT unnest(tags), jsonb_build_object('a', id) FROM customers",
    "SELECT current_setting('work_mem'), now(), clock_timestamp(), random(), gen_random_uuid()",
    "SELECT pg_size_pretty(pg_total_relation_size('orders')), pg_relation_size('orders'::regclass)",
    "SELECT rank() OVER w, lag(total) OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY at)",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_locks",
    "SELECT * FROM information_schema.tables",
    "TABLE customers",
    "VALUES (1), (2)",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
    "SELECT doc ->> 'a', doc @> '{}', tags && ARRAY['b'] FROM orders JOIN customers c ON c.id = customer_id LIMIT 1",
    "SELECT string_agg(status, ',' ORDER BY at), array_agg(DISTINCT status) FROM orders",
    "SELECT * FROM paid WHERE at BETWEEN current_date - 7 AND current_date",
    "SELECT extract(year FROM at), date_trunc('month', at), at + interval '1 day' FROM orders LIMIT 1",
    "SELECT 'x' ~ 'y', 'a' LIKE 'b%', to_tsvector('a') @@ to_tsquery('a')",
    "SELECT count(*) FROM orders TABLESAMPLE BERNOULLI (10)",
    "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM orders",
    "EXPLAIN ANALYZE VERBOSE (SELECT 1) UNION (SELECT 2)",
    "EXPLAIN (SELECT 1)",
    "SELECT fine(3), fine_plpgsql(2), 3 OPERATOR(public.<+>) 4, median(id) FROM customers GROUP BY id LIMIT 2",
    "SELECT 'a'::mood, 5::positive, c.email FROM customers c LIMIT 1;",
    "SELECT similarity('a', 'b'), 'a' % 'b', digest('a', 'sha256'), uuid_generate_v4()",
];
