//! No input makes the readers or the rules panic: real files, mutated at random.

use std::path::Path;

use marula_core::Engine;
use marula_migrate::lint::LintOptions;
use marula_migrate::{files, mongodb, postgres};
use proptest::prelude::*;

const SQL: &str = include_str!("../corpus/postgres.sql");
const OTHERS: [(&str, &str); 4] = [
    (
        "1_x.json",
        r#"{"up": [{"createIndexes": "a", "indexes": [{"key": {"x": 1}, "name": "x_1", "unique": true}]},
 "db.a.updateMany({é: null}, [{$set: {b: {$toInt: '$b'}}}])",
 {"backfill": {"collection": "a", "filter": {"x": null}, "update": {"$set": {"x": 0}}, "pace": "5ms"}}],
 "down": [{"drop": "a"}]}"#,
    ),
    (
        "1_x.yaml",
        "up:\n  - create: a\n  - backfill:\n      collection: b\n      update: {$set: {ü: 1}}\n",
    ),
    (
        "1-x.js",
        "module.exports = {\n async up(db) {\n const n = 'é';\n await db.collection('a').updateMany({}, {$set: {n}});\n },\n down: async (db) => db.collection('a').drop()\n}",
    ),
    (
        "1_x.sql",
        "-- migrate:up transaction:false lock_timeout:2s\nCREATE TABLE é (a int);\n-- marula:ignore x y\n-- migrate:down\nDROP TABLE é;",
    ),
];

/// Cuts, doubles or replaces parts of a text.
fn mutate(text: &str, edits: &[(usize, usize, u8)]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (at, length, what) in edits {
        if letters.is_empty() {
            break;
        }
        let at = at % letters.len();
        let end = (at + length % 12).min(letters.len());
        match what % 4 {
            0 => drop(letters.drain(at..end)),
            1 => {
                let copy = letters[at..end].to_vec();
                letters.splice(at..at, copy);
            }
            2 => letters
                .insert(at, ['\'', '"', '{', '(', ';', '\n', '$', 'é'][usize::from(*what / 4) % 8]),
            _ => letters.truncate(at.max(1)),
        }
    }
    letters.into_iter().collect()
}

fn read(name: &str, text: &str) {
    let path = Path::new(name);
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let tool = files::tool_of(path, text);
        let Ok(migration) = files::parse(path, text, tool, engine) else { continue };
        let all = std::slice::from_ref(&migration);
        for step in &migration.up {
            assert!(
                step.start <= step.end
                    && text.trim_start_matches('\u{feff}').get(step.start..step.end).is_some()
            );
        }
        match engine {
            Engine::Postgres => {
                let schema = postgres::Schema::default();
                postgres::lint::lint(all, schema.clone(), &LintOptions::default());
                let _ = postgres::fix::fix(&migration, &schema, postgres::lint::NEWEST);
            }
            Engine::Mongodb => {
                mongodb::lint::lint(all, mongodb::Schema::default(), &LintOptions::default());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_mangled_file_is_read_or_refused(
        which in 0..5usize,
        case in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..4),
    ) {
        match OTHERS.get(which) {
            Some((name, text)) => read(name, &mutate(text, &edits)),
            None => {
                let cases: Vec<&str> = SQL.split("\n== ").collect();
                let (_, text) = case.get(&cases).split_once('\n').unwrap_or_default();
                read("x.sql", &mutate(text, &edits));
            }
        }
    }
}
