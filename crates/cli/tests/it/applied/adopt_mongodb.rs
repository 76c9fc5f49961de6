//! The histories of MongoDB's tools.

use bson::{Document, doc};
use marula_mongodb::{Session, SessionOptions};

use super::Project;

const ONE: &str = "module.exports = {\n  async up(db) {\n    await db.collection('a').createIndex({x: 1});\n  },\n  async down(db) {}\n};\n";

fn adopted(collection: &str, rows: Vec<Document>, files: &[(&str, &str)], words: &[&str]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(marula_lab::shared::mongodb(6, 0)).unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let session = runtime.block_on(Session::open(&spec, &SessionOptions::lab())).unwrap();
    let history = session.database().collection::<Document>(collection);
    runtime.block_on(async { history.insert_many(rows).await }).unwrap();
    let project = Project::new(server.url_of(spec.database().unwrap()), files);
    let said = project.expect(&["migrate", "adopt", "t"]);
    for word in words {
        assert!(said.contains(word), "'{word}' is not in {said}");
    }
    let path = project.path().join("migrations/20990101000000_next.up.json");
    std::fs::write(path, r#"[{"create": "next"}]"#).unwrap();
    let said = project.expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{said}");
}

#[test]
fn migrate_mongo() {
    use sha2::Digest;
    let sum: String = sha2::Sha256::digest(ONE).iter().map(|byte| format!("{byte:02x}")).collect();
    let row = doc! { "fileName": "20260101000000-one.js", "fileHash": sum, "appliedAt": bson::DateTime::now() };
    adopted(
        "changelog",
        vec![row],
        &[("20260101000000-one.js", ONE)],
        &["1 migrations of migrate-mongo", "1 checksums"],
    );
}

#[test]
fn golang_migrate() {
    let files =
        [("1_one.up.json", r#"[{"create": "a"}]"#), ("2_two.up.json", r#"[{"create": "b"}]"#)];
    let row = doc! { "version": 2_i64, "dirty": false };
    adopted("schema_migrations", vec![row], &files, &["2 migrations of golang-migrate"]);
}

#[test]
fn mongock() {
    let row = doc! { "executionId": "1", "changeId": "client-initializer", "author": "ann",
    "timestamp": bson::DateTime::now(), "state": "EXECUTED", "changeLogClass": "a.B" };
    adopted("mongockChangeLog", vec![row], &[], &["1 are known by name only"]);
}
