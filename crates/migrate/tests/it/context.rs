//! What lint says depends on where a statement stands: in which file, transaction, on what table.

use std::path::Path;

use marula_core::{Engine, Finding, MigrationHazard, Severity, Version};
use marula_migrate::lint::LintOptions;
use marula_migrate::postgres::schema::Schema;
use marula_migrate::postgres::{fix, lint};
use marula_migrate::{Migration, Tool, files};
use marula_postgres::{Session, SessionOptions};

fn parse(name: &str, tool: Tool, text: &str) -> Migration {
    files::parse(Path::new(name), text, tool, Engine::Postgres).unwrap()
}

fn linted(migration: &Migration, schema: Schema) -> Vec<Finding> {
    let options = LintOptions { version: Some(Version::new(15, 0, 0)) };
    lint::lint(std::slice::from_ref(migration), schema, &options).remove(0).findings
}

fn heavy(findings: &[Finding]) -> Vec<(&str, usize)> {
    findings
        .iter()
        .filter(|f| f.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking))
        .map(|f| (f.rule.as_str(), f.hazard.as_ref().unwrap().statement))
        .collect()
}

#[test]
fn a_tools_transaction_holds_locks_to_the_end_of_the_file() {
    let text = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\n\
                ALTER TABLE t VALIDATE CONSTRAINT c;\n";
    let up = format!("-- migrate:up\n{text}");
    let sqlx = format!("-- no-transaction\n{text}");
    let goose = format!("-- +goose Up\n{text}");
    for (tool, text, wanted) in [
        (Tool::Marula, up.as_str(), 1),
        (Tool::Dbmate, up.as_str(), 1),
        (Tool::Goose, goose.as_str(), 1),
        (Tool::Flyway, text, 1),
        (Tool::GolangMigrate, text, 1),
        (Tool::Sqlx, text, 1),
        (Tool::Sqlx, sqlx.as_str(), 0),
        (Tool::Plain, text, 0),
    ] {
        let migration = parse("V1__x.sql", tool, text);
        let found = linted(&migration, Schema::default());
        assert_eq!(heavy(&found).len(), wanted, "{tool:?}: {:?}", heavy(&found));
        let fixed = fix::fix(&migration, &Schema::default(), Version::new(15, 0, 0)).unwrap();
        // golang-migrate has no way to run a file without one.
        assert_eq!(fixed.is_some(), wanted == 1 && tool != Tool::GolangMigrate, "{tool:?}");
        if let Some(fixed) = fixed.filter(|fixed| fixed.beside.is_none()) {
            assert!(
                heavy(&linted(&parse("V1__x.sql", tool, &fixed.text), Schema::default()))
                    .is_empty()
            );
        }
    }
}

#[test]
fn what_the_same_file_made_raises_no_alarm() {
    let text = "CREATE TABLE t (id int);\nCREATE INDEX ON t (id);\nALTER TABLE t ADD CHECK (id > 0);\n\
                ALTER TABLE t ALTER id TYPE bigint;\nALTER TABLE old ALTER id TYPE bigint;\n";
    let found = linted(&parse("1_x.sql", Tool::Marula, text), Schema::default());
    assert_eq!(heavy(&found), [("change-type", 4)]);
}

#[test]
fn ignores_need_a_reason_and_a_finding() {
    let text = "-- marula:ignore create-index the table is empty until next week\n\
                CREATE INDEX ON t (a);\n\
                -- marula:ignore create-index\nCREATE INDEX ON t (b);\n\
                -- marula:ignore add-check not there\nSELECT 1;\n\
                -- marula:ignore creat-index typo\nSELECT 2;\n";
    let found = linted(&parse("x.sql", Tool::Plain, text), Schema::default());
    let told: Vec<_> = found.iter().map(|f| (f.rule.as_str(), f.place.line.unwrap())).collect();
    let wanted = [
        ("create-index", 4),
        ("needless-ignore", 3),
        ("needless-ignore", 5),
        ("needless-ignore", 7),
    ];
    assert_eq!(told, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_knows_types_sizes_and_constraints() {
    let server = marula_lab::shared::postgres(15).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    session
        .client()
        .batch_execute(
            "CREATE TABLE large (id int, name varchar(10), email text CHECK (email IS NOT NULL));
             INSERT INTO large SELECT i, 'n', 'e' FROM generate_series(1, 20000) i;
             CREATE TABLE small (id int); INSERT INTO small VALUES (1); ANALYZE",
        )
        .await
        .unwrap();
    let catalog = marula_postgres::catalog::read(&session, marula_postgres::catalog::Scope::All)
        .await
        .unwrap();
    let schema = Schema::from_catalog(&catalog);
    let found = |text: &str| linted(&parse("x.sql", Tool::Plain, text), schema.clone());
    // A type that is wide enough, and a column that is known to be filled.
    assert!(heavy(&found("ALTER TABLE large ALTER name TYPE varchar(20)")).is_empty());
    assert_eq!(heavy(&found("ALTER TABLE large ALTER name TYPE varchar(5)")).len(), 1);
    assert!(heavy(&found("ALTER TABLE large ALTER email SET NOT NULL")).is_empty());
    let large = found("CREATE INDEX ON large (id)");
    assert_eq!(large[0].severity, Severity::High);
    assert!(large[0].explanation.contains("20000 rows"), "{}", large[0].explanation);
    let small = found("CREATE INDEX ON small (id)");
    assert_eq!(small[0].severity, Severity::Info);
    assert!(small[0].explanation.contains("done in a moment"), "{}", small[0].explanation);
}

/// The safe form of a file of this program's, where there is one.
fn fixed(setup: &str, text: &str) -> Option<String> {
    let path = Path::new("20260101000000_x.sql");
    let migration = files::parse(path, text, Tool::Marula, Engine::Postgres).unwrap();
    let schema = lint::schema_of(Path::new("schema.sql"), setup).unwrap();
    fix::fix(&migration, &schema, lint::NEWEST).unwrap().map(|fixed| fixed.text)
}

#[test]
fn a_file_in_a_transaction_of_its_own_is_unwrapped() {
    let text = "BEGIN;\nCREATE INDEX ti ON t (a);\nALTER TABLE t ADD b int;\nCOMMIT;\n";
    let safe = fixed("CREATE TABLE t (a int);", text).unwrap();
    assert_eq!(
        safe,
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ti ON t (a);\nALTER TABLE t ADD b \
         int;\n"
    );
    // What surrounds only some of the statements belongs together.
    let text = "SELECT 1;\nBEGIN;\nCREATE INDEX ti ON t (a);\nCOMMIT;\n";
    assert_eq!(fixed("CREATE TABLE t (a int);", text), None);
}

#[test]
fn what_needs_a_transaction_keeps_it() {
    for needs in [
        "SAVEPOINT s;\nRELEASE s;\n",
        "SET LOCAL lock_timeout = '1s';\n",
        "LOCK TABLE t;\n",
        "CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1;\n",
    ] {
        let text = format!("{needs}CREATE INDEX ti ON t (a);\n");
        assert_eq!(fixed("CREATE TABLE t (a int);", &text), None, "{text}");
    }
}

#[test]
fn a_key_that_replaces_another_keeps_its_statement() {
    let setup = "CREATE TABLE t (a int NOT NULL, b int NOT NULL PRIMARY KEY);";
    let text = "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (a);\n";
    assert_eq!(fixed(setup, text), None);
}

#[test]
fn goose_gets_blocks_in_its_brackets_and_what_stays_unsafe_says_why() {
    let setup = "CREATE TABLE t (a int, b int) PARTITION BY RANGE (a); CREATE TABLE p PARTITION OF t DEFAULT;";
    let text = "-- +goose Up\nCREATE INDEX ti ON t (a);\nCREATE INDEX IF NOT EXISTS tj ON t (b);\nSELECT 1;\n-- +goose \
                Down\nSELECT 1;\n";
    let migration =
        files::parse(Path::new("1_x.sql"), text, Tool::Goose, Engine::Postgres).unwrap();
    let schema = lint::schema_of(Path::new("schema.sql"), setup).unwrap();
    let fixed = fix::fix(&migration, &schema, lint::NEWEST).unwrap().unwrap();
    assert!(fixed.text.contains("-- +goose StatementBegin\nDO $parts$"), "{}", fixed.text);
    let rest =
        "$parts$;\n-- +goose StatementEnd\nCREATE INDEX IF NOT EXISTS tj ON t (b);\nSELECT 1;\n";
    assert!(fixed.text.contains(rest), "{}", fixed.text);
    assert!(fixed.text.contains("CREATE INDEX ti ON ONLY t"), "{}", fixed.text);
    let notes = fixed.notes.join("\n");
    assert!(
        notes.contains("tj is built on t while nobody can write as before: on a partitioned"),
        "{notes}"
    );
    // What the user bracketed stays.
    let text = text.replace(
        "CREATE INDEX ti ON t (a);",
        "-- +goose StatementBegin\nCREATE INDEX ti ON t (a);\n-- +goose StatementEnd",
    );
    let migration =
        files::parse(Path::new("1_x.sql"), &text, Tool::Goose, Engine::Postgres).unwrap();
    assert!(fix::fix(&migration, &schema, lint::NEWEST).unwrap().is_none());
}

#[test]
fn an_index_that_is_there_and_valid_stays() {
    let text = "CREATE INDEX IF NOT EXISTS ti ON t (a);\n";
    let safe = fixed("CREATE TABLE t (a int);", text).unwrap();
    assert!(safe.contains("AND NOT indisvalid"), "{safe}");
    assert!(safe.contains("CREATE INDEX CONCURRENTLY IF NOT EXISTS ti ON t (a)"), "{safe}");
}
