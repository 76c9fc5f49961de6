use std::time::{Duration, Instant};

use super::{Project, postgres};

const TABLE: (&str, &str) = (
    "1_table.sql",
    "-- migrate:up\nCREATE TABLE t (id int PRIMARY KEY, a int);\n\
     INSERT INTO t SELECT g, g % 10 FROM generate_series(1, 1000) g;\n-- migrate:down\nDROP TABLE t;\n",
);

/// Runs it, and wants this exit code and all these words.
fn said(project: &Project, code: i32, args: &[&str], words: &[&str]) {
    let (found, said) = project.run(args);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(found, Some(code), "marula {}: {said}", args.join(" "));
    for word in words {
        assert!(flat.contains(word), "'{word}' is not in: {said}");
    }
}

const APPLY: [&str; 3] = ["migrate", "apply", "t"];

#[test]
fn up_and_down_again_with_nothing_left() {
    let (project, eye) = postgres(
        18,
        &[
            TABLE,
            (
                "2_more.sql",
                "-- migrate:up\nALTER TABLE t ADD b int;\n-- migrate:down\nALTER TABLE t DROP b;\n",
            ),
        ],
    );
    said(
        &project,
        0,
        &["migrate", "plan", "t", "--fail-on", "never"],
        &["2 migrations would run, 3 statements", "in the file's transaction"],
    );
    assert_eq!(
        eye.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'marula'"),
        0,
        "a plan changes nothing"
    );
    said(&project, 0, &["migrate", "apply", "t", "--to", "1"], &["1 migration applied"]);
    said(&project, 0, &APPLY, &["1 migration applied"]);
    said(&project, 0, &APPLY, &["nothing to do"]);
    said(&project, 0, &["migrate", "status", "t"], &["2 applied, 0 to come"]);
    said(&project, 2, &["migrate", "rollback", "t", "--to", "7"], &["'7' has not run here"]);
    said(&project, 0, &["migrate", "rollback", "t", "--count", "2"], &["2 migrations rolled back"]);
    assert_eq!(eye.number("SELECT count(*) FROM pg_class WHERE relname = 't'"), 0);
    said(&project, 0, &APPLY, &["2 migrations applied"]);
}

#[test]
fn a_target_is_read_only_unless_its_entry_says_otherwise() {
    let (project, eye) = postgres(18, &[TABLE]);
    let config = "[targets.t]\nurl = \"env:KILLS_URL\"\n";
    std::fs::write(project.path().join("marula.toml"), config).unwrap();
    for command in ["apply", "rollback", "adopt"] {
        said(
            &project,
            2,
            &["migrate", command, "t"],
            &["t is read-only for this program", "access = \"read-write\""],
        );
    }
    said(&project, 2, &["migrate", "apply", "env:KILLS_URL"], &["is read-only for this program"]);
    said(&project, 0, &["migrate", "status", "t"], &["0 applied, 1 to come"]);
    assert_eq!(eye.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'marula'"), 0);
}

#[test]
fn drift_is_found_before_anything_runs() {
    let (project, eye) = postgres(18, &[TABLE]);
    project.expect(&APPLY);
    let file = |name: &str| project.path().join("migrations").join(name);
    std::fs::write(file("5_later.sql"), "-- migrate:up\nCREATE TABLE later (a int);\n").unwrap();
    // Line endings are no change.
    std::fs::write(file(TABLE.0), TABLE.1.replace('\n', "\r\n")).unwrap();
    said(&project, 0, &["migrate", "verify", "t"], &["1 applied, 1 to come"]);
    std::fs::write(file(TABLE.0), TABLE.1.replace("% 10", "% 11")).unwrap();
    said(
        &project,
        2,
        &APPLY,
        &[
            "1_table.sql was changed after it had run; nothing ran",
            "help: put 1_table.sql back",
            "or write what was changed into a new migration",
            "repair --accept 1",
        ],
    );
    said(&project, 1, &["migrate", "verify", "t"], &["migration-drift"]);
    said(
        &project,
        0,
        &["migrate", "repair", "t", "--accept", "1"],
        &["1: its file is taken as it is now"],
    );
    project.expect(&APPLY);
    std::fs::write(file("3_between.sql"), "-- migrate:up\nCREATE TABLE between_them (a int);\n")
        .unwrap();
    said(
        &project,
        2,
        &APPLY,
        &[
            "3_between.sql has not run, and 5, which comes after it, has; nothing ran",
            "--out-of-order",
        ],
    );
    said(&project, 0, &["migrate", "apply", "t", "--out-of-order"], &["1 migration applied"]);
    std::fs::rename(file("5_later.sql"), file("6_later.sql")).unwrap();
    said(&project, 2, &APPLY, &["6_later.sql has run already, as 5_later.sql"]);
    std::fs::remove_file(file("6_later.sql")).unwrap();
    said(&project, 2, &APPLY, &["5_later.sql has run here, and is not in the folder"]);
    said(&project, 0, &["migrate", "repair", "t", "--forget", "5"], &["5: forgotten"]);
    said(&project, 0, &APPLY, &["nothing to do"]);
    assert_eq!(eye.number("SELECT count(*) FROM t"), 1000, "nothing ran twice");
}

#[test]
fn a_failure_leaves_what_is_done_and_the_same_command_goes_on() {
    let bad = "-- migrate:up transaction:false\nALTER TABLE t ADD b int;\nUPDATE t SET a = a + 1;\nALTER TABLE nowhere ADD c int;\n";
    let (project, eye) = postgres(18, &[TABLE, ("2_bad.sql", bad)]);
    said(
        &project,
        2,
        &APPLY,
        &[
            "nowhere",
            "2_bad.sql:4",
            "2 of its 3 statements are done and stay; the same command goes on from there",
        ],
    );
    said(&project, 1, &["migrate", "status", "t"], &["half applied, 2 of 3 done"]);
    said(
        &project,
        2,
        &["migrate", "rollback", "t"],
        &[
            "2_bad.sql is half applied: 2 of 3 done",
            "finish it, then roll back",
            "or mend the statement that failed",
            "or take what is done back by hand",
            "repair TARGET --forget 2",
        ],
    );
    // The statement that failed is mended; those before it must stay.
    let path = project.path().join("migrations/2_bad.sql");
    std::fs::write(&path, bad.replace("a + 1", "a + 2").replace("nowhere", "t")).unwrap();
    said(&project, 2, &APPLY, &["its statement 2, which ran, was changed"]);
    std::fs::write(&path, bad.replace("nowhere", "t")).unwrap();
    said(&project, 0, &APPLY, &["1 migration applied"]);
    assert_eq!(eye.number("SELECT sum(a)::int8 FROM t"), 4500 + 1000, "the update ran once");
    // In one transaction nothing of it stays.
    let path = project.path().join("migrations/3_bad.sql");
    std::fs::write(&path, "-- migrate:up\nUPDATE t SET a = 0;\nSELECT 1 / 0;\n").unwrap();
    said(&project, 3, &APPLY, &["division by zero", "rolled back: nothing of it is done"]);
    assert_eq!(eye.number("SELECT sum(a)::int8 FROM t"), 5500);
    said(&project, 0, &["migrate", "status", "t"], &["2 applied, 1 to come"]);
}

#[test]
fn what_has_no_way_back_is_refused_by_name() {
    let (project, eye) =
        postgres(18, &[TABLE, ("2_drop.sql", "-- migrate:up\nALTER TABLE t DROP a;\n")]);
    project.expect(&APPLY);
    said(
        &project,
        2,
        &["migrate", "rollback", "t", "--count", "2"],
        &["2_drop.sql cannot be taken back: it has no down part; nothing ran"],
    );
    assert_eq!(eye.number("SELECT count(*) FROM t"), 1000);
}

#[test]
fn an_invalid_index_is_dropped_and_built_again() {
    let concurrently = "-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);\n";
    let (project, eye) = postgres(15, &[TABLE, ("2_index.sql", concurrently)]);
    // Duplicates: the build fails, and nothing invalid stays.
    said(&project, 3, &APPLY, &["could not create unique index", "2_index.sql:2"]);
    assert_eq!(eye.number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    // One that somebody else left, which IF NOT EXISTS would keep.
    let left = eye.runtime.block_on(
        eye.session.client().batch_execute("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"),
    );
    assert!(left.is_err());
    said(&project, 1, &["migrate", "verify", "t"], &["the index public.t_a is invalid"]);
    eye.run("UPDATE t SET a = id");
    said(
        &project,
        0,
        &APPLY,
        &["the invalid index public.t_a, left by a build that broke off, was dropped"],
    );
    assert_eq!(
        eye.number(
            "SELECT count(*) FROM pg_index WHERE indexrelid = 't_a'::regclass AND indisvalid"
        ),
        1
    );
}

#[test]
fn a_statement_that_gets_no_lock_lets_others_pass_and_tries_again() {
    let (project, eye) = postgres(
        18,
        &[TABLE, ("2_lock.sql", "-- migrate:up lock_timeout:100ms\nALTER TABLE t ADD b int;\n")],
    );
    project.expect(&["migrate", "apply", "t", "--to", "1"]);
    eye.run("BEGIN; SELECT count(*) FROM t");
    said(
        &project,
        3,
        &["migrate", "apply", "t", "--tries", "2"],
        &["lock timeout", "it was tried 2 times", "t is held by pid ", "SELECT count(*) FROM t"],
    );
    let child = project.apply();
    std::thread::sleep(Duration::from_millis(700));
    // It holds nothing between its tries: somebody else can read and write.
    eye.run("INSERT INTO t VALUES (0, 0); COMMIT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_database_that_is_set_to_read_only_stays_as_it_is() {
    let (project, eye) = postgres(15, &[TABLE]);
    let name = eye.session.spec().database().to_string();
    eye.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let words = ["is set to read only", "nothing ran", "RESET default_transaction_read_only"];
    said(&project, 2, &APPLY, &words);
    assert_eq!(eye.number("SELECT count(*) FROM pg_class WHERE relname = 't'"), 0);
    let once =
        project.marula(&APPLY).env("PGOPTIONS", "-c default_transaction_read_only=off").output();
    let once = once.unwrap();
    assert_eq!(once.status.code(), Some(0), "{}", String::from_utf8_lossy(&once.stderr));
}

#[test]
fn a_limit_of_the_files_own_is_named() {
    let file = "-- migrate:up\nSET statement_timeout = '100ms';\nSELECT pg_sleep(5);\n";
    let (project, _) = postgres(15, &[("1_slow.sql", file)]);
    said(&project, 3, &APPLY, &["statement timeout", "the file sets statement_timeout"]);
}

#[test]
fn of_two_at_once_one_waits_or_refuses() {
    let slow = "-- migrate:up transaction:false\nDO $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) \
                LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;\nINSERT INTO t VALUES (-1, 0);\n";
    let (project, eye) = postgres(18, &[TABLE, ("2_slow.sql", slow)]);
    eye.run("CREATE TABLE gate (open boolean)");
    let first = project.apply();
    let until = Instant::now() + Duration::from_secs(30);
    while eye.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    let (code, refused) = project.run(&["migrate", "apply", "t", "--wait", "0s"]);
    assert_eq!(code, Some(2), "{refused}");
    assert!(
        refused.contains("somebody else migrates this database") && refused.contains("(pid "),
        "{refused}"
    );
    said(&project, 1, &["migrate", "status", "t", "--fail-on", "info"], &["At work now:"]);
    let second = project.apply();
    eye.run("INSERT INTO gate VALUES (true)");
    let (first, second) = (first.wait_with_output().unwrap(), second.wait_with_output().unwrap());
    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)));
    assert_eq!(eye.number("SELECT count(*) FROM t WHERE id = -1"), 1);
}

#[test]
fn what_cannot_be_resumed_is_refused_before_it_begins() {
    for (file, why) in [
        (
            "-- migrate:up\nCREATE INDEX CONCURRENTLY i ON t (a);\n",
            "this cannot run in a transaction, and the file runs in one; nothing ran",
        ),
        (
            "-- migrate:up\nBEGIN;\nSELECT 1;\nCOMMIT;\n",
            "opens or ends one of its own here; nothing ran",
        ),
        (
            "-- migrate:up transaction:false\nCREATE TEMP TABLE x (a int);\nSELECT 1;\n",
            "a temporary table lives as long as its session",
        ),
        (
            "-- migrate:up transaction:false\nBEGIN;\nSELECT 1;\n",
            "does not end in the file; nothing ran",
        ),
        ("-- migrate:up transaction:true batch:100\nSELECT 1;\n", "exclude each other"),
    ] {
        let (project, eye) = postgres(18, &[TABLE, ("2_x.sql", file)]);
        said(&project, 2, &APPLY, &[why]);
        assert_eq!(eye.number("SELECT count(*) FROM pg_class WHERE relname = 't'"), 0, "{file}");
    }
}

#[test]
fn batches_want_a_key_and_leave_it_alone() {
    let (project, _eye) = postgres(
        18,
        &[
            (
                "1_t.sql",
                "-- migrate:up\nCREATE TABLE bare (a int);\nCREATE TABLE keyed (id int PRIMARY KEY);\n",
            ),
            ("2_x.sql", "-- migrate:up batch:10\nUPDATE bare SET a = 1;\n"),
        ],
    );
    said(&project, 2, &APPLY, &["bare has neither a primary key nor a unique index", "2_x.sql:2"]);
    let path = project.path().join("migrations/2_x.sql");
    std::fs::write(&path, "-- migrate:up batch:10\nUPDATE keyed SET id = id + 1;\n").unwrap();
    said(&project, 2, &APPLY, &["it changes the key column id"]);
}

#[test]
fn batches_go_by_keys_of_several_columns_and_any_type() {
    let table = "-- migrate:up
CREATE TABLE m (t text, at timestamptz, u uuid, n numeric NOT NULL DEFAULT 0, PRIMARY KEY (t, at, u));
INSERT INTO m SELECT chr(65 + g % 40) || '''', now() + g * interval '1 ms', gen_random_uuid() FROM generate_series(1, 3000) g;
";
    let (project, eye) = postgres(
        15,
        &[
            ("1_m.sql", table),
            (
                "2_fill.sql",
                "-- migrate:up batch:70\nUPDATE m AS \"Mine\" SET n = n + 1 WHERE t <> 'B''' OR t IS NULL;\nDELETE FROM ONLY m WHERE t = 'C''';\n",
            ),
        ],
    );
    project.expect(&APPLY);
    assert_eq!(eye.number("SELECT count(*) FROM m WHERE n <> (t <> 'B''')::int"), 0);
    assert_eq!(eye.number("SELECT count(*) FROM m WHERE t = 'C'''"), 0);
}

#[test]
fn a_block_that_commits_by_itself_is_not_run_twice_unasked() {
    let block = "-- migrate:up transaction:false
DO $$ BEGIN UPDATE t SET a = a + 1 WHERE id <= 500; COMMIT; PERFORM pg_sleep(1.5); UPDATE t SET a = a + 1 WHERE id > 500; END $$;
";
    let (project, eye) = postgres(18, &[TABLE, ("2_block.sql", block)]);
    project.expect(&["migrate", "apply", "t", "--to", "1"]);
    let mut child = project.apply();
    let until = Instant::now() + Duration::from_secs(30);
    while eye.number("SELECT sum(a)::int8 FROM t") == 4500 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said(
        &project,
        2,
        &APPLY,
        &["how far it came cannot be seen from outside", "repair TARGET --again 2"],
    );
    said(
        &project,
        0,
        &["migrate", "repair", "t", "--done", "2"],
        &["2: statement 1 is noted as done"],
    );
    said(&project, 0, &APPLY, &["1 migration applied"]);
}

#[test]
fn a_role_a_file_sets_ends_with_it() {
    let (project, eye) = postgres(
        18,
        &[
            (
                "1_role.sql",
                "-- migrate:up transaction:false\nCREATE TABLE before (a int);\nSET ROLE pg_monitor;\nSELECT 1;\nSELECT pg_catalog.set_config('search_path', '', false);\nSELECT 2;\n",
            ),
            ("2_after.sql", "-- migrate:up\nCREATE TABLE after (a int);\n"),
        ],
    );
    project.expect(&APPLY);
    assert_eq!(eye.number("SELECT count(*) FROM pg_tables WHERE tablename = 'after' AND schemaname = 'public' AND tableowner = 'postgres'"), 1);
}

#[test]
fn wrong_engine_no_rights_and_names_that_are_not_there() {
    let (project, eye) = postgres(18, &[("1_x.json", "{\"up\": [{\"create\": \"a\"}]}")]);
    said(&project, 2, &APPLY, &["these migrations are for MongoDB, and t is PostgreSQL"]);
    let (project, _) = postgres(18, &[TABLE]);
    said(
        &project,
        2,
        &["migrate", "apply", "t", "--to", "9"],
        &["no migration has the version '9'"],
    );
    eye.run("DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN");
    let weak = eye.session.spec().database().to_string();
    let server = eye.runtime.block_on(marula_lab::shared::postgres(18)).unwrap();
    let url = server
        .url()
        .replace("/postgres?", &format!("/{weak}?"))
        .replace("user=postgres", "user=weak");
    let project = Project::new(url, &[TABLE]);
    said(&project, 3, &APPLY, &["weak may not write the history"]);
    eye.run("DROP ROLE weak");
}

#[test]
fn a_backfill_does_not_run_after_those_who_insert() {
    let fill = "-- migrate:up batch:200 pace:20ms\nUPDATE t SET a = 77;\n";
    let (project, eye) = postgres(18, &[TABLE, ("2_fill.sql", fill)]);
    project.expect(&["migrate", "apply", "t", "--to", "1"]);
    let mut child = project.apply();
    let until = Instant::now() + Duration::from_secs(60);
    let mut next = 10_000;
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it runs after what is inserted");
        eye.run(&format!("INSERT INTO t VALUES ({next}, 0)"));
        next += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(eye.number("SELECT count(*) FROM t WHERE id < 10000 AND a <> 77"), 0);
}

#[test]
fn what_waits_runs_when_it_is_named() {
    let (project, eye) = postgres(
        18,
        &[
            TABLE,
            ("2_more.sql", "-- migrate:up\nALTER TABLE t ADD b int;\n"),
            ("3_less.sql", "-- Deploy first.\n-- migrate:up hold:true\nALTER TABLE t DROP a;\n"),
            ("4_last.sql", "-- migrate:up\nALTER TABLE t ADD c int;\n"),
        ],
    );
    let waits = "3_less.sql waits until it is named";
    said(&project, 0, &APPLY, &["2 migrations applied", waits, "marula migrate apply --to 3"]);
    said(&project, 0, &APPLY, &["nothing to do", waits]);
    said(&project, 0, &["migrate", "plan", "t"], &[waits]);
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 \
                   AND NOT attisdropped";
    assert_eq!(eye.number(columns), 3);
    said(&project, 0, &["migrate", "apply", "t", "--to", "3"], &["1 migration applied"]);
    said(&project, 0, &APPLY, &["1 migration applied"]);
    assert_eq!(eye.number(columns), 3);
}

#[test]
fn a_difference_does_not_touch_what_has_run() {
    let (project, eye) = postgres(18, &[TABLE]);
    said(&project, 0, &APPLY, &["1 migration applied"]);
    eye.run("CREATE TABLE schema_migrations (id serial PRIMARY KEY, version text)");
    let (_, found) = project.run(&["migrate", "diff", "t", "migrations"]);
    assert!(!found.contains("marula") && !found.contains("schema_migrations"), "{found}");
}

#[test]
fn rows_that_would_make_it_fail_are_found_before_it_begins() {
    let (project, eye) = postgres(18, &[TABLE]);
    project.expect(&APPLY);
    eye.run("INSERT INTO t VALUES (-1, NULL), (-2, NULL)");
    let new = ["migrate", "not-null", "t.a", "--dir", "migrations", "--target", "t"];
    said(&project, 0, &new, &["with --fill a migration before it fills those"]);
    let told = "2 rows hold NULL in a of t, which is to have none; nothing ran";
    said(&project, 2, &APPLY, &[told, "--no-data-check"]);
    assert_eq!(eye.number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), 0);
    for file in std::fs::read_dir(project.path().join("migrations")).unwrap() {
        let path = file.unwrap().path();
        if !path.ends_with(TABLE.0) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let filled = [&new[..], &["--fill", "0"]].concat();
    said(&project, 0, &filled, &[]);
    said(&project, 0, &APPLY, &["2 migrations applied"]);
    assert_eq!(eye.number("SELECT count(*) FROM t WHERE a IS NULL"), 0);
}

#[test]
fn what_is_written_for_a_target_minds_what_it_has() {
    let (project, eye) = postgres(18, &[TABLE]);
    project.expect(&APPLY);
    eye.run(
        "CREATE TABLE parted (id int, at date NOT NULL) PARTITION BY RANGE (at);
         CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE INDEX t_half ON t (a) WHERE a > 5",
    );
    let on = ["--dir", "migrations", "--target", "t"];
    let new = |args: &[&'static str]| [&["migrate"], args, &on[..]].concat();
    said(&project, 0, &new(&["add-index", "parted", "at desc"]), &[]);
    said(&project, 0, &APPLY, &["1 migration applied"]);
    let valid = "SELECT count(*) FROM pg_index WHERE indrelid IN ('parted'::regclass, \
                 'parted_1'::regclass, 'parted_2'::regclass) AND indisvalid";
    assert_eq!(eye.number(valid), 3);
    said(&project, 0, &["migrate", "rollback", "t"], &["1 migration rolled back"]);
    assert_eq!(eye.number(valid), 0);
    said(&project, 2, &new(&["add-index", "t", "nope"]), &["table t has no column nope"]);
    said(&project, 2, &new(&["not-null", "nope.a"]), &["there is no table nope"]);
    said(&project, 2, &new(&["rename", "nope", "other"]), &["there is no table nope"]);
    let taken = "there is a public.parted already";
    said(&project, 2, &new(&["rename", "t", "parted"]), &[taken]);
    said(&project, 0, &new(&["drop", "index", "t_half"]), &[]);
    let written = std::fs::read_dir(project.path().join("migrations")).unwrap();
    let texts = written.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    assert!(
        texts.iter().any(|text| text.contains("CREATE INDEX CONCURRENTLY t_half")),
        "{texts:?}"
    );
}

#[test]
fn values_that_do_not_become_the_new_type_are_found_before_anything_runs() {
    for major in [15, 18] {
        let (project, eye) = postgres(major, &[]);
        let born = "CREATE TABLE cust (id int PRIMARY KEY, born text, v int); INSERT INTO cust VALUES (1, '2001-02-03', 0)";
        eye.run(born);
        // When it is written nothing is wrong; when it runs, something is.
        project.expect(&["migrate", "change-type", "cust.born", "date", "--target", "t"]);
        eye.run("INSERT INTO cust VALUES (2, 'n/a', 0)");
        let words = [
            "invalid input syntax for type date: \"n/a\"; nothing ran",
            "2_backfill.sql",
            "--no-data-check",
        ];
        said(&project, 2, &["migrate", "apply", "t"], &words);
        let new = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'cust'::regclass AND attname = 'born_new'";
        assert_eq!(eye.number(new), 0);
        let again = ["migrate", "change-type", "cust.born", "date", "--target", "t"];
        let words = ["a value of cust.born does not become date: invalid input syntax"];
        said(&project, 2, &again, &words);
        eye.run("DELETE FROM cust WHERE id = 2");
        project.expect(&["migrate", "apply", "t"]);
        // And at once, by a plain statement.
        let file = "-- migrate:up\nALTER TABLE cust ALTER born TYPE date USING born::date;\n";
        let (project, eye) = postgres(major, &[("1_x.sql", file)]);
        eye.run(born);
        eye.run("INSERT INTO cust VALUES (3, 'soon', 0)");
        let words = ["\"soon\"; nothing ran", "1_x.sql:2"];
        said(&project, 2, &["migrate", "apply", "t"], &words);
    }
}
