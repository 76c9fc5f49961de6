//! In no step of a long change, and on no way back, is a value lost or a rule of the schema left out.

use marula_lab::shared;
use marula_migrate::postgres::long::{
    Derived, LongChange, Place, change_type, derive, rename_column,
};
use marula_postgres::Session;

use super::long::{prepared, run};
use super::long_around::{up, written};

/// What the server complains of.
async fn fails(session: &Session, sql: &str) -> String {
    let error = session.client().batch_execute(sql).await.unwrap_err();
    error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}")).message().to_string()
}

async fn does(session: &Session, sql: &str) {
    session.client().batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn texts(session: &Session, sql: &str) -> Vec<String> {
    let rows = session.client().query(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

async fn typed(
    session: &Session,
    column: &str,
    data_type: &str,
) -> marula_core::Result<LongChange> {
    let (table, column) = column.rsplit_once('.').unwrap();
    let write = |place: &Place<'_>| change_type(place, column, data_type, None, None);
    written(session, table, &[column], write).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_once_the_rows_are_verified() {
    let server = shared::postgres(15).await.unwrap();
    let (spec, session) = prepared(
        server,
        "CREATE TABLE items (id int PRIMARY KEY, code text, title text);
         INSERT INTO items SELECT n, n::text, 'item' || n FROM generate_series(1, 50) n",
    )
    .await;
    let change = typed(&session, "items.code", "int").await.unwrap();
    up(&session, &change, 0..2).await;
    does(&session, "INSERT INTO items (id, code) VALUES (90, '12x')").await;
    let failed = run(&session, &change.stages[2], true).await.unwrap_err();
    assert!(failed.contains("invalid input syntax for type integer"), "{failed}");
    // A row that differs keeps nobody from writing it.
    does(&session, "UPDATE items SET code = '13' WHERE id = 90").await;
    // Who wrote before has ended when the rows are looked at for the last time.
    let other = super::long::open(&spec).await;
    does(&other, "BEGIN; INSERT INTO items (id, code) VALUES (91, '14')").await;
    let ends = async {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        does(&other, "COMMIT").await;
    };
    let (verified, ()) = tokio::join!(run(&session, &change.stages[2], true), ends);
    verified.unwrap();
    let refused = fails(&session, "INSERT INTO items (id, code) VALUES (92, '12x')").await;
    assert!(refused.contains("invalid input syntax for type integer"), "{refused}");
    up(&session, &change, 3..4).await;
    // The old one's place is not the new one's.
    let refused = fails(&session, "INSERT INTO items VALUES (93, '15', 'x')").await;
    assert!(refused.contains("is inserted into the column that goes, code_old"), "{refused}");
    run(&session, &change.stages[3], false).await.unwrap();
    let refused = fails(&session, "UPDATE items SET code = '1.5' WHERE id = 1").await;
    assert!(refused.contains("invalid input syntax for type integer"), "{refused}");
    up(&session, &change, 3..5).await;
    let lost = "SELECT id::text FROM items WHERE code IS NULL OR code <> id AND id < 90";
    assert_eq!(texts(&session, lost).await, Vec::<String>::new());

    // The same for columns split without a way back, and for what a cast cuts short.
    let news = [Derived::parse("number=int:substr(title, 5)").unwrap()];
    let write = |place: &Place<'_>| derive(place, &["title".into()], &news, &[]);
    let split = written(&session, "items", &["title"], write).await.unwrap();
    up(&session, &split, 0..3).await;
    let refused = fails(&session, "UPDATE items SET title = 'none' WHERE id = 1").await;
    assert!(refused.contains("invalid input syntax for type integer"), "{refused}");
    run(&session, &split.stages[2], false).await.unwrap();
    does(&session, "UPDATE items SET title = 'none' WHERE id = 1").await;
    does(
        &session,
        "CREATE TABLE tags (id int PRIMARY KEY, tag text); INSERT INTO tags VALUES (1, 'abc')",
    )
    .await;
    for kind in ["char(3)", "varchar(3)"] {
        let change = typed(&session, "tags.tag", kind).await.unwrap();
        up(&session, &change, 0..3).await;
        let refused = fails(&session, "UPDATE tags SET tag = 'abcd'").await;
        assert!(refused.contains("abcd would be cut short"), "{refused}");
        for at in [2, 1, 0] {
            run(&session, &change.stages[at], false).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_is_not_taken_back_while_the_old_type_would_lose_something() {
    let server = shared::postgres(18).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE TABLE items (id int PRIMARY KEY, code varchar(5), price int);
         INSERT INTO items SELECT n, 'c' || n, n FROM generate_series(1, 50) n",
    )
    .await;
    for (column, data_type, large, small) in
        [("code", "varchar(20)", "'abcdefghij'", "'abc'"), ("price", "numeric(10,2)", "1.55", "2")]
    {
        let change = typed(&session, &format!("items.{column}"), data_type).await.unwrap();
        up(&session, &change, 0..4).await;
        does(&session, &format!("UPDATE items SET {column} = {large} WHERE id = 7")).await;
        let failed = run(&session, &change.stages[3], false).await.unwrap_err();
        assert!(
            failed.contains("1 rows of items hold what the old type does not take"),
            "{failed}"
        );
        does(&session, &format!("UPDATE items SET {column} = {small} WHERE id = 7")).await;
        for at in (0..4).rev() {
            run(&session, &change.stages[at], false).await.unwrap();
        }
    }
    let row = "SELECT code || ' ' || price FROM items WHERE id = 7";
    assert_eq!(texts(&session, row).await, ["abc 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_quotes_and_what_belongs_to_the_column_are_seen() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(
        server,
        r#"CREATE SCHEMA "app x";
           CREATE SEQUENCE "app x"."It's"; CREATE SEQUENCE shared_by_all;
           CREATE TABLE "user t" (id int GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME my_counter) PRIMARY KEY,
             "user-id" text COLLATE "C" NOT NULL DEFAULT 'u' || nextval('shared_by_all'), b text,
             n int NOT NULL DEFAULT nextval('"app x"."It''s"'));
           ALTER SEQUENCE "app x"."It's" OWNED BY NONE;
           COMMENT ON SEQUENCE my_counter IS 'counts';
           CREATE UNIQUE INDEX one ON "user t" (lower("user-id"));
           CREATE UNIQUE INDEX two ON "user t" (b) WHERE "user-id" <> '';
           ALTER TABLE "user t" ALTER "user-id" SET STORAGE EXTERNAL;
           CREATE STATISTICS both_of (ndistinct) ON "user-id", b FROM "user t";
           ALTER STATISTICS both_of SET STATISTICS 77; COMMENT ON STATISTICS both_of IS 'both';
           CREATE TABLE made (id int PRIMARY KEY, "a b" int, twice int GENERATED ALWAYS AS ("a b" * 2) STORED);
           INSERT INTO "user t" (b) SELECT 'b' || n FROM generate_series(1, 20) n"#,
    )
    .await;
    let kept = r#"
      SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '"user t"'::regclass
      UNION ALL SELECT concat_ws(' ', attname, attcollation::regcollation, attstorage, pg_get_expr(adbin, adrelid)) FROM pg_attribute a
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = '"user t"'::regclass AND attnum > 0 AND NOT attisdropped AND attname = 'user-id'
      UNION ALL SELECT concat_ws(' ', to_jsonb(s) ->> 'stxstattarget', obj_description(oid, 'pg_statistic_ext')) FROM pg_statistic_ext s
      UNION ALL SELECT concat_ws(' ', seqrelid::regclass, seqtypid::regtype, obj_description(seqrelid, 'pg_class'), (SELECT
        refobjsubid FROM pg_depend WHERE objid = seqrelid AND deptype = 'a')) FROM pg_sequence ORDER BY 1"#;
    let before = texts(&session, kept).await;
    assert_eq!(before.len(), 8, "{before:#?}");
    let change = typed(&session, "user t.user-id", "varchar(30)").await.unwrap();
    assert!(change.notes.iter().any(|note| note.contains("stands last")), "{:?}", change.notes);
    up(&session, &change, 0..5).await;
    let found = texts(&session, kept).await;
    let typed_now =
        |fact: &String| fact.replace("lower(\"user-id\")", "lower((\"user-id\")::text)");
    let wanted: Vec<String> = before
        .iter()
        .map(typed_now)
        .map(|fact| match fact.starts_with("CREATE") {
            true => fact.replace("(\"user-id\" <> ''::text)", "((\"user-id\")::text <> ''::text)"),
            false => fact.replace(
                "user-id \"C\" e ('u'::text || nextval('shared_by_all'::regclass))",
                "USER",
            ),
        })
        .collect();
    let found: Vec<String> = found
        .iter()
        .map(|fact| match fact.starts_with("user-id \"C\" e ") && fact.contains("shared_by_all") {
            true => "USER".into(),
            false => fact.clone(),
        })
        .collect();
    assert_eq!(found, wanted);
    // A sequence that belongs to nobody stays what it is, wherever it is.
    let change = typed(&session, "user t.n", "bigint").await.unwrap();
    up(&session, &change, 0..5).await;
    does(&session, r#"INSERT INTO "user t" (b) VALUES ('z')"#).await;
    let found = texts(&session, kept).await;
    assert!(found.contains(&r#""app x"."It's" bigint"#.to_string()), "{found:#?}");
    let change = typed(&session, "user t.id", "bigint").await.unwrap();
    up(&session, &change, 0..4).await;
    run(&session, &change.stages[3], false).await.unwrap();
    let found = texts(&session, kept).await;
    assert!(found.contains(&"my_counter integer counts".to_string()), "{found:#?}");
    let error = typed(&session, "made.a b", "bigint").await.unwrap_err();
    assert!(error.to_string().contains("generated column twice"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_partitions_have_themselves_is_named() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(
        server,
        "CREATE TABLE logs (id int, v int DEFAULT 3 CHECK (v < 1000), PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (1000);
         CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (1000) TO (2000)",
    )
    .await;
    typed(&session, "logs.v", "bigint").await.unwrap();
    for (made, named, gone) in [
        (
            "ALTER TABLE logs_1 ALTER v SET DEFAULT 9",
            "default value",
            "ALTER TABLE logs_1 ALTER v SET DEFAULT 3",
        ),
        (
            "ALTER TABLE logs_2 ADD CONSTRAINT own CHECK (v > 0)",
            "own",
            "ALTER TABLE logs_2 DROP CONSTRAINT own",
        ),
        ("CREATE UNIQUE INDEX fast ON logs_1 (v)", "index fast", "DROP INDEX fast"),
    ] {
        does(&session, made).await;
        for error in [
            typed(&session, "logs.v", "bigint").await.unwrap_err(),
            written(&session, "logs", &["v"], |place| rename_column(place, "v", "w", None))
                .await
                .unwrap_err(),
        ] {
            assert!(error.to_string().contains(named), "{made}: {error}");
        }
        does(&session, gone).await;
    }
    typed(&session, "logs.v", "bigint").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn views_over_a_renamed_column_keep_their_options_and_others_are_left_alone() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session) = prepared(
            server,
            "CREATE SCHEMA app;
             CREATE TABLE public.org (id int PRIMARY KEY, code text, nu text);
             CREATE TABLE app.org (id int PRIMARY KEY, code text, secret text);
             INSERT INTO public.org VALUES (1, 'P1', 'N1'); INSERT INTO app.org VALUES (1, 'A1', 'S1');
             CREATE VIEW invoked WITH (security_invoker = true) AS SELECT id, code FROM app.org;
             CREATE VIEW walled WITH (security_barrier) AS SELECT id, code FROM app.org WHERE code <> 'bad'
               WITH LOCAL CHECK OPTION;
             CREATE VIEW other AS SELECT id, code FROM public.org",
        )
        .await;
        let options =
            "SELECT concat_ws(' ', relname, reloptions::text) FROM pg_class WHERE relkind = 'v'
                        AND relnamespace = 'public'::regnamespace ORDER BY 1";
        let before = texts(&session, options).await;
        let write = |place: &Place<'_>| rename_column(place, "code", "nu", None);
        let change = written(&session, "app.org", &["code"], write).await.unwrap();
        up(&session, &change, 0..4).await;
        let read = "SELECT code FROM other UNION ALL SELECT code FROM invoked";
        assert_eq!(texts(&session, read).await, ["P1", "A1"]);
        assert_eq!(texts(&session, options).await, before);
        let refused = fails(&session, "INSERT INTO walled VALUES (9, 'bad')").await;
        assert!(refused.contains("check option"), "{refused}");
        for at in (0..4).rev() {
            run(&session, &change.stages[at], false).await.unwrap();
        }
        assert_eq!(texts(&session, options).await, before);
        up(&session, &change, 0..5).await;
        assert_eq!(texts(&session, read).await, ["P1", "A1"]);
        // Which of the two is meant is for a person where the name alone does not tell.
        does(&session, "CREATE VIEW both_of AS SELECT o.id, o.secret FROM app.org o JOIN public.org p ON p.nu = o.secret")
            .await;
        let write = |place: &Place<'_>| rename_column(place, "secret", "hidden", None);
        let error = written(&session, "app.org", &["secret"], write).await;
        match error {
            Ok(change) => up(&session, &change, 0..5).await,
            Err(error) => assert!(error.to_string().contains("view public.both_of"), "{error}"),
        }
    }
}
