#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::Path;

use marula_core::{DriftKind, Engine, MigrationState};

use super::*;
use crate::migration::Tool;

fn file(name: &str, text: &str) -> Migration {
    crate::files::parse(Path::new(name), text, Tool::Marula, Engine::Postgres).unwrap()
}

fn folder() -> Vec<Migration> {
    ["1_a.sql", "2_b.sql", "3_c.sql"]
        .map(|name| {
            let text =
                format!("-- migrate:up\nSELECT '{name}';\nSELECT 2;\n-- migrate:down\nSELECT 3;");
            file(name, &text)
        })
        .into()
}

fn applied(migration: &Migration, position: i64) -> Record {
    Record { state: State::Applied, ..Record::of(migration, position, "ann") }
}

#[test]
fn what_is_due_is_what_has_not_run() {
    let folder = folder();
    let history = [applied(&folder[0], 1)];
    let compared = compare(&folder, &history, false);
    assert_eq!(compared.due, [1, 2]);
    assert!(compared.drift.is_empty());
    let states: Vec<_> = compared.list.iter().map(|status| status.state).collect();
    use MigrationState::{Applied, Pending};
    assert_eq!(states, [Applied, Pending, Pending]);
}

#[test]
fn every_disagreement_is_named_with_three_ways_out() {
    let mut folder = folder();
    let history = [applied(&folder[0], 1), applied(&folder[2], 2)];
    // The first was edited, the second was slipped in, the third was renumbered.
    folder[0] = file("1_a.sql", "-- migrate:up\nSELECT 'other';");
    folder[2] = Migration { version: Some("4".into()), ..folder[2].clone() };
    let found = compare(&folder, &history, false).drift;
    let kinds: Vec<_> = found.iter().map(|drift| drift.kind).collect();
    assert_eq!(kinds, [DriftKind::Changed, DriftKind::Reordered, DriftKind::Renumbered]);
    assert!(found.iter().all(|drift| drift.ways.len() == 3));
    let found = compare(&folder[..2], &history, true).drift;
    let kinds: Vec<_> = found.iter().map(|drift| drift.kind).collect();
    assert_eq!(kinds, [DriftKind::Changed, DriftKind::Missing]);
}

#[test]
fn a_half_done_file_may_change_behind_what_is_done() {
    let mut folder = folder();
    let mut half = Record::of(&folder[0], 1, "ann");
    half.done = vec![digest(&folder[0].up[0])];
    folder[0] = file("1_a.sql", "-- migrate:up\nSELECT '1_a.sql';\nSELECT 'mended';");
    assert!(compare(&folder, std::slice::from_ref(&half), false).drift.is_empty());
    folder[0] = file("1_a.sql", "-- migrate:up\nSELECT 'not the same';\nSELECT 2;");
    let found = compare(&folder, &[half], false).drift;
    assert!(found[0].message.contains("statement 1, which ran, was changed"), "{found:?}");
}

#[test]
fn a_rollback_refuses_what_has_no_way_back_before_it_begins() {
    let mut folder = folder();
    folder[1] = file("2_b.sql", "-- migrate:up\nDROP TABLE a;");
    let history = [applied(&folder[0], 1), applied(&folder[1], 2), applied(&folder[2], 3)];
    let one = due_down(&folder, &history, &Back::Count(1)).unwrap();
    assert_eq!(one[0].migration.name, "c");
    let error = due_down(&folder, &history, &Back::To("1".into())).unwrap_err();
    assert!(error.message().starts_with("2_b.sql cannot be taken back"), "{error}");
    assert!(due_down(&folder, &history, &Back::To("3".into())).unwrap().is_empty());
}
