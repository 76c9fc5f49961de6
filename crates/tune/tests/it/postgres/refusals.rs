//! What cannot be done says so, and does the rest.

use std::time::Duration;

use marula_core::{ErrorKind, Quiet, Verdict};
use marula_tune::postgres::explain;
use marula_tune::{ExplainOptions, ProveMode};

use super::{explained, fresh, options, set_up, target};

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, n int, w text);
INSERT INTO t SELECT i, i % 5000, repeat('x', 50) FROM generate_series(1, 50000) i;
ANALYZE t;";

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_without_hypopg_is_refused_by_name() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    let sql = "SELECT * FROM t WHERE n = 7";
    let error = explain(&session, &target(&session), sql, &options(ProveMode::WhatIf), &Quiet)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("HypoPG"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_unknown_names_never_get_to_a_plan() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    for (sql, kind, word) in [
        ("DELETE FROM t", ErrorKind::Refused, "DELETE"),
        ("SELECT 1; SELECT 2", ErrorKind::Refused, "2 statements"),
        ("SELECT pg_sleep(100)", ErrorKind::Refused, "pg_sleep"),
        ("SELECT * FORM t", ErrorKind::Syntax, "syntax"),
        ("SELECT * FROM tt", ErrorKind::NotFound, "tt"),
    ] {
        let error = explain(&session, &target(&session), sql, &options(ProveMode::Off), &Quiet)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{sql}: {error}");
        assert!(error.to_string().contains(word), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_beyond_its_time_is_cancelled_and_its_estimate_explained() {
    let spec = marula_lab::shared::postgres(15).await.unwrap().create_database().await.unwrap();
    let made = marula_postgres::Session::open(&spec, &marula_postgres::SessionOptions::lab())
        .await
        .unwrap();
    set_up(&made, T).await;
    let short = Duration::from_secs(1);
    let session =
        marula_postgres::Session::open(&spec, &marula_postgres::SessionOptions::read_only(short))
            .await
            .unwrap();
    let options = ExplainOptions { timeout: short, ..options(ProveMode::Off) };
    let sql = "SELECT count(*) FROM t a JOIN t b ON a.w <> b.w || a.id";
    let report = explain(&session, &target(&session), sql, &options, &Quiet).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("cancelled")), "{:?}", report.notes);
    assert!(!report.plan.unwrap().executed);
    assert!(report.measured.unwrap().timed_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_proofs_each_change_says_why() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    let report = explained(&session, "SELECT * FROM t WHERE n = $1", ProveMode::Off).await;
    assert!(!report.changes.is_empty());
    for change in &report.changes {
        assert_eq!(change.proof.verdict, Verdict::NotTried);
        assert!(change.proof.reason.contains("switched off"));
    }
    assert_eq!(report.statement.unwrap().parameters.len(), 1);
}

/// The lab's server has a catalogue of its own: numbers from it would be about another server.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_to_the_catalogue_is_not_answered_from_the_lab() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    for sql in [
        "SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attname = 'w'",
        "SELECT * FROM information_schema.tables WHERE table_name = 't'",
    ] {
        let options = ExplainOptions { analyze: false, ..options(ProveMode::Lab) };
        let report = explain(&session, &target(&session), sql, &options, &Quiet).await.unwrap();
        assert!(!report.plan.unwrap().executed, "{sql}");
        assert!(
            report.notes.iter().any(|note| note.contains("a catalogue of its own")),
            "{sql}: {:?}",
            report.notes
        );
    }
}

/// An operator of the database's own is not copied.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_copy_cannot_run_is_still_explained() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    set_up(
        &session,
        "CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same)",
    )
    .await;
    let report = explained(&session, "SELECT * FROM t WHERE n === 7", ProveMode::Lab).await;
    assert!(report.plan.unwrap().executed);
    assert!(
        report.notes.iter().any(|note| note.contains("does not run on it")),
        "{:?}",
        report.notes
    );
}

/// A superuser passes by policies: nothing is missing in the copy.
#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_is_told_to_those_it_binds_only() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    set_up(
        &session,
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (n < 9)",
    )
    .await;
    let report = explained(&session, "SELECT * FROM t WHERE n = 7", ProveMode::Lab).await;
    assert!(!report.notes.iter().any(|note| note.contains("row-level")), "{:?}", report.notes);
}

/// In a zone with summer time a day is not always a day: no range is offered in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_cut_off_in_a_zone_with_summer_time_is_explained() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE ev (id int PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO ev SELECT i, timestamptz '2025-01-01 00:00+00' + i * interval '9 minutes' FROM generate_series(1, 60000) i;
CREATE INDEX ev_at_idx ON ev (at);
ANALYZE ev;
SET TimeZone = 'Europe/Berlin'",
    )
    .await;
    let sql = "SELECT id FROM ev WHERE date_trunc('day', at) = '2025-06-03'";
    let report = explained(&session, sql, ProveMode::Off).await;
    assert!(report.changes.is_empty(), "{:?}", report.changes);
    let finding = report.findings.iter().find(|f| f.rule == "non-sargable").unwrap();
    assert!(finding.explanation.contains("TimeZone of the session"), "{}", finding.explanation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_type_is_the_users_mistake() {
    let session = fresh(15).await;
    set_up(&session, T).await;
    let given = ExplainOptions { parameters: vec![Some("abc".into())], ..options(ProveMode::Off) };
    let sql = "SELECT * FROM t WHERE n = $1";
    let error = explain(&session, &target(&session), sql, &given, &Quiet).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("--param")), "{:?}", error.hints());
}

/// Numbers that are wrong for another reason than their age are not mended by ANALYZE.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_are_new_are_not_gathered_again() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE p (id int PRIMARY KEY, city int NOT NULL, zip int NOT NULL);
INSERT INTO p SELECT i, i % 300, i % 300 FROM generate_series(1, 60000) i;
ANALYZE p",
    )
    .await;
    let sql = "SELECT * FROM p WHERE city = 5 AND zip = 5";
    let report = explained(&session, sql, ProveMode::Off).await;
    assert!(report.findings.iter().any(|f| f.rule == "misestimate"), "{:?}", report.findings);
    assert!(report.changes.iter().all(|c| c.up[0] != "ANALYZE public.p"), "{:?}", report.changes);
}
