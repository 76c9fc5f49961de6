//! Random edits of schemas: whatever they are, the way leads there and back.

use std::path::PathBuf;

use marula_lab::shared;
use marula_migrate::postgres::diff::{DiffOptions, Source, diff};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// A column: type, NOT NULL, default, indexed.
type Col = (u8, bool, bool, bool);

const TYPES: [(&str, &str); 5] = [
    ("integer", "1"),
    ("bigint", "2"),
    ("text", "'x'"),
    ("numeric(10,2)", "3.5"),
    ("timestamptz", "now()"),
];

/// Up to three tables of up to four columns, some with a view and a check.
type Shape = Vec<Option<(Vec<Option<Col>>, bool, bool)>>;

fn shape() -> impl Strategy<Value = Shape> {
    let column = proptest::option::weighted(
        0.8,
        (0..5_u8, any::<bool>(), any::<bool>(), proptest::bool::weighted(0.3)),
    );
    let table = (proptest::collection::vec(column, 4), any::<bool>(), any::<bool>());
    proptest::collection::vec(proptest::option::weighted(0.8, table), 3)
}

/// A type that can be cast to from the other: text comes from all, numbers from numbers.
fn written(shape: &Shape, casts: bool) -> String {
    let mut sql = String::new();
    for (t, table) in shape.iter().enumerate() {
        let Some((columns, view, check)) = table else { continue };
        let mut parts = vec!["id integer PRIMARY KEY".to_string()];
        let mut indexes = String::new();
        let mut shown = vec!["id".to_string()];
        for (c, column) in columns.iter().enumerate() {
            let Some((kind, not_null, default, indexed)) = column else { continue };
            let kind = if casts { *kind as usize % 2 } else { *kind as usize };
            let (name, usual) = TYPES[kind];
            let null = if *not_null { " NOT NULL" } else { "" };
            let default = if *default { format!(" DEFAULT {usual}") } else { String::new() };
            parts.push(format!("c{c} {name}{default}{null}"));
            shown.push(format!("c{c}"));
            if *indexed {
                indexes.push_str(&format!("CREATE INDEX t{t}_c{c} ON t{t} (c{c});\n"));
            }
        }
        if *check {
            parts.push(format!("CONSTRAINT t{t}_some CHECK (id > {})", shown.len()));
        }
        sql.push_str(&format!("CREATE TABLE t{t} ({});\n{indexes}", parts.join(", ")));
        if *view {
            let shown = shown.join(", ");
            sql.push_str(&format!("CREATE VIEW v{t} AS SELECT {shown} FROM t{t};\n"));
        }
    }
    sql
}

#[tokio::test(flavor = "multi_thread")]
async fn random_edits_are_led_over_and_back() {
    let rounds = std::env::var("MARULA_DIFF_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(8);
    let server = shared::postgres(15).await.unwrap();
    let mut runner = TestRunner::deterministic();
    let mut changed = 0;
    for round in 0..rounds {
        let (a, b) = (
            shape().new_tree(&mut runner).unwrap().current(),
            shape().new_tree(&mut runner).unwrap().current(),
        );
        // Every other round keeps to types that are cast by themselves both ways.
        let (from, to) = (written(&a, round % 2 == 0), written(&b, round % 2 == 0));
        let source = |name: &str, text: &str| Source::Sql(PathBuf::from(name), text.to_string());
        let found =
            diff(server, &source("a.sql", &from), &source("b.sql", &to), &DiffOptions::default())
                .await;
        let found = match found {
            Ok(found) => found,
            // Some types do not become each other at all: the server says so, and so do we.
            Err(error) if error.message().contains("cannot cast type") => continue,
            Err(error) => panic!("{error}\n{from}\n--\n{to}"),
        };
        let texts: Vec<&str> = found.files.iter().map(|file| file.text.as_str()).collect();
        assert!(found.remains.is_empty(), "{:?}\n{from}\n--\n{to}\n{texts:?}", found.remains);
        assert!(found.notes.is_empty(), "{:?}\n{from}\n--\n{to}\n{texts:?}", found.notes);
        let back = found.files.iter().all(|file| file.down)
            || texts.iter().any(|text| text.contains("cannot cast type"));
        assert!(back, "no way back\n{from}\n--\n{to}\n{texts:?}");
        changed += usize::from(!found.files.is_empty());
    }
    assert!(changed * 3 >= rounds, "only {changed} of {rounds} rounds changed anything");
}
