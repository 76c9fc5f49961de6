//! Partitioned tables, and tables others inherit from.

use marula_core::ChangeKind;
use marula_tune::ProveMode;

use super::proofs::proves;
use super::{explained, fresh, rules_of, set_up, shown};

const EVENTS: &str = "CREATE TABLE events (id int NOT NULL, at date NOT NULL, kind int NOT NULL, body text NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE events_b PARTITION OF events FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');
CREATE TABLE events_c PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
INSERT INTO events SELECT i, date '2025-01-01' + i % 540, i % 7000, repeat('x', 60) FROM generate_series(1, 90000) i;
ANALYZE events";

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_table_gets_its_index_without_keeping_writers_out() {
    let session = fresh(15).await;
    set_up(&session, EVENTS).await;
    let sql = "SELECT e.id, e.body FROM events e WHERE e.kind = 77";
    let report = explained(&session, sql, ProveMode::Lab).await;
    assert!(rules_of(&report).contains(&"selective-seq-scan"), "{}", shown(&report));
    proves(&report, ChangeKind::Index, "ON ONLY public.events (kind)");
    let change = report.changes.iter().find(|c| c.up[0].ends_with("public.events (kind)")).unwrap();
    assert_eq!(
        change.up,
        [
            "CREATE INDEX events_kind_idx ON ONLY public.events (kind)",
            "CREATE INDEX CONCURRENTLY events_a_kind_idx ON public.events_a (kind)",
            "ALTER INDEX public.events_kind_idx ATTACH PARTITION public.events_a_kind_idx",
            "CREATE INDEX CONCURRENTLY events_b_kind_idx ON public.events_b (kind)",
            "ALTER INDEX public.events_kind_idx ATTACH PARTITION public.events_b_kind_idx",
            "CREATE INDEX CONCURRENTLY events_c_kind_idx ON public.events_c (kind)",
            "ALTER INDEX public.events_kind_idx ATTACH PARTITION public.events_c_kind_idx",
        ]
    );
    // What is proposed is what the server takes, there and back.
    for statement in change.up.iter().chain(&change.down) {
        session.client().batch_execute(statement).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_partition_that_is_left_leads_to_the_whole_table() {
    let session = fresh(15).await;
    set_up(&session, EVENTS).await;
    let sql = "SELECT id, body FROM events WHERE kind = 77 AND at >= '2026-02-01'";
    let report = explained(&session, sql, ProveMode::Lab).await;
    proves(&report, ChangeKind::Index, "ON ONLY public.events (kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_inherit_get_an_index_each() {
    let session = fresh(15).await;
    set_up(
        &session,
        "CREATE TABLE notes (id int NOT NULL, author int NOT NULL, body text NOT NULL);
CREATE TABLE old_notes () INHERITS (notes);
INSERT INTO notes SELECT i, i % 5000, repeat('x', 60) FROM generate_series(1, 40000) i;
INSERT INTO old_notes SELECT i, i % 5000, repeat('x', 60) FROM generate_series(1, 40000) i;
ANALYZE notes; ANALYZE old_notes",
    )
    .await;
    let report = explained(&session, "SELECT * FROM notes WHERE author = 7", ProveMode::Lab).await;
    proves(&report, ChangeKind::Index, "ON public.old_notes (author)");
    let change =
        report.changes.iter().find(|c| c.up[0].ends_with("public.notes (author)")).unwrap();
    assert_eq!(change.up.len(), 2, "{:?}", change.up);
}
