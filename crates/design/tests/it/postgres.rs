use marula_core::{Engine, Quiet, RelationalCatalog, Report, Target, TargetKind, Verdict};
use marula_design::ReviewOptions;
use marula_design::postgres::{review, rules};
use marula_postgres::catalog::{Scope, read};
use marula_postgres::{Session, SessionOptions};

pub fn target(engine: Engine) -> Target {
    let kind = TargetKind::Server;
    Target { name: "test".into(), kind, engine, database: None, version: None }
}

async fn database(major: u16, setup: &str) -> Session {
    let server = marula_lab::shared::postgres(major).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    session.client().batch_execute(setup).await.unwrap_or_else(|error| panic!("{setup}: {error}"));
    // One that says when it is analysed goes on to change what came of that.
    if !setup.contains("ANALYZE") {
        session.client().batch_execute("ANALYZE").await.unwrap();
    }
    session
}

async fn reviewed(session: &Session, prove: bool) -> Report {
    let options = ReviewOptions { prove, ..ReviewOptions::default() };
    review(session, &target(Engine::Postgres), &options, &Quiet).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_fires_where_it_says_and_every_fix_is_proven() {
    let mut faults = Vec::new();
    for major in [15, 18] {
        for rule in rules() {
            assert!(rule.info.examples.iter().any(|example| example.fires));
            assert!(rule.info.examples.iter().any(|example| !example.fires));
            for example in rule.info.examples {
                let at = format!("{major} {} ({})", rule.info.id, example.name);
                let session = database(major, example.setup).await;
                let report = reviewed(&session, example.fires).await;
                let own: Vec<_> =
                    report.findings.iter().filter(|found| found.rule == rule.info.id).collect();
                if own.is_empty() == example.fires {
                    let all: Vec<_> = report.findings.iter().map(|found| &found.rule).collect();
                    faults.push(format!("{at}: fires {} expected; found {all:?}", example.fires));
                }
                for finding in own {
                    assert!(finding.severity <= rule.info.severity, "{at}");
                    assert!(!finding.explanation.is_empty(), "{at}");
                    for id in &finding.changes {
                        let change = report.changes.iter().find(|one| one.id == *id).unwrap();
                        // A copy has no index that was never finished.
                        let wanted = match rule.info.id {
                            "invalid-index" => Verdict::Inconclusive,
                            _ => Verdict::Proven,
                        };
                        if change.proof.verdict != wanted {
                            faults.push(format!("{at}: {:?}: {}", change.up, change.proof.reason));
                        }
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_the_data_does_not_allow_is_refuted() {
    let session = database(
        15,
        "CREATE TABLE customers (id bigint PRIMARY KEY);
         CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);
         INSERT INTO customers SELECT generate_series(1, 10);
         INSERT INTO orders VALUES (1, 4), (2, 11)",
    )
    .await;
    let report = reviewed(&session, true).await;
    let found =
        report.findings.iter().find(|one| one.rule == "reference-without-foreign-key").unwrap();
    let change = report.changes.iter().find(|one| one.id == found.changes[0]).unwrap();
    assert_eq!(change.proof.verdict, Verdict::Refuted);
    assert!(change.proof.reason.contains("violates foreign key constraint"), "{:?}", change.proof);
    // What was tried was tried on the copy alone.
    let here: RelationalCatalog = read(&session, Scope::All).await.unwrap();
    let orders = here.find("orders").unwrap();
    assert_eq!(orders.constraints.iter().filter(|one| one.references.is_some()).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_schema_has_no_findings_and_an_empty_database_neither() {
    for setup in [
        "",
        "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE,
           name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
         CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           customer_id bigint NOT NULL REFERENCES customers, total numeric(12,2) NOT NULL,
           status text NOT NULL CHECK (status IN ('open', 'paid')), placed_at timestamptz NOT NULL);
         CREATE INDEX ON orders (customer_id);
         INSERT INTO customers (email, name) SELECT 'u' || i || '@example.org', 'User ' || i FROM generate_series(1, 2000) i;
         INSERT INTO orders (customer_id, total, status, placed_at)
           SELECT i % 2000 + 1, i, (ARRAY['open','paid'])[i % 2 + 1], now() FROM generate_series(1, 5000) i",
    ] {
        let session = database(18, setup).await;
        let report = reviewed(&session, true).await;
        let found: Vec<_> = report.findings.iter().map(|one| (&one.rule, &one.title)).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_names_are_quoted_in_fixes() {
    let session = database(
        15,
        "CREATE SCHEMA \"my shop\";
         CREATE TABLE \"my shop\".\"Big \"\"Customers\"\"\" (id bigint PRIMARY KEY);
         CREATE TABLE \"my shop\".\"order\" (id bigint PRIMARY KEY,
           \"Customer Id\" bigint REFERENCES \"my shop\".\"Big \"\"Customers\"\"\");
         INSERT INTO \"my shop\".\"Big \"\"Customers\"\"\" SELECT generate_series(1, 100);
         INSERT INTO \"my shop\".\"order\" SELECT i, i FROM generate_series(1, 100) i",
    )
    .await;
    let report = reviewed(&session, true).await;
    let found = report.findings.iter().find(|one| one.rule == "foreign-key-without-index").unwrap();
    let change = report.changes.iter().find(|one| one.id == found.changes[0]).unwrap();
    assert_eq!(change.proof.verdict, Verdict::Proven, "{:?}", change);
}

/// What an extension brought (PostGIS's list of reference systems) is nobody's design here.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_extensions_are_left_alone() {
    let setup = "CREATE TABLE own (id int, kind text); CREATE TABLE brought (id int, kind text);
                 CREATE EXTENSION pg_trgm; ALTER EXTENSION pg_trgm ADD TABLE brought";
    let report = reviewed(&database(15, setup).await, false).await;
    let told: Vec<&str> = report.findings.iter().map(|found| found.title.as_str()).collect();
    assert!(told.contains(&"own has no primary key"), "{told:?}");
    assert!(told.iter().all(|title| !title.contains("brought")), "{told:?}");
}
