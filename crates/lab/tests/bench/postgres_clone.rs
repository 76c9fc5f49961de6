use crate::support::{copy, explained, open, source, text};

/// One of each thing a schema can hold that a copy must reproduce.
const SCHEMA: &str = r#"
CREATE SCHEMA "Shop Ä";
CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE DOMAIN types.percent AS numeric(5,2) DEFAULT 1.5 NOT NULL
  CONSTRAINT in_range CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE types.place AS (street text COLLATE "C", house int, moods types.mood[]);
CREATE TYPE types.span AS RANGE (SUBTYPE = float8);
CREATE COLLATION types.plain (LOCALE = 'C');
CREATE SEQUENCE types.numbers START 7;
CREATE FUNCTION types.twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
CREATE FUNCTION types.label(m types.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN 'mood ' || m::text; END $$;

CREATE TABLE "Shop Ä"."Customer's" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "größe" text COLLATE types.plain,
  mood types.mood DEFAULT 'happy',
  CONSTRAINT "ck größe" CHECK (length("größe") < 100)
);
INSERT INTO "Shop Ä"."Customer's" ("größe", mood)
  SELECT CASE WHEN g % 10 = 0 THEN NULL WHEN g % 10 = 1 THEN '' ELSE 'Zeile' || E'\n\t\\' || g END,
    (ARRAY['sad', 'it''s ok', 'happy', NULL]::types.mood[])[g % 4 + 1]
  FROM generate_series(1, 500) g;

CREATE TABLE "Shop Ä".everything (
  id int PRIMARY KEY DEFAULT nextval('types.numbers'),
  customer bigint REFERENCES "Shop Ä"."Customer's" ("Id"),
  bits bit varying(8), flag bool, c char(5), v varchar(20), raw bytea,
  num numeric, money numeric(12,2), f4 real, f8 double precision,
  d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval,
  js json, jb jsonb, x uuid, net inet, mac macaddr, pt point, ints int[], texts text[][],
  nested jsonb[], moods types.mood[], share types.percent, home types.place,
  r4 int4range, rts tstzrange, mr int4multirange, own types.span, doc tsvector,
  doubled int GENERATED ALWAYS AS (types.twice(id)) STORED,
  CONSTRAINT no_overlap EXCLUDE USING gist (r4 WITH &&) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT pair UNIQUE (v, c) INCLUDE (flag)
);
INSERT INTO "Shop Ä".everything
  SELECT g, g % 500 + 1, (g % 200)::bit(8)::varbit, g % 2 = 0, 'ab' || g % 9, 'v' || g,
    decode(md5(g::text), 'hex'),
    CASE g % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 1e30 WHEN 2 THEN 0.00000001 ELSE g END,
    g * 1.25, CASE WHEN g % 7 = 0 THEN 'Infinity' ELSE g / 3.0 END, CASE WHEN g % 7 = 0
      THEN '-Infinity' WHEN g % 7 = 1 THEN 'NaN' WHEN g % 7 = 2 THEN '-0' ELSE g / 7.0 END,
    CASE WHEN g % 9 = 0 THEN 'infinity' ELSE date '4000-01-01 BC' + g * 100 END,
    time '00:00' + g * interval '1 s', timetz '12:00+05:30' + g * interval '1 s',
    CASE WHEN g % 9 = 1 THEN '-infinity' ELSE timestamp '2020-02-29' + g * interval '1 h' END,
    CASE WHEN g % 9 = 2 THEN 'infinity' ELSE timestamptz '2020-02-29Z' + g * interval '1 m' END,
    make_interval(months => g % 30, days => g, secs => g / 10.0),
    format('{"b": %s,  "a": null}', g)::json, jsonb_build_object('n', g, 'l', ARRAY[g, NULL]),
    md5(g::text)::uuid, '10.0.0.0'::inet + g, '08:00:2b:01:02:03', point(g, -g),
    ARRAY[g, NULL, -g], ARRAY[['a"b', NULL], ['', 'c,d']], ARRAY['{"k": 1}'::jsonb, NULL],
    ARRAY['sad', NULL, 'happy']::types.mood[], g % 100,
    ROW('Street "' || g, g, ARRAY['sad']::types.mood[])::types.place,
    int4range(g * 10, g * 10 + 9), CASE WHEN g % 3 = 0 THEN 'empty'
      ELSE tstzrange('2020-01-01Z', NULL) END, '{[1,3),[7,9)}',
    types.span(g, g + 0.5), to_tsvector('english', 'number ' || g || ' walks')
  FROM generate_series(1, 2000) g;
CREATE INDEX "by Label" ON "Shop Ä".everything (types.label(moods[1]), id DESC NULLS LAST)
  WHERE flag;
CREATE INDEX everything_jb ON "Shop Ä".everything USING gin (jb jsonb_path_ops);
CREATE INDEX everything_brin ON "Shop Ä".everything USING brin (id) WITH (pages_per_range = 4);
CREATE STATISTICS "Shop Ä".correlated (dependencies, mcv) ON flag, c FROM "Shop Ä".everything;

CREATE TABLE "Shop Ä".events (at date NOT NULL, id int, note text, PRIMARY KEY (at, id))
  PARTITION BY RANGE (at);
CREATE TABLE "Shop Ä".events_1 PARTITION OF "Shop Ä".events
  FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Shop Ä".events_2 (id int NOT NULL, dropped int, at date NOT NULL, note text);
ALTER TABLE "Shop Ä".events_2 DROP COLUMN dropped;
ALTER TABLE "Shop Ä".events ATTACH PARTITION "Shop Ä".events_2
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE "Shop Ä".events_rest PARTITION OF "Shop Ä".events DEFAULT;
CREATE INDEX ON "Shop Ä".events (note);
INSERT INTO "Shop Ä".events SELECT date '2023-12-01' + g, g, 'note ' || g % 10
  FROM generate_series(1, 1000) g;

CREATE VIEW "Shop Ä".happy AS SELECT e.id, c."größe", types.label(c.mood) AS label
  FROM "Shop Ä".everything e JOIN "Shop Ä"."Customer's" c ON c."Id" = e.customer
  WHERE c.mood = 'happy';
CREATE MATERIALIZED VIEW "Shop Ä".counts AS
  SELECT mood, count(*) AS n FROM "Shop Ä"."Customer's" GROUP BY mood;
CREATE UNIQUE INDEX counts_mood ON "Shop Ä".counts (mood);
-- Indexes of a copy are built anew: so are these, to have the same size.
REINDEX TABLE "Shop Ä".everything; REINDEX TABLE "Shop Ä"."Customer's";
ANALYZE; VACUUM "Shop Ä".everything;
"#;

/// Rows in all forms, in the order of the first column.
fn checksum(table: &str) -> String {
    format!(
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '-') FROM {table} t"
    )
}

/// What there is, by the catalogue's own printing: the independent witness.
const DEFINITIONS: &str = r#"
SELECT string_agg(line, E'\n' ORDER BY line) FROM (
  SELECT format('column %s.%s %s %s %s %s%s', c.oid::regclass, a.attname,
    format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    a.attidentity, a.attgenerated) AS line
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = '"Shop Ä"'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    AND c.relkind IN ('r', 'p', 'v') AND c.relname <> 'counts'
  UNION ALL SELECT pg_get_indexdef(x.indexrelid) || ' ' || x.indisvalid FROM pg_index x
    JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = '"Shop Ä"'::regnamespace
  UNION ALL SELECT con.conrelid::regclass || ' ' || con.conname || ' '
    || pg_get_constraintdef(con.oid) FROM pg_constraint con
    WHERE con.connamespace = '"Shop Ä"'::regnamespace
  UNION ALL SELECT pg_get_viewdef(c.oid) FROM pg_class c
    WHERE c.relnamespace = '"Shop Ä"'::regnamespace AND c.relkind = 'v'
  UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
  UNION ALL SELECT inhrelid::regclass || ' of ' || inhparent::regclass FROM pg_inherits
) x"#;

async fn a_copy_equals_its_source(major: u16) {
    let source = source(major, SCHEMA).await;
    let relations = [
        "Shop Ä.happy",
        "Shop Ä.everything",
        "Shop Ä.events",
        "Shop Ä.counts",
        "Shop Ä.Customer's",
    ];
    let bench = copy(&source, &relations, "").await;
    use marula_lab::bench::Bench as _;
    assert_eq!(bench.notes(), [""; 0]);
    assert_eq!(bench.dataset().share, 1.0);
    let lab = open(&bench).await;
    for table in
        ["\"Customer's\"", "everything", "events", "events_1", "events_2", "counts", "happy"]
    {
        let sql = checksum(&format!("\"Shop Ä\".{table}"));
        assert_eq!(text(&lab, &sql).await, text(&source, &sql).await, "{table}");
    }
    let before = text(&source, DEFINITIONS).await.unwrap();
    let after = text(&lab, DEFINITIONS).await.unwrap();
    for line in before.lines() {
        assert!(after.contains(line), "missing: {line}\n in {after}");
    }
    assert_eq!(before.lines().count(), after.lines().count(), "{after}");

    // What the planner knows is the same, column by column.
    let known =
        "SELECT md5(string_agg(s::text, E'\\n' ORDER BY s.tablename, s.attname, s.inherited))
      FROM pg_stats s WHERE schemaname = 'Shop Ä' AND tablename <> 'counts'";
    let rows = "SELECT string_agg(format('%s.%s %s %s', tablename, attname, inherited, s), E'\\n'
      ORDER BY tablename, attname, inherited) FROM pg_stats s WHERE schemaname = 'Shop Ä'";
    if text(&lab, known).await != text(&source, known).await {
        let (a, b) = (text(&source, rows).await.unwrap(), text(&lab, rows).await.unwrap());
        for (a, b) in a.lines().zip(b.lines()) {
            assert_eq!(a, b);
        }
    }
    for statement in [
        "SELECT * FROM \"Shop Ä\".happy WHERE id < 50",
        "SELECT count(*) FROM \"Shop Ä\".everything WHERE flag AND c = 'ab3'",
        "SELECT * FROM \"Shop Ä\".everything WHERE types.label(moods[1]) = 'mood sad' AND flag",
        "SELECT * FROM \"Shop Ä\".everything WHERE ints @> ARRAY[5] OR doc @@ 'walk'::tsquery",
        "SELECT * FROM \"Shop Ä\".everything WHERE r4 && int4range(100, 200)",
        "SELECT * FROM \"Shop Ä\".events WHERE at > '2025-06-01' AND note = 'note 3'",
        "SELECT mood, n FROM \"Shop Ä\".counts WHERE mood = 'sad'",
        "SELECT v FROM \"Shop Ä\".everything WHERE v LIKE 'v1%' ORDER BY v LIMIT 3",
    ] {
        assert_eq!(explained(&lab, statement).await, explained(&source, statement).await);
    }
}

#[tokio::test]
async fn a_copy_equals_its_source_on_15() {
    a_copy_equals_its_source(15).await;
}

#[tokio::test]
async fn a_copy_equals_its_source_on_18() {
    a_copy_equals_its_source(18).await;
}

#[tokio::test]
async fn stale_and_missing_statistics_stay_so() {
    for major in [15, 18] {
        let source = source(
            major,
            "CREATE TABLE stale (id int PRIMARY KEY, kind int); CREATE INDEX ON stale (kind);
             INSERT INTO stale SELECT g, 1 FROM generate_series(1, 1000) g; ANALYZE stale;
             INSERT INTO stale SELECT g, g FROM generate_series(1001, 50000) g;
             CREATE TABLE never (id int, note text);
             INSERT INTO never SELECT g, 'n' || g FROM generate_series(1, 20000) g;",
        )
        .await;
        let bench = copy(&source, &["public.stale", "public.never"], "").await;
        let lab = open(&bench).await;
        for statement in [
            "SELECT * FROM stale WHERE kind = 7",
            "SELECT * FROM stale WHERE kind = 1",
            "SELECT * FROM never WHERE note = 'n7'",
            "SELECT * FROM stale s JOIN never n USING (id) WHERE s.kind = 30000",
        ] {
            assert_eq!(explained(&lab, statement).await, explained(&source, statement).await);
        }
    }
}

#[tokio::test]
async fn a_function_a_statement_names_comes_along_and_a_foreign_table_is_refused() {
    let source = source(
        15,
        "CREATE TABLE t (a int); INSERT INTO t VALUES (3);
         CREATE FUNCTION helper(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1';
         CREATE EXTENSION postgres_fdw;
         CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
         CREATE FOREIGN TABLE elsewhere (a int) SERVER other;",
    )
    .await;
    let bench = copy(&source, &["public.t"], "SELECT helper(a) FROM t").await;
    let lab = open(&bench).await;
    assert_eq!(text(&lab, "SELECT public.helper(a)::text FROM t").await.as_deref(), Some("4"));

    use marula_lab::clone::{CloneLimits, postgres};
    let request = postgres::Request {
        relations: vec!["public.elsewhere".into()],
        joins: Vec::new(),
        statement: String::new(),
        limits: CloneLimits::default(),
    };
    let lab = marula_lab::shared::postgres(15).await.unwrap().spec();
    let refused = postgres::clone(&source, &lab, &request, &marula_core::Quiet).await;
    let Err(error) = refused else { panic!("a foreign table was copied") };
    assert!(error.message().contains("foreign table"), "{error}");
}
