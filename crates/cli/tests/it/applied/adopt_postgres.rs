//! The histories of other tools, written as those tools write them; each is taken over and gone
//! on with. Where a version is named, the rows were compared with what that version wrote.

use super::{Eye, Project, postgres};

const ONE: &str = "CREATE TABLE users (id int PRIMARY KEY);\n";
const TWO: &str = "ALTER TABLE users ADD COLUMN email text;\n";
const NEXT: &str = "ALTER TABLE users ADD COLUMN age int;\n";

/// Writes a file, and folders it needs.
fn write(project: &Project, name: &str, text: &str) {
    let path = project.path().join("migrations").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A project as the other tool left it, after both files ran.
fn left(files: &[(&str, &str)], history: &str) -> (Project, Eye) {
    let (project, eye) = postgres(18, &[]);
    for (name, text) in files {
        write(&project, name, text);
    }
    eye.run(ONE);
    eye.run(TWO);
    eye.run(history);
    (project, eye)
}

/// Takes over, and goes on with a third file.
fn goes_on(project: &Project, eye: &Eye, tool: &str, next: (&str, &str), words: &[&str]) {
    // What another tool has run is not run again for want of being taken over.
    let (code, said) = project.run(&["migrate", "apply", "t"]);
    assert_eq!(code, Some(2), "{tool}: {said}");
    let none = said.contains("there is no migration in this folder");
    assert!(none || said.contains("has run here already"), "{tool}: {said}");
    let said = project.expect(&["migrate", "adopt", "t"]);
    for word in [&[tool][..], words].concat() {
        assert!(said.contains(word), "{tool}: '{word}' is not in {said}");
    }
    write(project, next.0, next.1);
    let said = project.expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{tool}: {said}");
    let age =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'age'";
    assert_eq!(eye.number(age), 1, "{tool}");
    // A second time there is nothing to take over.
    let said = project.expect(&["migrate", "adopt", "t"]);
    assert!(said.contains("0 migrations of"), "{tool}: {said}");
    project.expect(&["migrate", "verify", "t"]);
}

#[test]
fn sqlx() {
    let files = [("20260101000000_one.up.sql", ONE), ("20260102000000_two.up.sql", TWO)];
    // The rows as sqlx-cli 0.9.0 wrote them for these two files.
    let sums = [
        "eedf404a60de2fe9a187cf0f29ded29ae7131616204e63a1d6a08a8021a168f3746df1fae512cb891273c7972c8e73d1",
        "38ea8677c01d4accc49fc031cbdfde02d2797cd3e27a89fbe8e3637c563b4a985cc7e91a863f7a2793e9762ba3628ec5",
    ];
    let history = format!(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
         checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);
         INSERT INTO _sqlx_migrations VALUES \
         (20260101000000, 'one', now(), true, '\\x{}', 1273800), \
         (20260102000000, 'two', now(), true, '\\x{}', 1020162)",
        sums[0], sums[1]
    );
    let (project, eye) = left(&files, &history);
    // A changed file is found; other line endings are no change.
    write(&project, files[1].0, "ALTER TABLE users ADD COLUMN e_mail text;\n");
    let (code, said) = project.run(&["migrate", "adopt", "t"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("20260102000000_two.up.sql is not what sqlx ran"), "{said}");
    write(&project, files[1].0, &TWO.replace('\n', "\r\n"));
    goes_on(&project, &eye, "sqlx", ("20260103000000_three.up.sql", NEXT), &["2 checksums"]);
}

#[test]
fn flyway() {
    let files = [
        ("V1__one.sql", ONE),
        ("V1.1__two.sql", TWO),
        ("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n"),
    ];
    let crc = |text: &str| {
        // CRC-32 by zlib, as Java has it.
        let output = std::process::Command::new("python3")
            .args(["-c", "import sys, zlib; c = zlib.crc32(sys.argv[1].replace('\\n', '').encode()); print(c - (1 << 32) if c >> 31 else c)", text])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    let history = format!(
        "CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version VARCHAR(50), \
         description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, \
         checksum INT, installed_by VARCHAR(100) NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT \
         now(), execution_time INT NOT NULL, success BOOLEAN NOT NULL);
         CREATE OR REPLACE VIEW v AS SELECT 1 AS a;
         INSERT INTO flyway_schema_history VALUES \
         (1, '1', 'one', 'SQL', 'V1__one.sql', {}, 'ann', now(), 5, true), \
         (2, '1.1', 'two', 'SQL', 'V1.1__two.sql', {}, 'ann', now(), 5, true), \
         (3, NULL, 'view', 'SQL', 'R__view.sql', {}, 'ann', now(), 5, true)",
        crc(files[0].1), crc(files[1].1), crc(files[2].1)
    );
    let (project, eye) = left(&files, &history);
    goes_on(&project, &eye, "Flyway", ("V2__three.sql", NEXT), &["3 checksums"]);
    eye.run("UPDATE flyway_schema_history SET success = false WHERE version = '1.1'; DELETE FROM marula.migrations");
    let (code, said) = project.run(&["migrate", "adopt", "t"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("1.1 two failed; nothing was taken over"), "{said}");
}

#[test]
fn refinery() {
    let files = [("V1__one.sql", ONE), ("V2__two.sql", TWO)];
    // The rows as refinery_cli 0.10.0 wrote them for these two files.
    let history =
        "CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), \
         applied_on VARCHAR(255), checksum VARCHAR(255));
         INSERT INTO refinery_schema_history VALUES \
         (1, 'one', '2026-11-23T11:19:24.757586625Z', '13047803336131859016'), \
         (2, 'two', '2026-11-23T11:19:24.757605594Z', '8918505387122789960')";
    let (project, eye) = left(&files, history);
    goes_on(&project, &eye, "refinery", ("V3__three.sql", NEXT), &["2 checksums"]);
}

#[test]
fn dbmate_rails_and_golang_migrate_are_told_apart() {
    let up = |text: &str| format!("-- migrate:up\n{text}-- migrate:down\n");
    let table = "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); \
                 INSERT INTO schema_migrations VALUES ('20260101000000'), ('20260102000000')";
    let (one, two) = (up(ONE), up(TWO));
    let files =
        [("20260101000000_one.sql", one.as_str()), ("20260102000000_two.sql", two.as_str())];
    let (project, eye) = left(&files, table);
    goes_on(
        &project,
        &eye,
        "dbmate",
        ("20260103000000_three.sql", &up(NEXT)),
        &["2 have no checksum there"],
    );

    let rails = format!("{table}; CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY)");
    let (project, eye) = left(&[], &rails);
    goes_on(
        &project,
        &eye,
        "Rails",
        ("20260103000000_three.sql", &up(NEXT)),
        &["2 are known by name only"],
    );

    let golang = "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); \
                  INSERT INTO schema_migrations VALUES (2, false)";
    let files = [
        ("000001_one.up.sql", ONE),
        ("000001_one.down.sql", "DROP TABLE users;\n"),
        ("000002_two.up.sql", TWO),
    ];
    let (project, eye) = left(&files, golang);
    eye.run("UPDATE schema_migrations SET dirty = true");
    let (code, said) = project.run(&["migrate", "adopt", "t"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is marked dirty"), "{said}");
    eye.run("UPDATE schema_migrations SET dirty = false");
    goes_on(
        &project,
        &eye,
        "golang-migrate",
        ("000003_three.up.sql", NEXT),
        &["2 migrations of golang-migrate"],
    );
}

#[test]
fn goose() {
    let up = |text: &str| format!("-- +goose Up\n{text}-- +goose Down\nSELECT 1;\n");
    let (one, two) = (up(ONE), up(TWO));
    let files = [("00001_one.sql", one.as_str()), ("00002_two.sql", two.as_str())];
    let history = "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, \
        is_applied boolean NOT NULL, tstamp timestamp DEFAULT now());
        INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), \
        (2, false), (2, true)";
    let (project, eye) = left(&files, history);
    goes_on(&project, &eye, "goose", ("00003_three.sql", &up(NEXT)), &["2 migrations of goose"]);
}

#[test]
fn atlas() {
    let files = [("20260101000000_one.sql", ONE), ("20260102000000_two.sql", TWO)];
    let sum = |text: String| format!("encode(sha256('{text}'), 'base64')");
    let history = format!(
        "CREATE SCHEMA atlas_schema_revisions; CREATE TABLE \
         atlas_schema_revisions.atlas_schema_revisions (version varchar PRIMARY KEY, description \
         varchar NOT NULL, type bigint NOT NULL DEFAULT 2, applied bigint NOT NULL DEFAULT 0, total \
         bigint NOT NULL DEFAULT 0, executed_at timestamptz NOT NULL, execution_time bigint NOT NULL, \
         error text, error_stmt text, hash varchar NOT NULL, partial_hashes jsonb, operator_version \
         varchar NOT NULL);
         INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES \
         ('20260101000000', 'one', 2, 1, 1, now(), 5, '', '', {}, NULL, 'Atlas CLI'), \
         ('20260102000000', 'two', 2, 1, 1, now(), 5, '', '', {}, NULL, 'Atlas CLI')",
        sum(format!("{}{ONE}", files[0].0)),
        sum(format!("{}{ONE}{}{TWO}", files[0].0, files[1].0)),
    );
    let (project, eye) = left(&files, &history);
    goes_on(&project, &eye, "Atlas", ("20260103000000_three.sql", NEXT), &["2 checksums"]);
}

#[test]
fn prisma_and_diesel_have_a_folder_for_each() {
    let files =
        [("20260101000000_one/migration.sql", ONE), ("20260102000000_two/migration.sql", TWO)];
    let history = format!(
        "CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, \
         finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at \
         TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT \
         NULL DEFAULT 0);
         INSERT INTO _prisma_migrations VALUES \
         ('a', encode(sha256('{ONE}'), 'hex'), now(), '20260101000000_one', NULL, NULL, now(), 1), \
         ('b', encode(sha256('{TWO}'), 'hex'), now(), '20260102000000_two', NULL, NULL, now(), 1)"
    );
    let (project, eye) = left(&files, &history);
    goes_on(
        &project,
        &eye,
        "Prisma",
        ("20260103000000_three/migration.sql", NEXT),
        &["2 checksums"],
    );

    let files = [
        ("2026-01-01-000000_one/up.sql", ONE),
        ("2026-01-01-000000_one/down.sql", "DROP TABLE users;\n"),
        ("2026-01-02-000000_two/up.sql", TWO),
    ];
    // As diesel_cli 2.3.14 makes it.
    let history =
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, run_on \
        TIMESTAMP NOT NULL DEFAULT now());
        INSERT INTO __diesel_schema_migrations VALUES ('20260101000000'), ('20260102000000')";
    let (project, eye) = left(&files, history);
    goes_on(
        &project,
        &eye,
        "Diesel",
        ("2026-01-03-000000_three/up.sql", NEXT),
        &["2 migrations of Diesel"],
    );
}

#[test]
fn alembic_django_and_liquibase_are_known_by_name() {
    for (tool, history) in [
        (
            "Alembic",
            "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); \
          INSERT INTO alembic_version VALUES ('ae1027a6acf')",
        ),
        (
            "Django",
            "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app varchar(255) NOT \
          NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL); INSERT INTO \
          django_migrations (app, name, applied) VALUES ('shop', '0001_initial', now())",
        ),
        (
            "Liquibase",
            "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) \
          NOT NULL, filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted \
          int NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35)); INSERT INTO \
          databasechangelog VALUES ('1', 'ann', 'changelog.xml', now(), 1, 'EXECUTED', '9:abc')",
        ),
    ] {
        let (project, eye) = left(&[], history);
        let next = ("20260103000000_three.sql", NEXT);
        goes_on(&project, &eye, tool, next, &["1 are known by name only"]);
    }
}

#[test]
fn nothing_or_several_to_take_over() {
    let (project, eye) = postgres(18, &[("1_a.sql", ONE)]);
    let (code, said) = project.run(&["migrate", "adopt", "t"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no other tool's history is here"), "{said}");
    eye.run("CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('a'); CREATE TABLE schema_migrations (version varchar); INSERT INTO schema_migrations VALUES ('1'), ('7')");
    let (code, said) = project.run(&["migrate", "adopt", "t"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("several tools have a history here"), "{said}");
    let (code, said) = project.run(&["migrate", "adopt", "t", "--from", "dbmate"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("7 has run with dbmate, and its file is not in the folder"), "{said}");
    assert_eq!(eye.number("SELECT count(*) FROM pg_class WHERE relname = 'migrations'"), 0);
}
