//! Every tool's files, read in place: whose they are, what goes up and down, in a transaction or not.

use std::path::Path;

use marula_core::Engine;
use marula_migrate::files::read;
use marula_migrate::{MigrationKind, StepKind, Tool};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Title, statements up, statements down, and whether it runs in one transaction.
type Told = (String, usize, Option<usize>, bool);

fn told(path: &Path) -> (Tool, Vec<Told>) {
    let read = read(path, None).unwrap_or_else(|error| panic!("{error}"));
    let all = read.migrations.iter().map(|migration| {
        let down = migration.down.as_ref().map(Vec::len);
        (migration.title(), migration.up.len(), down, migration.options.transaction)
    });
    (read.tool, all.collect())
}

fn row(title: &str, up: usize, down: Option<usize>, transaction: bool) -> Told {
    (title.into(), up, down, transaction)
}

#[test]
fn our_own() {
    let files = folder(&[
        (
            "20260102000000_second.sql",
            "-- migrate:up transaction:false lock_timeout:2s\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
             -- migrate:down\nDROP INDEX CONCURRENTLY i;\n",
        ),
        ("20260101000000_first.sql", "-- migrate:up\nCREATE TABLE t (a int);\nSELECT 1;\n"),
        ("README.md", "not a migration"),
    ]);
    let first = row("20260101000000 first", 2, None, true);
    let second = row("20260102000000 second", 1, Some(1), false);
    assert_eq!(told(files.path()), (Tool::Marula, vec![first, second]));
}

#[test]
fn dbmate() {
    let files = folder(&[
        ("db/schema.sql", ""),
        (
            "db/migrations/20260101000000_a.sql",
            "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;",
        ),
    ]);
    let own = files.path().join("db/migrations");
    assert_eq!(told(&own), (Tool::Dbmate, vec![row("20260101000000 a", 1, Some(1), true)]));
}

#[test]
fn goose() {
    let files = folder(&[(
        "00001_fn.sql",
        "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS \
         $$ BEGIN RETURN 1; END $$;\n-- +goose StatementEnd\nSELECT 1;\n-- +goose Down\nDROP \
         FUNCTION f();\n",
    )]);
    assert_eq!(told(files.path()), (Tool::Goose, vec![row("00001 fn", 2, Some(1), true)]));
}

#[test]
fn sqlx_in_pairs() {
    let files = folder(&[
        ("Cargo.toml", ""),
        ("migrations/20260101000000_a.up.sql", "-- no-transaction\nSELECT 1; SELECT 2;"),
        ("migrations/20260101000000_a.down.sql", "SELECT 3;"),
    ]);
    let own = files.path().join("migrations");
    assert_eq!(told(&own), (Tool::Sqlx, vec![row("20260101000000 a", 2, Some(1), false)]));
}

#[test]
fn golang_migrate_of_both_engines() {
    let files = folder(&[
        ("000010_b.up.sql", "SELECT 1;"),
        ("000010_b.down.sql", "SELECT 1;"),
        ("000002_a.up.sql", "SELECT 1;"),
    ]);
    // One statement by itself runs in no transaction.
    let wanted = vec![row("000002 a", 1, None, false), row("000010 b", 1, Some(1), false)];
    assert_eq!(told(files.path()), (Tool::GolangMigrate, wanted));
    let files = folder(&[
        ("000001_a.up.json", r#"[{"create": "users"}, {"create": "orders"}]"#),
        ("000001_a.down.json", r#"[{"drop": "orders"}]"#),
    ]);
    let wanted = vec![row("000001 a", 2, Some(1), false)];
    assert_eq!(told(files.path()), (Tool::GolangMigrate, wanted));
}

#[test]
fn flyway_of_both_engines() {
    let files = folder(&[
        ("V10__b.sql", "SELECT 1;"),
        ("V2.1__a.sql", "CREATE INDEX CONCURRENTLY i ON t (a);"),
        ("U10__b.sql", "SELECT 2;"),
        ("R__views.sql", "SELECT 3;"),
        ("V11__c.sql", "SELECT 1;"),
        ("V11__c.sql.conf", "executeInTransaction=false"),
    ]);
    let wanted = vec![
        row("2.1 a", 1, None, false),
        row("10 b", 1, Some(1), true),
        row("11 c", 1, None, false),
        row("views", 1, None, true),
    ];
    assert_eq!(told(files.path()), (Tool::Flyway, wanted));
    let all = read(files.path(), None).unwrap();
    assert_eq!(all.migrations[3].kind, MigrationKind::Repeatable);
    let files = folder(&[("V1__a.json", r#"[{"create": "users"}]"#)]);
    assert_eq!(told(files.path()), (Tool::Flyway, vec![row("1 a", 1, None, false)]));
}

#[test]
fn migrate_mongo() {
    let files = folder(&[(
        "20260101000000-status.js",
        "module.exports = {\n  async up(db, client) {\n    await \
         db.collection('users').updateMany({}, {$set: {status: 'active'}});\n    await \
         db.collection('users').createIndex({status: 1});\n  },\n  async down(db, client) {\n    \
         await db.collection('users').updateMany({}, {$unset: {status: ''}});\n  }\n};\n",
    )]);
    let (tool, all) = told(files.path());
    assert_eq!((tool, all.len(), all[0].1, all[0].2), (Tool::MigrateMongo, 1, 2, Some(1)));
    let read = read(files.path(), Some(Engine::Mongodb)).unwrap();
    let StepKind::Command(command) = &read.migrations[0].up[1].kind else { panic!() };
    assert_eq!(command.get_str("createIndexes").unwrap(), "users");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let files = folder(&[
        ("20260101000000_a.sql", "-- migrate:up\nSELECT 1;\nALTER TABEL t;\n"),
        ("V1__p.sql", "CREATE TABLE ${name} (id int);"),
        ("x/20260101000000_a.sql", "SELECT 1"),
        ("x/20260101000000_b.sql", "SELECT 1"),
        ("y/notes.txt", ""),
    ]);
    for (name, place, said) in [
        ("20260101000000_a.sql", "a.sql:3", "TABEL"),
        ("V1__p.sql", "V1__p.sql:1", "the placeholder ${name} has no value"),
        ("x", "_b.sql", "is there twice"),
        ("y", "/y", "there is no migration in this folder"),
        ("z", "/z", "cannot be read"),
    ] {
        let error = read(&files.path().join(name), None).unwrap_err();
        assert!(error.message().contains(said), "{}", error.message());
        assert!(error.place().unwrap_or_default().contains(place), "{:?}", error.place());
        assert!(!error.hints().is_empty());
    }
}
